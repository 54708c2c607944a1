// The options of commands that give orders to doors: why, and how long the order lasts.

import { type Command, InvalidArgumentError, Option } from 'commander';
import type { OrderTerms } from '../admin/protocol.ts';

export interface OrderEnd {
  readonly until?: string;
  /** Seconds. */
  readonly for?: number;
}

export interface OrderOptions extends OrderEnd {
  readonly reason?: string;
}

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export const ORDER_HELP = `
With --until or --for, block, hold-open and lockdown end by themselves, after 31 days at most. Where the gateway does not know the
time, what locks stays without an end, and hold-open with one is refused.`;

export const withOrder = (command: Command): Command =>
  withEnd(command.option('--reason <text>', 'why, for the log and for cardea status'));

/** At most one of the two. */
export const withEnd = (command: Command): Command =>
  command
    .addOption(
      new Option('--until <time>', 'when the order ends by itself, such as 2026-11-22T18:00:00+08:00').conflicts('for'),
    )
    .addOption(new Option('--for <time>', 'how long it lasts, such as 90s, 30m, 2h or 1d').argParser(parseDuration));

/** As the gateway takes them. */
export const orderTerms = ({ reason, until, for: duration }: OrderOptions): Omit<OrderTerms, 'operator'> => ({
  ...(reason !== undefined && { reason }),
  ...(until !== undefined && { until }),
  ...(duration !== undefined && { forSeconds: String(duration) }),
});

/** Seconds. */
export const parseDuration = (text: string): number => {
  const [, count = '', unit = ''] = /^(\d{1,7})([smhd])$/.exec(text) ?? [];
  const duration = Number(count) * (SECONDS[unit] ?? 0);
  if (duration > 0) return duration;
  throw new InvalidArgumentError('It must be a number with s, m, h or d, such as 30m.');
};
