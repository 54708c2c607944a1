// Work on the store that becomes one batch: reads see what earlier work of the same batch has put, and events get their numbers.

import type { DoorMode } from '../domain/access-decision.ts';
import { type AccessEvent, chainEvent, type LogTail, type NewEvent } from '../domain/access-event.ts';
import type { CardNumber } from '../domain/card-number.ts';
import type { CardholderRecord, CardRecord } from '../domain/credential.ts';
import type { CardholderId, DoorId, GatewayId } from '../domain/ids.ts';
import type { RosterView } from '../domain/roster-change.ts';
import { type RosterSummary, toggleCard } from '../domain/roster-digest.ts';
import { CardeaError } from '../errors.ts';
import type { CredentialStore, StoreBatch } from '../ports/credential-store.ts';
import type { LogEntry } from '../ports/event-log.ts';

export class StoreTransaction implements RosterView {
  readonly #store: CredentialStore;
  readonly #gateway: GatewayId;
  readonly #cards = new Map<CardNumber, CardRecord>();
  readonly #cardholders = new Map<CardholderId, CardholderRecord>();
  readonly #doorModes = new Map<DoorId, DoorMode>();
  readonly #entries: LogEntry[] = [];
  #roster: RosterSummary;
  #hasNewRoster = false;
  #puts = 0;
  #tail: LogTail;

  constructor({ store, tail, gateway }: { store: CredentialStore; tail: LogTail; gateway: GatewayId }) {
    this.#store = store;
    this.#tail = tail;
    this.#gateway = gateway;
    this.#roster = store.roster();
  }

  /** Grows with everything that is put, so that it shows whether work which failed has left something behind. */
  get puts(): number {
    return this.#puts;
  }

  /** Records in the batch so far. */
  get size(): number {
    return this.#cards.size + this.#cardholders.size + this.#doorModes.size + this.#entries.length;
  }

  /** Throws CardeaError `store-record-unreadable`. */
  card(number: CardNumber): CardRecord | undefined {
    const put = this.#cards.get(number);
    if (put !== undefined) return put;
    const found = this.#store.findCard(number);
    switch (found.kind) {
      case 'live':
        return found.binding;
      case 'retired':
        return found.tombstone;
      case 'unknown':
        return undefined;
      case 'unreadable':
        throw new CardeaError('store-record-unreadable', found.detail);
    }
  }

  /** Throws CardeaError `store-record-unreadable`. */
  cardholder(id: CardholderId): CardholderRecord | undefined {
    return this.#cardholders.get(id) ?? this.#store.findCardholder(id);
  }

  roster(): RosterSummary {
    return this.#roster;
  }

  /** Puts the records of a change and brings count and digest of the roster up to date with them. */
  putChange(change: {
    readonly cards: ReadonlyMap<CardNumber, CardRecord>;
    readonly cardholders: ReadonlyMap<CardholderId, CardholderRecord>;
    /** The revision that the roster has reached; a lower one than before is ignored. */
    readonly revision: RosterSummary['revision'];
  }): void {
    this.#puts += 1;
    const buckets = Uint8Array.from(this.#roster.buckets);
    let { cards } = this.#roster;
    for (const [number, record] of change.cards) {
      const before = this.card(number);
      if (before?.state === 'live') {
        toggleCard(buckets, number, before.revision);
        cards -= 1;
      }
      if (record.state === 'live') {
        toggleCard(buckets, number, record.revision);
        cards += 1;
      }
      this.#cards.set(number, record);
    }
    for (const [id, record] of change.cardholders) this.#cardholders.set(id, record);
    const isNewer = change.revision > this.#roster.revision;
    const revision = isNewer ? change.revision : this.#roster.revision;
    this.#roster = { revision, cards, buckets };
    this.#hasNewRoster = true;
  }

  putDoorMode(door: DoorId, mode: DoorMode): void {
    this.#puts += 1;
    this.#doorModes.set(door, mode);
  }

  /** Appends an event; `receiptOf` makes the receipt that the record carries, knowing the record's number. */
  append(event: NewEvent, receiptOf?: (sequence: number) => string): AccessEvent {
    const chained = chainEvent(this.#gateway, this.#tail, event);
    const entry =
      receiptOf === undefined ? { event: chained } : { event: chained, receipt: receiptOf(chained.sequence) };
    this.#puts += 1;
    this.#tail = { sequence: chained.sequence, hash: chained.hash };
    this.#entries.push(entry);
    return chained;
  }

  batch(): StoreBatch {
    return {
      cards: this.#cards,
      cardholders: this.#cardholders,
      roster: this.#hasNewRoster ? this.#roster : undefined,
      doorModes: this.#doorModes,
      entries: this.#entries,
    };
  }
}
