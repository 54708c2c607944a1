// The events of some kinds in a time, for `cardea report`: the whole log is gone through, page by page, but for the blocks of which
// it is known that nothing in them is of that time.

import type { AccessEvent } from '../domain/access-event.ts';
import type { EventLog } from '../ports/event-log.ts';
import { readPage } from './log-records.ts';
import type { UnreadableLine } from './protocol.ts';
import type { ParsedSelection } from './requests.ts';
import { TimeIndex } from './time-index.ts';

const PAGE = 100;

export class EventSelector {
  readonly #eventLog: EventLog;
  readonly #times = new TimeIndex();

  constructor(eventLog: EventLog) {
    this.#eventLog = eventLog;
  }

  /** In order, to the present end of the log, with a line for each record that cannot be read. Ends when `signal` is aborted. */
  async *read({ names, range }: ParsedSelection, signal: AbortSignal): AsyncGenerator<AccessEvent | UnreadableLine> {
    const tail = this.#eventLog.tail().sequence;
    const reading = this.#times.reading();
    let after = this.#eventLog.firstSequence() - 1;
    while (after < tail && !signal.aborted) {
      after = this.#times.skip(after, range, this.#eventLog);
      const count = Math.min(PAGE, tail - after);
      const page = count > 0 ? await readPage(this.#eventLog, after, count) : [];
      for (const line of page) {
        if (signal.aborted) return;
        if (line.type === 'event') reading.see(line);
        if (line.type === 'unreadable' || isSelected(line, { names, range })) yield line;
      }
      after += count;
    }
  }
}

const isSelected = ({ event, time }: AccessEvent, { names, range }: ParsedSelection): boolean => {
  const at = Date.parse(time);
  return names.has(event) && at >= range.from && at < range.to;
};
