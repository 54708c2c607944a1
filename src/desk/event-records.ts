// The journal of events for EventArchive, in the desk's store: each event under its gateway and number, and in the same batch what it
// says of a card.

import { parseRevision } from '../domain/ids.ts';
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
    const stored = lines.map((line): CardEvent & Record<string, never> => JSON.parse(line));
    const puts: DeskPut[] = stored.map((event) => ({ kind: 'event', key: eventKey(event), value: event }));
    const events = stored.map(cardEventOf);
    await writer.write([...puts, ...(await usage.putsFor(events))]);
    onEvents(events);
  }

  async close(): Promise<void> {}
}

const LONGEST_TEXT = 64;
const LONGEST_REASON = 200;

/** Members that an event of a later gateway may lack, or that make no sense, are as good as null. */
const cardEventOf = (event: CardEvent & { readonly clockSynchronized?: unknown }): CardEvent => ({
  gateway: event.gateway,
  sequence: event.sequence,
  event: event.event,
  time: timeOf(event.time),
  isTimeKnown: event.clockSynchronized === true,
  door: textOf(event.door),
  reader: textOf(event.reader),
  card: textOf(event.card),
  bindingRevision: parseRevision(Number(event.bindingRevision)) ?? null,
  reason: textOf(event.reason, LONGEST_REASON),
});

const textOf = (value: unknown, longest = LONGEST_TEXT): string | null =>
  typeof value === 'string' && value !== '' && value.length <= longest ? value : null;

const timeOf = (value: unknown): string => {
  const time = typeof value === 'string' && value.length <= LONGEST_TEXT ? Date.parse(value) : Number.NaN;
  return typeof value === 'string' && !Number.isNaN(time) ? value : new Date(0).toISOString();
};
