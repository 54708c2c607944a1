// `cardea desk`: the desk service and what is done with it; and one message as HR would send it, for trying things out without one.

import { Argument, type Command, InvalidArgumentError, Option } from 'commander';
import { REVOCATION_REASONS } from '../domain/credential.ts';
import { type GatewayId, parseGatewayId } from '../domain/ids.ts';
import { addDeskBackupCommands } from './desk-backup.ts';
import { addDeskCardCommands } from './desk-card-commands.ts';
import { addDeskOfficeCommands } from './desk-office-commands.ts';
import { addDeskPeopleCommands } from './desk-people-commands.ts';
import { addDeskServeCommands } from './desk-serve.ts';
import { CONFIG_HELP } from './locate-gateway.ts';
import { type OrderEnd, withEnd } from './order-options.ts';
import { type CliSession, withJson } from './session.ts';

export interface DeskOptions {
  readonly config?: string;
  readonly revision?: number;
  readonly key?: string;
  readonly json?: boolean;
}

export interface BindOptions extends DeskOptions {
  readonly cardholder: string;
  readonly name?: string;
  readonly doors?: string;
  readonly supersedes: 'all' | 'none';
  readonly pending?: boolean;
  readonly until?: string;
  readonly overridesLockdown?: boolean;
  readonly extendedRelease?: boolean;
  readonly fromReader?: string;
  readonly gateway?: GatewayId;
}

export interface LockdownOptions extends OrderEnd {
  readonly config?: string;
  readonly key?: string;
  readonly reason: string;
  readonly end?: boolean;
  readonly json?: boolean;
}

export interface RevokeOptions extends DeskOptions {
  readonly cardholder?: string;
  readonly reason: string;
}

const DESK_HELP = `
This is for trying things out, and for sites whose HR keeps the roster itself: a desk service (cardea desk serve) does not know of it. The
message goes to the broker of the configuration, with the user name and certificate that stand there, and the
command waits up to 10 seconds for the gateway's receipt. Exits 0 when it says applied or duplicate, 1 otherwise,
3 when no broker or no receipt answers.`;

const LOCKDOWN_HELP = `
The command goes to the broker of the configuration, for all gateways of its site. Whoever is online by the status that the broker
keeps is waited for, up to 10 seconds; whoever is offline by it is named. Exits 0 when all of them have done it, 1 otherwise, 3 when no
broker or no gateway answers. Of a gateway that is gone for good clear the retained status at the broker.`;

const EVENTS_HELP = `
An event is acknowledged when it is on the disk: to the broker, and to its gateway (event-ack), which goes by that where
events.acknowledgement is application. What comes twice is stored once. In the end it says of each gateway what is stored and which
numbers are missing. Exits 0 when none is, 1 otherwise.`;

