// A new store in the place of a damaged one, with what of that one is certain: its events that are genuine, and orders, commands
// and calendar where the anchor knows that they are the last ones. Cards are HR's to say; only where the site wants it, those that
// are certain are taken over until then.
//
// 1. No number of an event is used again: numbering goes on above all that were reserved.
// 2. What may have been ordered and is not known any more locks: such a door is blocked until somebody orders anew.

import { chainEvent, EMPTY_LOG, type LogTail } from '../../domain/access-event.ts';
import { type CalendarRecord, EMPTY_CALENDAR } from '../../domain/calendar.ts';
import type { CardNumber } from '../../domain/card-number.ts';
import type { CardholderRecord, CardRecord } from '../../domain/credential.ts';
import { type DoorOrders, UNREADABLE_ORDERS } from '../../domain/door-mode.ts';
import { type CardholderId, type DoorId, type GatewayId, parseMessageId, parseRevision } from '../../domain/ids.ts';
import type { SequenceRange } from '../../domain/log-chain.ts';
import { DIGEST_BYTES, emptyRoster, type RosterSummary, toggleCard } from '../../domain/roster-digest.ts';
import { instant } from '../../domain/units.ts';
import { CardeaError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { StoreBatch } from '../../ports/credential-store.ts';
import type { LogEntry } from '../../ports/event-log.ts';
import type { AnchorRecord } from './anchor.ts';
import { LevelStore } from './level-store.ts';
import type { RecordSeal } from './record-seal.ts';
import { encodeCommands, encodeTrimmed } from './records.ts';
import type { Salvage, SalvagedParts } from './salvage.ts';
import { calendarDigest, digestOfText, epochsDigest, ordersDigest } from './store-state.ts';
import { handlesOf } from './sublevels.ts';

/** Records in one synced write. */
const SLICE = 200;
/** Where nobody knows which numbers were used, numbering goes on behind the next multiple of this, and behind the clock's seconds. */
const JUMP = 1_000_000;

const NOTHING_SALVAGED: SalvagedParts = {
  roster: undefined,
  doorOrders: new Map(),
  calendar: undefined,
  commands: undefined,
  trimmed: EMPTY_LOG,
};

export interface RebuildOptions {
  /** Where the new store is made; nothing is there. */
  readonly directory: string;
  readonly identity?: string;
  readonly seal: RecordSeal;
  readonly gateway: GatewayId;
  readonly doors: readonly DoorId[];
  readonly keepsCards: boolean;
  readonly clock: Pick<Clock, 'now' | 'isSynchronized'>;
  /** What was found, in words. */
  readonly reason: string;
  readonly setAside: string;
  /** Undefined where it is lost too, or knows nothing of the store. */
  readonly anchor: AnchorRecord | undefined;
  /** No number above this one was used, where there is an anchor. */
  readonly reserved: number;
  /** Undefined where nothing can be read. */
  readonly salvage: Salvage | undefined;
  /** Why not, where that is not the damage itself. */
  readonly notSalvaged: string | undefined;
}

interface SavedLog {
  readonly events: number;
  readonly from: number;
  readonly tail: LogTail;
  /** The first number that is not there. */
  readonly hole: number;
}

/** Fulfils with the number of the new store's own first event; the new store is closed then. */
export const rebuildStore = async (options: RebuildOptions): Promise<number> => {
  const { directory, identity, seal, salvage } = options;
  const parts = (await salvage?.parts()) ?? NOTHING_SALVAGED;
  await begin(options);
  const store = await LevelStore.open(directory, { identity, seal });
  let beginning: LogTail;
  let gap: SequenceRange;
  try {
    const log = await saveLog(store, parts.trimmed, salvage);
    const reserved = reservedBy(log.tail.sequence, options);
    const roster = await saveCards(store, parts, options);
    await store.commit(lastBatch({ parts, log, reserved, roster }, options));
    beginning = store.trimmedUpTo();
    gap = { from: Math.max(log.tail.sequence, beginning.sequence) + 1, to: reserved };
  } finally {
    await store.close();
  }
  await tellGap(options, beginning, gap);
  return gap.to + 1;
};

/** More than one event a second, year in year out, is more than a gateway has. */
const reservedBy = (tail: number, { anchor, reserved, clock }: RebuildOptions): number => {
  if (anchor !== undefined) return Math.max(reserved, tail);
  return Math.max(reserved, (Math.floor(tail / JUMP) + 1) * JUMP, Math.floor(clock.now() / 1000));
};

/** It counts on from the damaged one, so that the anchor does not take it for an older one. */
const begin = (options: RebuildOptions): Promise<void> =>
  putMeta(options, {
    generation: String(options.anchor?.generation ?? 0),
    sent: String(options.anchor?.acknowledged ?? 0),
  });

/** So that numbers that no event has are not counted as events that wait. */
const tellGap = async (options: RebuildOptions, { sequence, hash }: LogTail, gap: SequenceRange): Promise<void> => {
  if (gap.from <= gap.to) await putMeta(options, { trimmed: encodeTrimmed({ sequence, hash, gap }) });
};

const putMeta = async (
  { directory, seal }: Pick<RebuildOptions, 'directory' | 'seal'>,
  texts: Readonly<Record<string, string>>,
): Promise<void> => {
  const { db, meta } = handlesOf(directory);
  await db.open();
  try {
    for (const [key, text] of Object.entries(texts)) {
      const name = meta.prefix + key;
      await db.put(name, seal.seal(name, text), { sync: true });
    }
  } finally {
    await db.close();
  }
};

const batchOf = (part: Partial<StoreBatch>): StoreBatch => ({
  cards: new Map(),
  cardholders: new Map(),
  roster: undefined,
  doorOrders: new Map(),
  commands: undefined,
  entries: [],
  ...part,
});

const saveLog = async (store: LevelStore, trimmed: LogTail, salvage: Salvage | undefined): Promise<SavedLog> => {
  let log: SavedLog = { events: 0, from: trimmed.sequence + 1, tail: trimmed, hole: trimmed.sequence + 1 };
  if (salvage === undefined) return log;
  const waiting: LogEntry[] = [];
  for await (const entry of salvage.entries(trimmed)) {
    const { sequence, hash, previousHash } = entry.event;
    if (log.events === 0) await beginLogAfter(store, { sequence: sequence - 1, hash: previousHash });
    log = {
      events: log.events + 1,
      from: log.events === 0 ? sequence : log.from,
      tail: { sequence, hash },
      hole: sequence === log.hole ? sequence + 1 : log.hole,
    };
    waiting.push(entry);
    if (waiting.length >= SLICE) await store.commit(batchOf({ entries: waiting.splice(0) }));
  }
  if (waiting.length > 0) await store.commit(batchOf({ entries: waiting }));
  return log;
};

const beginLogAfter = (store: LevelStore, trimmed: LogTail): Promise<void> =>
  store.commit(batchOf({ history: { entries: [], trimmed } }));

/** The roster that the new store begins with; its cards are in the store then. */
const saveCards = async (
  store: LevelStore,
  { roster: salvaged }: SalvagedParts,
  { keepsCards, anchor, salvage }: RebuildOptions,
): Promise<RosterSummary> => {
  const { revision, reconciled, epoch, pastEpochs } = salvaged ?? emptyRoster();
  const roster = { ...emptyRoster(), revision, reconciled, pastEpochs, ...(epoch !== undefined && { epoch }) };
  const isSameHistory = anchor !== undefined && epochsDigest(roster) === anchor.parts.epochs;
  if (!keepsCards || salvage === undefined || !isSameHistory) return roster;
  const sound = await salvage.soundBuckets(anchor.buckets);
  const buckets = new Uint8Array(DIGEST_BYTES);
  let count = 0;
  const slice = new Slice(store);
  for await (const { id, record, cards } of salvage.cardholders(sound)) {
    for (const [number, card] of cards) {
      toggleCard(buckets, number, card.revision);
      slice.cards.set(number, card);
    }
    count += cards.size;
    slice.cardholders.set(id, record);
    await slice.commitIfFull();
  }
  for await (const { number, record } of salvage.tombstones()) {
    slice.cards.set(number, record);
    await slice.commitIfFull();
  }
  await slice.commit();
  return { ...roster, cards: count, buckets };
};

/** Cards and persons that share a write. */
class Slice {
  readonly cards = new Map<CardNumber, CardRecord>();
  readonly cardholders = new Map<CardholderId, CardholderRecord>();
  readonly #store: LevelStore;

  constructor(store: LevelStore) {
    this.#store = store;
  }

  async commitIfFull(): Promise<void> {
    if (this.cards.size + this.cardholders.size >= SLICE) await this.commit();
  }

  async commit(): Promise<void> {
    await this.#store.commit(batchOf({ cards: this.cards, cardholders: this.cardholders }));
    this.cards.clear();
    this.cardholders.clear();
  }
}

const lastBatch = (
  saved: {
    readonly parts: SalvagedParts;
    readonly log: SavedLog;
    readonly reserved: number;
    readonly roster: RosterSummary;
  },
  options: RebuildOptions,
): StoreBatch => {
  const { gateway, clock, reason, setAside } = options;
  const { log, reserved, roster } = saved;
  const taken = takeOver(saved.parts, options);
  const lost = lossesOf(saved, { ...options, taken });
  const { events, from, tail, hole } = log;
  const event = chainEvent(
    gateway,
    { sequence: reserved, hash: tail.hash },
    {
      event: 'store-damaged',
      at: clock.now(),
      clockSynchronized: clock.isSynchronized(),
      detail: {
        reason,
        setAside,
        salvaged: events === 0 ? null : { events, from, to: tail.sequence },
        missing: hole > reserved ? null : { from: hole, to: reserved },
        cards: roster.cards,
        lost,
      },
    },
  );
  return batchOf({
    roster,
    doorOrders: taken.doorOrders,
    calendar: taken.calendar,
    commands: taken.commands,
    ...(events === 0 && { history: { entries: [], trimmed: { sequence: reserved, hash: tail.hash } } }),
    entries: [{ event }],
    damage: { at: clock.now(), reason, setAside, lost },
  });
};

interface Taken {
  readonly doorOrders: ReadonlyMap<DoorId, DoorOrders>;
  readonly isOrdersKnown: boolean;
  readonly calendar: StoreBatch['calendar'];
  readonly isCalendarKnown: boolean;
  readonly commands: StoreBatch['commands'];
}

const takeOver = (parts: SalvagedParts, { anchor, doors }: RebuildOptions): Taken => {
  const { doorOrders, calendar, commands } = parts;
  const isOrdersKnown = ordersDigest(doorOrders) === anchor?.parts.orders;
  const isCalendarKnown = calendarDigest(calendar) === anchor?.parts.calendar;
  const isNoCalendar = calendar === undefined && anchor === undefined;
  const areCommandsKnown = digestOfText(encodeCommands(commands ?? [])) === anchor?.parts.commands;
  return {
    isOrdersKnown,
    doorOrders: isOrdersKnown ? doorOrders : new Map(doors.map((door) => [door, UNREADABLE_ORDERS])),
    isCalendarKnown: isCalendarKnown || isNoCalendar,
    calendar: isCalendarKnown || isNoCalendar ? calendar : unusableCalendar(),
    commands: areCommandsKnown ? commands : undefined,
  };
};

/** Its fingerprint is not that of its definition: it counts as unreadable until HR sends another one. */
const unusableCalendar = (): CalendarRecord => {
  const [revision, messageId] = [parseRevision(1), parseMessageId('damaged-record')];
  if (revision === undefined || messageId === undefined) throw new CardeaError('internal-error', 'no revision is one');
  return { revision, messageId, appliedAt: instant(0), fingerprint: '', definition: EMPTY_CALENDAR };
};

const lossesOf = (
  { log, reserved, roster }: { readonly log: SavedLog; readonly reserved: number; readonly roster: RosterSummary },
  { taken, keepsCards, notSalvaged }: RebuildOptions & { readonly taken: Taken },
): string => {
  const losses = [
    log.hole > reserved ? '' : `events that may have had the numbers ${log.hole} to ${reserved} and were not sent`,
    keepsCards ? `all cards but ${roster.cards}, until HR sends them` : 'all cards, until HR sends them',
    taken.isOrdersKnown ? '' : 'orders to doors: every door is blocked until it is ordered anew',
    taken.isCalendarKnown ? '' : "HR's calendar, until HR sends it",
    'who is inside which zone',
    notSalvaged ?? '',
  ];
  return losses.filter((loss) => loss !== '').join('; ');
};
