// The options of the commands that work with the desk service, and how many seconds they wait.

import { type Command, InvalidArgumentError } from 'commander';

export const DEFAULT_DESK_URL = 'http://127.0.0.1:8470';

export interface ServiceOptions {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly json?: boolean;
  /** Nothing is asked before it is done. */
  readonly yes?: boolean;
}

/** A command that works with the desk service, as an operator who has signed in or with the token of a program. */
export const withService = (command: Command): Command =>
  command
    .option(
      '--url <url>',
      `where the desk service is (default: $CARDEA_DESK_URL, else where you signed in, else ${DEFAULT_DESK_URL})`,
    )
    .option('--token-file <file>', 'a token instead of your session (default: $CARDEA_DESK_TOKEN)')
    .option('--json', 'print JSON, for programs, and ask nothing');

export const withYes = (command: Command): Command =>
  withService(command).option('-y, --yes', 'do not ask before it is done');

export interface PageOptions extends ServiceOptions {
  readonly limit?: number;
  readonly before?: string;
}

export const pageOf = ({ limit, before }: PageOptions) => ({ limit, before });

/** A list of operations, the newest first, page by page. */
export const withPages = (command: Command): Command =>
  withService(command)
    .option('--limit <count>', 'at most so many operations', parseCount)
    .option('--before <operation>', 'only operations before this one');

export const parseSeconds = (text: string): number => {
  const seconds = Number(text);
  if (/^\d{1,6}$/.test(text)) return seconds;
  throw new InvalidArgumentError('It must be a whole number of seconds.');
};

export const parseCount = (text: string): number => {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count >= 1) return count;
  throw new InvalidArgumentError('It must be a whole number from 1 on.');
};

/** What cards open. */
export const withAccess = (command: Command, otherwise = 'what is usual at this desk'): Command =>
  command
    .option('--doors <ids>', `doors that are opened, separated by commas (default: ${otherwise})`)
    .option('--schedule <name>', 'when the doors of --doors are opened (default: always)')
    .option('--level <name>', 'an access level instead, which the gateways know');
