// The events of some kinds in a time, for `cardea report`: the whole log is gone through, page by page, but for the blocks of which
// it is known that nothing in them is of that time.

import { pastGap } from '../app/log-count.ts';
import type { AccessEvent } from '../domain/access-event.ts';
import type { EventLog } from '../ports/event-log.ts';
import { readPage } from './log-records.ts';
import type { MissingLine, SelectionLine } from './protocol.ts';
import type { ParsedSelection } from './requests.ts';
import { TimeIndex } from './time-index.ts';

const PAGE = 100;

export class EventSelector {
  readonly #eventLog: EventLog;
  readonly #times = new TimeIndex();

  constructor(eventLog: EventLog) {
    this.#eventLog = eventLog;
  }

  /** In order, to the present end of the log, with a line for what cannot be read or is missing. Ends when `signal` is aborted. */
  async *read({ names, range }: ParsedSelection, signal: AbortSignal): AsyncGenerator<SelectionLine> {
    const tail = this.#eventLog.tail().sequence;
    const reading = this.#times.reading();
    let after = pastGap(this.#eventLog, this.#eventLog.firstSequence() - 1);
    let next = 1;
    let since: string | null = null;
    while (after < tail && !signal.aborted) {
      const skipped = this.#times.skip(after, range, this.#eventLog);
      if (skipped > after) {
        if (next <= after) yield missing(next, after, since, null);
        [after, next, since] = [skipped, skipped + 1, null];
      }
      const count = Math.min(PAGE, tail - after);
      const page = count > 0 ? await readPage(this.#eventLog, after, count) : [];
      for (const line of page) {
        if (signal.aborted) return;
        const time = line.type === 'event' ? line.time : null;
        if (line.sequence > next) yield missing(next, line.sequence - 1, since, time);
        [next, since] = [line.sequence + 1, time];
        if (line.type === 'event') reading.see(line);
        if (line.type === 'unreadable' || isSelected(line, { names, range })) yield line;
      }
      after = pastGap(this.#eventLog, after + count);
    }
  }
}

const missing = (from: number, to: number, since: string | null, until: string | null): MissingLine => ({
  type: 'missing',
  from,
  to,
  since,
  until,
});

const isSelected = ({ event, time }: AccessEvent, { names, range }: ParsedSelection): boolean => {
  const at = Date.parse(time);
  return names.has(event) && at >= range.from && at < range.to;
};
