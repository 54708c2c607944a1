// `cardea events`: the log of this gateway, and what happens next.

import type { Command } from 'commander';
import type { AccessEvent } from '../domain/access-event.ts';
import { CardeaError } from '../errors.ts';
import { padTo } from './columns.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { jsonLine, plain } from './terminal.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
  readonly follow?: boolean;
  readonly since?: string;
  readonly limit?: string;
}

export const addEventsCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('events')))
    .description('show the last 20 events, or those after a number, and those to come')
    .option('-f, --follow', 'go on with each event as it is stored, until Ctrl-C')
    .option('--since <sequence>', 'the events after this sequence number')
    .option('--limit <count>', 'at most so many of them; without --since the last so many')
    .action((options: Options) => printEvents(options, session));
};

const printEvents = async (options: Options, session: CliSession): Promise<void> => {
  const { since, limit } = options;
  const isFollowing = options.follow === true;
  const gateway = await session.gateway(options);
  const events = gateway.events({
    ...(since !== undefined && { since }),
    ...(limit !== undefined && { limit }),
    ...(isFollowing && { follow: 'true' }),
  });
  let last: number | undefined;
  try {
    for await (const event of events) {
      await session.print(options.json === true ? jsonLine(event) : eventText(event));
      last = event.sequence;
    }
  } catch (error) {
    if (!(error instanceof CardeaError) || error.code !== 'admin-unreachable' || last === undefined) throw error;
    throw new CardeaError(error.code, `${error.message}; go on with --since ${last}`, { cause: error });
  }
};

/** Wide enough for most; a longer text moves the rest of its line. */
const WIDTHS = { sequence: 7, event: 22, door: 10, card: 14, cardholder: 8 } as const;

const eventText = (event: AccessEvent): string => {
  const cells = [
    String(event.sequence).padStart(WIDTHS.sequence),
    `${event.time}${event.clockSynchronized ? '' : '?'}`,
    padTo(event.event, WIDTHS.event),
    padTo(event.door ?? event.reader ?? '-', WIDTHS.door),
    padTo(event.card ?? '-', WIDTHS.card),
    padTo(plain(event.cardholder ?? '-'), WIDTHS.cardholder),
    event.reason ?? '',
    detailText(event.detail),
  ];
  return `${cells.join('  ').trimEnd()}\n`;
};

/** Of use to programs only, and very long: the signature of a checkpoint. */
const HIDDEN: readonly string[] = ['jws'];

const detailText = (detail: AccessEvent['detail']): string => {
  if (detail === null) return '';
  if (typeof detail !== 'object' || Array.isArray(detail)) return plain(String(detail));
  const members = Object.entries(detail).filter(
    ([key, value]) => value !== null && value !== undefined && !HIDDEN.includes(key),
  );
  return members.map(([key, value]) => `${key}=${plain(valueText(value))}`).join(' ');
};

const valueText = (value: unknown): string => {
  if (Array.isArray(value)) return value.length === 0 ? '-' : value.map(String).join(',');
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
};
