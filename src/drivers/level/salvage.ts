// What can still be read of a damaged store: a copy is repaired, and gives what opens. Nothing of it is believed because it is
// there: a repair brings back what was replaced or removed long ago.

import { type AccessEvent, EMPTY_LOG, isIntact, type LogTail } from '../../domain/access-event.ts';
import type { CalendarRecord } from '../../domain/calendar.ts';
import type { CardNumber } from '../../domain/card-number.ts';
import type { CardholderRecord, CardRecord } from '../../domain/credential.ts';
import type { CommandRecord } from '../../domain/door-command.ts';
import type { DoorOrders } from '../../domain/door-mode.ts';
import type { CardholderId, DoorId } from '../../domain/ids.ts';
import { BUCKETS, bucketOf, DIGEST_BYTES, isSameBucket, toggleCard } from '../../domain/roster-digest.ts';
import type { LogEntry } from '../../ports/event-log.ts';
import { ALL_ORDERS, doorIn } from './plain-keys.ts';
import { type RecordNames, recordNames } from './record-names.ts';
import type { RecordSeal } from './record-seal.ts';
import * as records from './records.ts';
import { repair } from './repair-database.ts';
import { type Handles, handlesOf, type Sublevel } from './sublevels.ts';

/** What is kept as one whole; undefined for what does not open. */
export interface SalvagedParts {
  readonly roster: records.StoredRoster | undefined;
  readonly doorOrders: ReadonlyMap<DoorId, DoorOrders>;
  readonly calendar: CalendarRecord | undefined;
  readonly commands: readonly CommandRecord[] | undefined;
  readonly trimmed: LogTail;
}

export class Salvage {
  readonly #handles: Handles;
  readonly #seal: RecordSeal;
  readonly #names: readonly RecordNames[];

  private constructor(handles: Handles, seal: RecordSeal) {
    this.#handles = handles;
    this.#seal = seal;
    this.#names = seal.keyIds.map((id) => recordNames(seal, id));
  }

  /** Repairs the copy in `directory`. Undefined where even that does not make a database of it. */
  static async open(directory: string, seal: RecordSeal): Promise<Salvage | undefined> {
    try {
      await repair(directory);
      const handles = handlesOf(directory);
      await handles.db.open({ createIfMissing: false });
      return new Salvage(handles, seal);
    } catch {
      return undefined;
    }
  }

  async close(): Promise<void> {
    await this.#handles.db.close();
  }

  async parts(): Promise<SalvagedParts> {
    const { meta } = this.#handles;
    const read = async <T>(key: string, decode: (text: string) => T): Promise<T | undefined> => {
      const sealed = await meta.get(key).catch(() => undefined);
      return sealed === undefined ? undefined : this.#decoded(meta, [key, sealed], decode);
    };
    const doorOrders = new Map<DoorId, DoorOrders>();
    for await (const [key, orders] of this.#each(meta, records.ordersOrNothing, ALL_ORDERS)) {
      doorOrders.set(doorIn(key), orders);
    }
    return {
      roster: await read('roster', records.decodeRoster),
      doorOrders,
      calendar: await read('calendar', records.calendarOrNothing),
      commands: await read('commands', records.decodeCommands),
      trimmed: (await read('trimmed', records.decodeTrimmed)) ?? EMPTY_LOG,
    };
  }

  /** Genuine records of the log above `trimmed`, in order; there may be holes. */
  async *entries(trimmed: LogTail): AsyncGenerator<LogEntry> {
    for await (const [, entry] of this.#each(this.#handles.event, records.decodeEntry)) {
      if (entry.event.sequence > trimmed.sequence && isWhole(entry.event)) yield entry;
    }
  }

  /** Buckets whose live cards add up to what they are in `buckets`: nothing of them is older than that. */
  async soundBuckets(buckets: Uint8Array): Promise<ReadonlySet<number>> {
    const sums = new Uint8Array(DIGEST_BYTES);
    for await (const [, { number, record }] of this.#each(this.#handles.card, records.decodeCard)) {
      if (record.state === 'live') toggleCard(sums, number, record.revision);
    }
    const sound = new Set<number>();
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if (isSameBucket(bucket, sums, buckets)) sound.add(bucket);
    }
    return sound;
  }

  /** Persons, each with those of their live cards that are in sound buckets. */
  async *cardholders(sound: ReadonlySet<number>): AsyncGenerator<{
    readonly id: CardholderId;
    readonly record: CardholderRecord;
    readonly cards: ReadonlyMap<CardNumber, CardRecord>;
  }> {
    for await (const [, { id, record }] of this.#each(this.#handles.cardholder, records.decodeCardholder)) {
      const cards = new Map<CardNumber, CardRecord>();
      for (const number of record.cards) {
        const card = sound.has(bucketOf(number)) ? await this.#card(number) : undefined;
        if (card?.state === 'live' && card.cardholder === id) cards.set(number, card);
      }
      yield { id, record: { ...record, cards: [...cards.keys()] }, cards };
    }
  }

  /** Retired cards: they deny, whatever else is true. */
  async *tombstones(): AsyncGenerator<records.StoredCard> {
    for await (const [, stored] of this.#each(this.#handles.card, records.decodeCard)) {
      if (stored.record.state === 'retired') yield stored;
    }
  }

  async #card(number: CardNumber): Promise<CardRecord | undefined> {
    const { card } = this.#handles;
    for (const names of this.#names) {
      const key = names.card(number);
      const sealed = await card.get(key).catch(() => undefined);
      if (sealed !== undefined) return this.#decoded(card, [key, sealed], records.decodeCard)?.record;
    }
    return undefined;
  }

  /** All that decodes, up to where the database itself gives out. */
  async *#each<T>(
    sublevel: Sublevel,
    decode: (text: string) => T | undefined,
    range: Partial<typeof ALL_ORDERS> = {},
  ): AsyncGenerator<readonly [key: string, T]> {
    const iterator = sublevel.iterator(range);
    try {
      for (;;) {
        const row = await iterator.next().catch(() => undefined);
        if (row === undefined) return;
        const value = this.#decoded(sublevel, row, decode);
        if (value !== undefined) yield [row[0], value];
      }
    } finally {
      await iterator.close();
    }
  }

  #decoded<T>(
    { prefix }: Sublevel,
    [key, sealed]: readonly [string, Uint8Array],
    decode: (text: string) => T,
  ): T | undefined {
    try {
      return decode(this.#seal.open(prefix + key, sealed));
    } catch {
      return undefined;
    }
  }
}

const isWhole = (event: AccessEvent): boolean => {
  try {
    return isIntact(event);
  } catch {
    return false;
  }
};
