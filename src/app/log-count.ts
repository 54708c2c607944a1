// Counting events by their numbers: where a log has taken the place of another one, there are numbers that no event has.

import type { EventLog } from '../ports/event-log.ts';

type Log = Pick<EventLog, 'tail' | 'gap'>;

/** Events after that number. */
export const eventsAfter = (log: Log, sequence: number): number => {
  const { from, to } = log.gap() ?? NONE;
  return log.tail().sequence - sequence - Math.max(0, to - Math.max(sequence, from - 1));
};

/** The number after which there are so many events; below the log's beginning where it has fewer. */
export const numberBefore = (log: Log, events: number): number => {
  const { from, to } = log.gap() ?? NONE;
  const number = log.tail().sequence - events;
  return number >= to ? number : number - (to - from + 1);
};

/** The number after which to read on: past those that no event has, where it stands before or among them. */
export const pastGap = (log: Pick<EventLog, 'gap'>, sequence: number): number => {
  const { from, to } = log.gap() ?? NONE;
  return sequence >= from - 1 && sequence < to ? to : sequence;
};

const NONE = { from: 1, to: 0 };