export const addDeskCommands = (program: Command, session: CliSession): void => {
  const desk = program
    .command('desk')
    .description(
      "the clerk's side: people, cards, and the proof that changes work; and single messages as HR sends them",
    );

  withDesk(desk.command('bind'))
    .description('one message to the broker, without the desk service: bind a card, or replace one')
    .argument('[card]', "card number in the site's format; left out with --from-reader")
    .option('--from-reader <reader>', 'bind the card that is held next to this enrolment reader, within a minute')
    .option('--gateway <id>', 'whose reader that is (default: the gateway of the configuration)', parseGateway)
    .requiredOption('--cardholder <id>', 'whose card it is')
    .option('--name <name>', 'name of the cardholder')
    .option('--doors <ids>', 'doors that it opens, separated by commas (default: all)')
    .addOption(
      new Option('--supersedes <which>', 'whether the other cards of the cardholder stop')
        .choices(['all', 'none'])
        .default('all'),
    )
    .option('--pending', 'opens nothing until it is held to an activation reader')
    .option('--until <time>', 'a temporary card, valid until then, such as 2026-11-22T18:00:00+08:00')
    .option('--overrides-lockdown', 'opens doors in a lockdown too')
    .option('--extended-release', 'the person needs more time: doors stay released, and may stand open, for longer')
    .action(async (card: string | undefined, options: BindOptions, command: Command) => {
      if ((card === undefined) === (options.fromReader === undefined)) {
        command.error('error: name either a card or --from-reader READER');
      }
      if (options.gateway !== undefined && options.fromReader === undefined) {
        command.error('error: --gateway says whose reader --from-reader names');
      }
      const { bindCard } = await import('./desk-messages.ts');
      await bindCard(card, options, session);
    });

  withDesk(desk.command('revoke'))
    .description(
      'one message to the broker, without the desk service: revoke a card, or with --cardholder all of a person',
    )
    .addArgument(new Argument('[card]', "card number in the site's format"))
    .option('--cardholder <id>', 'revoke all cards of this person')
    .addOption(new Option('--reason <reason>', 'why').choices(REVOCATION_REASONS).default('lost'))
    .action(async (card: string | undefined, options: RevokeOptions, command: Command) => {
      if ((card === undefined) === (options.cardholder === undefined)) {
        command.error('error: name either a card or --cardholder ID');
      }
      const { revokeCard } = await import('./desk-messages.ts');
      await revokeCard(card, options, session);
    });

  addDeskServeCommands(desk, session);
  addDeskBackupCommands(desk, session);
  addDeskPeopleCommands(desk, session);
  addDeskCardCommands(desk, session);
  addDeskOfficeCommands(desk, session);
  addDeskCalendarCommand(desk, session);
  addDeskEventsCommand(desk, session);
  addDeskLockdownCommand(desk, session);
};

const addDeskLockdownCommand = (desk: Command, session: CliSession): void => {
  withEnd(withBroker(desk.command('lockdown')))
    .description('without the desk service: lock all doors of all gateways of the site down; with --end, end that')
    .requiredOption('--reason <text>', 'why, for the logs and for cardea status')
    .option('--end', 'end the lockdown')
    .addHelpText('after', LOCKDOWN_HELP)
    .action(async (options: LockdownOptions) => {
      const { lockSiteDown } = await import('./desk-lockdown.ts');
      await lockSiteDown(options, session);
    });
};

const addDeskEventsCommand = (desk: Command, session: CliSession): void => {
  withBroker(desk.command('events'))
    .description(
      'without the desk service: store the events of all gateways, once each, and acknowledge them, until Ctrl-C',
    )
    .argument('<file>', 'where they are stored, one line of JSON each; gone on with where it is there')
    .addHelpText('after', EVENTS_HELP)
    .action(async (file: string, options: DeskOptions) => {
      const { archiveEvents } = await import('./desk-events.ts');
      await archiveEvents(file, options, session);
    });
};

const addDeskCalendarCommand = (desk: Command, session: CliSession): void => {
  withDesk(desk.command('calendar'))
    .description(
      "without the desk service: push HR's schedules, holidays and access levels, in the place of those it pushed before",
    )
    .argument('<file>', 'YAML or JSON with schedules, holidays and levels, as in the configuration')
    .action(async (file: string, options: DeskOptions) => {
      const { pushCalendar } = await import('./desk-calendar.ts');
      await pushCalendar(file, options, session);
    });
};

const withBroker = (command: Command): Command =>
  withJson(command)
    .option('--config <file>', CONFIG_HELP)
    .option('--key <file>', 'private key to sign with, where the gateway takes signed messages only');

const withDesk = (command: Command): Command =>
  withBroker(command)
    .option(
      '--revision <number>',
      "HR's change counter, or that of its calendars (default: one more than the gateway has seen)",
      parseRevision,
    )
    .addHelpText('after', DESK_HELP);

const parseGateway = (text: string): GatewayId => {
  const gateway = parseGatewayId(text);
  if (gateway === undefined) throw new InvalidArgumentError('It must be the id of a gateway.');
  return gateway;
};

const parseRevision = (text: string): number => {
  const revision = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(revision) || revision < 1) {
    throw new InvalidArgumentError('It must be a whole number from 1 on.');
  }
  return revision;
};
