// When the events of the log happened, by blocks of it that somebody has read: what lets a reader of one month go past the other
// years. Times may jump back and forth with the clock, so that nothing is concluded for a block that nobody has read whole.

import { entryOrNothing } from '../app/read-log.ts';
import type { AccessEvent } from '../domain/access-event.ts';
import type { Instant } from '../domain/units.ts';
import type { EventLog } from '../ports/event-log.ts';

/** Events in a block; the first begins with number 1. */
export const BLOCK = 1000;

/** Up to, but not including `to`. */
export interface TimeRange {
  readonly from: Instant;
  readonly to: Instant;
}

interface Span {
  readonly earliest: number;
  readonly latest: number;
  /** Of the block's last event, to which all before it are chained: while it stands there, the block is the one that was read. */
  readonly hash: string;
}

/** Takes the events of one reading in order; a block that was seen whole is remembered. */
export interface Reading {
  see(event: AccessEvent): void;
}

export class TimeIndex {
  readonly #blocks = new Map<number, Span>();

  reading(): Reading {
    let next = 0;
    let earliest = 0;
    let latest = 0;
    return {
      see: ({ sequence, time, hash }) => {
        const at = Date.parse(time);
        if (sequence % BLOCK === 1) [next, earliest, latest] = [sequence, at, at];
        if (sequence !== next) return;
        next += 1;
        earliest = Math.min(earliest, at);
        latest = Math.max(latest, at);
        if (sequence % BLOCK === 0) this.#blocks.set(sequence, { earliest, latest, hash });
      },
    };
  }

  /** The number after which to go on reading: `after` itself, or the end of the blocks behind it in which nothing is in range. */
  skip(after: number, { from, to }: TimeRange, eventLog: Pick<EventLog, 'entryAt'>): number {
    let end = after;
    while (end % BLOCK === 0) {
      const span = this.#blocks.get(end + BLOCK);
      if (span === undefined || (span.latest >= from && span.earliest < to)) break;
      if (hashAt(eventLog, end + BLOCK) !== span.hash) break;
      end += BLOCK;
    }
    return end;
  }
}

/** Undefined for a record that cannot be read any more, too: whoever reads on is told. */
const hashAt = (eventLog: Pick<EventLog, 'entryAt'>, sequence: number): string | undefined =>
  entryOrNothing(eventLog, sequence)?.event.hash;
