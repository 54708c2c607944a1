// `cardea roster`: how the allow-list here stands to HR's roster, and the consent that a restored HR needs.

import type { Command } from 'commander';
import type { StatusAnswer } from '../admin/protocol.ts';
import { columns } from './columns.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

const ACCEPT_HELP = `
HR names its history by an epoch, which changes only when HR was restored from a backup: its revisions may then start
lower. Without signed messages anybody at the broker could claim that, so a person has to look. After the consent every
card here follows HR's roster. The consent is recorded with your name. An epoch that is over cannot come back.`;

export const addRosterCommands = (program: Command, session: CliSession): void => {
  const roster = program.command('roster').description("the allow-list here beside HR's roster");

  withJson(withGateway(roster.command('show', { isDefault: true })))
    .description('show revision, digest and when they were last compared; exits 1 when something needs attention')
    .action(async (options: Options) => {
      const gateway = await session.gateway(options);
      const { status } = await gateway.call('status', {});
      const alarms = status.alarms.filter((alarm) => alarm.startsWith('roster: '));
      session.conclude(alarms.length === 0);
      if (options.json === true) await session.printJson({ ...status.roster, alarms });
      else await session.print(rosterText(status.roster, alarms));
    });

  withJson(withGateway(roster.command('accept-epoch')))
    .description('consent to the epoch that HR offers after it was restored')
    .argument('<epoch>', 'as the alarm shows it')
    .addHelpText('after', ACCEPT_HELP)
    .action(async (epoch: string, options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('accept-epoch', { epoch, operator: session.environment.operator() });
      if (options.json === true) await session.printJson(answer);
      else await session.print(`${plain(`epoch ${answer.epoch} accepted; the roster follows HR from now on`)}\n`);
    });
};

const rosterText = (roster: StatusAnswer['status']['roster'], alarms: readonly string[]): string => {
  const { revision, cards, digest, epoch, reconciledAt } = roster;
  return columns([
    ['revision', String(revision)],
    ['cards', String(cards)],
    ['digest', digest],
    ['epoch', epoch ?? 'HR has not told one'],
    ['compared', reconciledAt === null ? 'never' : `equal to HR at ${reconciledAt}`],
    ...alarms.map((alarm) => ['attention', plain(alarm)]),
  ]);
};
