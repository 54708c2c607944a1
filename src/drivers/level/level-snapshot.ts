// The store as it is at one moment, read at leisure: a snapshot of LevelDB holds it while taps and changes go on.

import { EMPTY_LOG } from '../../domain/access-event.ts';
import { emptyRoster } from '../../domain/roster-digest.ts';
import type { SnapshotRecord, StoreSnapshot } from '../../ports/store-snapshot.ts';
import { LogBounds } from './log-bounds.ts';
import { ALL_ORDERS, doorIn } from './plain-keys.ts';
import type { RecordSeal } from './record-seal.ts';
import * as records from './records.ts';
import type { Handles, Sublevel } from './sublevels.ts';

/** Records between two turns of others; a millisecond or two. */
const SLICE = 20;

type Snapshot = ReturnType<Handles['db']['snapshot']>;

interface Sources {
  readonly handles: Handles;
  readonly seal: RecordSeal;
  readonly snapshot: Snapshot;
  /** What is found one after the other is looked up by its name as well. */
  readonly isLookedUp?: boolean;
}

/** Rejects with CardeaError `store-record-unreadable`. */
export const openSnapshot = async (handles: Handles, seal: RecordSeal): Promise<StoreSnapshot> => {
  const sources = { handles, seal, snapshot: handles.db.snapshot() };
  try {
    return await describe(sources);
  } catch (error) {
    await sources.snapshot.close();
    throw error;
  }
};

const describe = async (sources: Sources): Promise<StoreSnapshot> => {
  const { handles, seal, snapshot } = sources;
  const { meta, event } = handles;
  const readMeta = async (key: string): Promise<string | undefined> => {
    const sealed = await meta.get(key, { snapshot });
    return sealed === undefined ? undefined : seal.open(meta.prefix + key, sealed);
  };
  const [last] = await event.iterator({ reverse: true, limit: 1, snapshot }).all();
  const tail = last === undefined ? EMPTY_LOG : records.decodeEntry(seal.open(event.prefix + last[0], last[1])).event;
  const bounds = new LogBounds();
  bounds.load({ cursors: await readMeta('sent'), trimmed: await readMeta('trimmed') }, tail.sequence);
  const roster = await readMeta('roster');
  return {
    roster: roster === undefined ? emptyRoster() : records.decodeRoster(roster),
    tail: { sequence: tail.sequence, hash: tail.hash },
    acknowledgedUpTo: bounds.acknowledged,
    records: (kinds, options) => recordsOf({ ...sources, ...options }, kinds),
    close: () => snapshot.close(),
  };
};

async function* recordsOf(
  sources: Sources,
  kinds: readonly SnapshotRecord['kind'][] = ALL_KINDS,
): AsyncGenerator<SnapshotRecord | undefined> {
  for (const kind of kinds) yield* recordsOfKind(sources, kind);
}

const ALL_KINDS = ['calendar', 'orders', 'watermark', 'card', 'event'] as const;

const recordsOfKind = (sources: Sources, kind: SnapshotRecord['kind']): AsyncGenerator<SnapshotRecord | undefined> => {
  const { meta, cardholder, card, event } = sources.handles;
  switch (kind) {
    case 'calendar':
      return decoded(sources, meta, { gte: 'calendar', lte: 'calendar' }, (text) => {
        const calendar = records.calendarOrNothing(text);
        return calendar && { kind: 'calendar', calendar };
      });
    case 'orders':
      return decoded(sources, meta, ALL_ORDERS, (text, key) => {
        const orders = records.ordersOrNothing(text);
        return orders && { kind: 'orders', door: doorIn(key), orders };
      });
    case 'watermark':
      return decoded(sources, cardholder, {}, (text) => {
        const { id, record } = records.decodeCardholder(text);
        return record.watermark === undefined
          ? 'nothing'
          : { kind: 'watermark', cardholder: id, watermark: record.watermark };
      });
    case 'card':
      return decoded(sources, card, {}, (text) => {
        const { number, record } = records.decodeCard(text);
        return { kind: 'card', card: number, record };
      });
    case 'event':
      return decoded(sources, event, { reverse: true }, (text) => ({
        kind: 'event',
        entry: records.decodeEntry(text),
      }));
  }
};

interface Range {
  readonly gt?: string;
  readonly gte?: string;
  readonly lt?: string;
  readonly lte?: string;
  readonly reverse?: boolean;
}

async function* decoded(
  { handles, seal, snapshot, isLookedUp = false }: Sources,
  sublevel: Sublevel,
  range: Range,
  decode: (text: string, key: string) => SnapshotRecord | 'nothing' | undefined,
): AsyncGenerator<SnapshotRecord | undefined> {
  let taken = 0;
  for await (const [key, sealed] of sublevel.iterator({ ...range, snapshot })) {
    taken += 1;
    // The iterator hands out a thousand at a time from memory, and a tap would wait for all of them.
    if (taken % SLICE === 0) await new Promise((resolve) => setImmediate(resolve));
    const name = sublevel.prefix + key;
    const isFound = !isLookedUp || handles.db.getSync(name, { snapshot })?.equals(sealed) === true;
    const record = isFound ? orUndefined(() => decode(seal.open(name, sealed), key)) : undefined;
    if (record !== 'nothing') yield record;
  }
}

const orUndefined = <T>(read: () => T): T | undefined => {
  try {
    return read();
  } catch {
    return undefined;
  }
};
