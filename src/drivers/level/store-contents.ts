// What a store keeps in memory of what it holds: all but cards, cardholders, passages and events. Read when it is opened, and
// changed by each batch that it has taken.

import { EMPTY_LOG, type LogTail } from '../../domain/access-event.ts';
import type { HeldCalendar } from '../../domain/calendar-order.ts';
import type { CommandRecord } from '../../domain/door-command.ts';
import { type DoorOrders, UNREADABLE_ORDERS } from '../../domain/door-mode.ts';
import type { DoorId } from '../../domain/ids.ts';
import {
  BUCKET_BYTES,
  BUCKETS,
  DIGEST_BYTES,
  digestOf,
  emptyRoster,
  type RosterSummary,
} from '../../domain/roster-digest.ts';
import { CardeaError } from '../../errors.ts';
import type { StoreBatch, StoreDamage } from '../../ports/credential-store.ts';
import { ALL_BUCKETS, ALL_ORDERS, bucketIn, doorIn } from './plain-keys.ts';
import * as records from './records.ts';
import type { SealedRecords } from './sealed-records.ts';
import { calendarDigest, digestOfText, type HeldState, partsAfter, partsOf, type StoreState } from './store-state.ts';

export interface StoreContents extends HeldState {
  readonly tail: LogTail;
  readonly damage: StoreDamage | undefined;
  readonly state: StoreState;
  /** What the store keeps for `state.parts`; undefined where it has kept nothing yet. */
  readonly recordedParts: records.StateParts | undefined;
}

const NOTHING_HELD: HeldState = {
  roster: emptyRoster(),
  doorOrders: new Map(),
  calendar: undefined,
  commands: [],
  passageEra: 0,
};

export const EMPTY_CONTENTS: StoreContents = {
  ...NOTHING_HELD,
  tail: EMPTY_LOG,
  damage: undefined,
  state: { generation: 0, parts: partsOf(NOTHING_HELD) },
  recordedParts: undefined,
};

/** Rejects with CardeaError `store-record-unreadable` when what everything hangs on does not open. */
export const readContents = async (sealed: SealedRecords): Promise<StoreContents> => {
  const { calendar, digest } = await readCalendar(sealed);
  const held: HeldState = {
    roster: await readRoster(sealed),
    doorOrders: await readOrders(sealed),
    calendar,
    commands: await readCommands(sealed),
    passageEra: countOf(await sealed.meta('passage-era'), 'era of passages'),
  };
  const damage = await sealed.meta('damage');
  const parts = await sealed.meta('parts');
  return {
    ...held,
    tail: await readTail(sealed),
    damage: damage === undefined ? undefined : records.decodeDamage(damage),
    state: {
      generation: countOf(await sealed.meta('generation'), 'count of batches'),
      parts: { ...partsOf(held), calendar: digest },
    },
    recordedParts: parts === undefined ? undefined : records.decodeParts(parts),
  };
};

/** What there will be after the batch. */
export const contentsAfter = (contents: StoreContents, batch: StoreBatch): StoreContents => {
  const { state, doorOrders } = contents;
  const last = batch.entries.at(-1)?.event;
  const parts = partsAfter(state.parts, batch, doorOrders);
  return {
    roster: batch.roster ?? contents.roster,
    doorOrders: batch.doorOrders.size === 0 ? doorOrders : new Map([...doorOrders, ...batch.doorOrders]),
    calendar: batch.calendar ?? contents.calendar,
    commands: batch.commands ?? contents.commands,
    passageEra: batch.passageEra ?? contents.passageEra,
    tail: last === undefined ? contents.tail : { sequence: last.sequence, hash: last.hash },
    damage: batch.damage ?? contents.damage,
    state: { generation: state.generation + 1, parts },
    recordedParts: parts,
  };
};

const readTail = async (sealed: SealedRecords): Promise<LogTail> => {
  const [last] = await sealed.handles.event.iterator({ reverse: true, limit: 1 }).all();
  if (last === undefined) return EMPTY_LOG;
  const { sequence, hash } = sealed.openEvent(...last).event;
  return { sequence, hash };
};

const readCommands = async (sealed: SealedRecords): Promise<readonly CommandRecord[]> => {
  const commands = await sealed.meta('commands');
  return commands === undefined ? [] : records.decodeCommands(commands);
};

const readOrders = async (sealed: SealedRecords): Promise<ReadonlyMap<DoorId, DoorOrders>> => {
  const { meta } = sealed.handles;
  const found = new Map<DoorId, DoorOrders>();
  for await (const [key, value] of meta.iterator(ALL_ORDERS)) {
    const text = sealed.openOrNothing(meta, key, value);
    const orders = text === undefined ? undefined : records.ordersOrNothing(text);
    found.set(doorIn(key), orders ?? UNREADABLE_ORDERS);
  }
  return found;
};

/** The digest is that of what is stored: a calendar that this version cannot work with is not what was stored otherwise. */
const readCalendar = async (
  sealed: SealedRecords,
): Promise<{ readonly calendar: HeldCalendar; readonly digest: string }> => {
  const { meta } = sealed.handles;
  const value = await meta.get('calendar');
  const text = value === undefined ? undefined : sealed.openOrNothing(meta, 'calendar', value);
  if (text !== undefined)
    return { calendar: records.calendarOrNothing(text) ?? 'unreadable', digest: digestOfText(text) };
  const calendar = value === undefined ? undefined : 'unreadable';
  return { calendar, digest: calendarDigest(calendar) };
};

const readRoster = async (sealed: SealedRecords): Promise<RosterSummary> => {
  const stored = await sealed.meta('roster');
  const buckets = await readBuckets(sealed);
  const { digest, ...roster } =
    stored === undefined ? { ...emptyRoster(), digest: digestOf(emptyRoster()) } : records.decodeRoster(stored);
  const loaded = { ...roster, buckets };
  if (digestOf(loaded) !== digest) throw unreadable('roster digest');
  return loaded;
};

const readBuckets = async (sealed: SealedRecords): Promise<Uint8Array> => {
  const { meta } = sealed.handles;
  const buckets = new Uint8Array(DIGEST_BYTES);
  for await (const [key, value] of meta.iterator(ALL_BUCKETS)) {
    const bytes = Buffer.from(sealed.open(meta, key, value), 'hex');
    const bucket = bucketIn(key);
    if (bytes.length !== BUCKET_BYTES || !(bucket < BUCKETS)) throw unreadable('roster digest');
    buckets.set(bytes, bucket * BUCKET_BYTES);
  }
  return buckets;
};

const countOf = (text: string | undefined, what: string): number => {
  const count = Number(text ?? '0');
  if (!Number.isSafeInteger(count) || count < 0) throw unreadable(`${what} "${text}"`);
  return count;
};

const unreadable = (what: string): CardeaError =>
  new CardeaError('store-record-unreadable', `the store's ${what} does not decode`);
