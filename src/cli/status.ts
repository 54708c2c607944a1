// `cardea status`: is all well here, and what stands how.

import { styleText } from 'node:util';
import type { Command } from 'commander';
import type { StatusAnswer } from '../admin/protocol.ts';
import type { DoorStatus } from '../wire/status.ts';
import { columns } from './columns.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

export const addStatusCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('status')))
    .description('show doors, readers, roster, outbox and alarms; exits 1 when something needs attention')
    .action(async (options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('status', {});
      session.conclude(answer.faults.length === 0 && answer.status.alarms.length === 0);
      if (options.json === true) await session.printJson(answer);
      else await session.print(statusText(answer, session.terminal.hasColour));
    });
};

const statusText = ({ status, faults, isLinkConnected }: StatusAnswer, hasColour: boolean): string => {
  const red = (text: string): string => (hasColour ? styleText('red', text, { validateStream: false }) : text);
  const doors = Object.entries(status.doors).map(([door, state]) => [
    door,
    state.mode,
    state.position,
    state.strike,
    orderText(state),
  ]);
  const readers = Object.entries(status.readers).map(([reader, { door, state, detail }]) => [
    reader,
    door ?? '-',
    state,
    detail ?? '',
  ]);
  const zones = Object.entries(status.zones).map(([zone, { occupancy, antiPassback }]) => [
    zone,
    String(occupancy),
    antiPassback,
  ]);
  const facts = [
    ['gateway', `${status.gateway}, version ${status.version}, up since ${status.startedAt}`],
    ['clock', status.clock.synchronized ? 'synchronized' : 'not synchronized'],
    ...(isLinkConnected === null ? [] : [['HR link', isLinkConnected ? 'connected' : 'not connected']]),
    ['roster', `revision ${status.roster.revision}, ${status.roster.cards} cards`],
    ['calendar', status.calendar === null ? 'none from HR' : `revision ${status.calendar.revision} from HR`],
    ['outbox', outboxText(status.outbox)],
    ['log', logText(status.log)],
    ...(status.lossyCardNumbers ? [['cards', 'different cards may share a number in this format']] : []),
  ];
  const troubles = [...status.alarms, ...faults].map((trouble) => `${red('!')} ${plain(trouble)}\n`);
  return [
    columns(facts),
    '\n',
    columns([['DOOR', 'MODE', 'POSITION', 'STRIKE', ''], ...doors]),
    ...(zones.length === 0 ? [] : ['\n', columns([['ZONE', 'INSIDE', 'ANTI-PASSBACK'], ...zones])]),
    ...(readers.length === 0 ? [] : ['\n', columns([['READER', 'DOOR', 'STATE', ''], ...readers])]),
    '\n',
    ...(troubles.length === 0 ? ['nothing needs attention\n'] : troubles),
  ].join('');
};

/** Who ordered the mode, why and until when. */
const orderText = ({ orderedBy, reason, until }: Pick<DoorStatus, 'orderedBy' | 'reason' | 'until'>): string => {
  if (orderedBy === null) return '';
  return [`by ${orderedBy}`, ...(until === null ? [] : [`until ${until}`]), ...(reason === null ? [] : [reason])].join(
    ', ',
  );
};

const logText = ({ first, last, checkpoint }: StatusAnswer['status']['log']): string => {
  const records = `records ${first} to ${last}`;
  if (checkpoint === null) return `${records}, no checkpoint yet`;
  const signature = checkpoint.kid === null ? 'not signed (cardea keys generate makes a key)' : 'signed';
  return `${records}, checkpoint at ${checkpoint.sequence} ${signature}`;
};

const outboxText = ({ pending, oldest }: StatusAnswer['status']['outbox']): string =>
  pending === 0 ? 'empty' : `${pending} events are not acknowledged, the oldest since ${oldest ?? 'unknown'}`;
