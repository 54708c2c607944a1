// The journal of events for EventArchive, in the desk's store: each event under its gateway and number, and in the same batch what it
// says of a card.

import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import type { EventJournal } from '../ports/event-journal.ts';
import type { DeskWriter } from './desk-writer.ts';
import { type CardEvent, eventKey, type UsageBook } from './usage-book.ts';

interface Dependencies {
  readonly store: DeskStore;
  readonly writer: DeskWriter;
  readonly usage: UsageBook;
  /** They are stored. */
  readonly onEvents: (events: readonly CardEvent[]) => void;
}

export class EventRecords implements EventJournal {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  async *lines(): AsyncGenerator<string> {
    for await (const [, value] of this.#deps.store.entries('event')) yield JSON.stringify(value);
  }

  async append(lines: readonly string[]): Promise<void> {
    const { writer, usage, onEvents } = this.#deps;
    const events = lines.map((line): CardEvent & Record<string, never> => JSON.parse(line));
    const puts: DeskPut[] = events.map((event) => ({ kind: 'event', key: eventKey(event), value: event }));
    await writer.write([...puts, ...(await usage.putsFor(events.map(cardEventOf)))]);
    onEvents(events);
  }

  async close(): Promise<void> {}
}

/** Members that an event of a later gateway may lack are as good as null. */
const cardEventOf = (event: CardEvent): CardEvent => ({
  gateway: event.gateway,
  sequence: event.sequence,
  event: event.event,
  time: typeof event.time === 'string' ? event.time : new Date(0).toISOString(),
  door: typeof event.door === 'string' ? event.door : null,
  card: typeof event.card === 'string' ? event.card : null,
  bindingRevision: typeof event.bindingRevision === 'number' ? event.bindingRevision : null,
  reason: typeof event.reason === 'string' ? event.reason : null,
});
