// Whether a store holds what was put into it: each record opens, the cards add up to the digest of the roster, the events are one
// chain, and nothing is older than the anchor knows it was.

import { type AccessEvent, isIntact, type LogTail } from '../../domain/access-event.ts';
import { missingIn, type SequenceRange } from '../../domain/log-chain.ts';
import { DIGEST_BYTES, digestOf, emptyRoster, toggleCard } from '../../domain/roster-digest.ts';
import type { StoreSnapshot } from '../../ports/store-snapshot.ts';
import type { AnchorRecord } from './anchor.ts';
import type { LevelStore } from './level-store.ts';
import { differingParts } from './store-state.ts';

/** Records between two turns of others; well below a millisecond's work each. */
const SLICE = 50;

/** Of the log, what is looked at before the doors work; the rest is looked at later. */
const NEWEST_EVENTS = 1000;

const EVERYTHING = ['watermark', 'card', 'event'] as const;
const BEFORE_THE_DOORS = ['card', 'event'] as const;

export interface VerifyOptions {
  /**
   * The look before the doors work: so many of the newest events, and of the rest only what opens doors, which are cards.
   * Without it everything is looked at.
   */
  readonly events?: number;
  /** Called after each slice; what it returns is waited for. */
  readonly onProgress?: () => Promise<void> | void;
}

/** What does not fit the anchor, in words; undefined when all is well. */
export const compareWithAnchor = (store: LevelStore, anchor: AnchorRecord): string | undefined => {
  // It has not been told of any batch yet: of a store that was brought to this format, or made anew, a moment ago.
  if (anchor.generation === 0) return undefined;
  const { generation, parts } = store.state();
  const { tail } = anchor;
  if (generation < anchor.generation) {
    return `it is older than it was: ${anchor.generation - generation} of its last writes are gone`;
  }
  if (store.tail().sequence < tail.sequence)
    return `the log ends with ${store.tail().sequence}, and had ${tail.sequence}`;
  if (tail.sequence > store.trimmedUpTo().sequence) {
    const entry = store.entryAt(tail.sequence);
    if (entry !== undefined && entry.event.hash !== tail.hash) return `event ${tail.sequence} is not what it was`;
  }
  if (generation > anchor.generation) return undefined;
  const differing = differingParts(parts, anchor.parts);
  return differing.length === 0 ? undefined : `not what was stored last: ${differing.join(', ')}`;
};

/**
 * What is wrong with the store's records, in words; undefined when all is well. Taps and changes go on meanwhile. Rejects when the
 * store does not answer.
 */
export const verifyRecords = async (store: LevelStore, options: VerifyOptions = {}): Promise<string | undefined> => {
  const recorded = store.recordedParts();
  const differing = recorded === undefined ? [] : differingParts(store.state().parts, recorded);
  if (differing.length > 0) return `not what was stored last: ${differing.join(', ')}`;
  const snapshot = await store.snapshot();
  try {
    return await verifySnapshot(snapshot, { ...options, trimmed: store.trimmedUpTo() });
  } finally {
    await snapshot.close();
  }
};

/** As verifyRecords(), of what decides whether a start sets the store aside. */
export const verifyAsStart = (
  store: LevelStore,
  options: Omit<VerifyOptions, 'events'> = {},
): Promise<string | undefined> => verifyRecords(store, { ...options, events: NEWEST_EVENTS });

const verifySnapshot = async (
  snapshot: StoreSnapshot,
  { events = Number.POSITIVE_INFINITY, onProgress = () => {}, trimmed }: VerifyOptions & { readonly trimmed: LogTail },
): Promise<string | undefined> => {
  const { roster } = snapshot;
  const buckets = new Uint8Array(DIGEST_BYTES);
  let cards = 0;
  const chain = new BackwardChain();
  let seen = 0;
  const kinds = events === Number.POSITIVE_INFINITY ? EVERYTHING : BEFORE_THE_DOORS;
  // A table's filter is not covered by any checksum: one bit of it hides a newer record from those who look it up, as taps do.
  for await (const item of snapshot.records(kinds, { isLookedUp: true })) {
    seen += 1;
    if (seen % SLICE === 0) await onProgress();
    if (item === undefined) return 'a record does not open, or is not found';
    if (item.kind === 'card' && item.record.state === 'live') {
      cards += 1;
      toggleCard(buckets, item.card, item.record.revision);
    }
    if (item.kind !== 'event') continue;
    const fault = chain.add(item.entry.event);
    if (fault !== undefined) return fault;
    if (chain.length >= events) break;
  }
  const { digest = digestOf(emptyRoster()) } = roster;
  if (digestOf({ ...roster, buckets }) !== digest || cards !== roster.cards) {
    return 'the cards do not add up to the digest of the roster';
  }
  return chain.length < events ? chain.endFault(trimmed) : undefined;
};

/** The log from its end to its beginning, so that what says that numbers are gone comes before the gap. */
class BackwardChain {
  #newer: AccessEvent | undefined;
  readonly #gaps: SequenceRange[] = [];
  length = 0;

  /** What is wrong with the next older event, in words. */
  add(event: AccessEvent): string | undefined {
    const newer = this.#newer;
    this.#newer = event;
    this.length += 1;
    const { sequence } = event;
    const gap = missingIn(event);
    if (gap !== undefined) this.#gaps.push(gap);
    if (!isIntact(event)) return `event ${sequence} does not fit its hash`;
    if (newer === undefined) return undefined;
    if (newer.sequence === sequence + 1) {
      return newer.previousHash === event.hash
        ? undefined
        : `event ${newer.sequence} does not follow event ${sequence}`;
    }
    return this.#gapFault({ from: sequence + 1, to: newer.sequence - 1 });
  }

  /** What is wrong with the oldest event, in words, where the log begins after `trimmed`. */
  endFault(trimmed: LogTail): string | undefined {
    const first = this.#newer;
    if (first === undefined) return undefined;
    if (first.sequence > trimmed.sequence + 1) {
      return this.#gapFault({ from: trimmed.sequence + 1, to: first.sequence - 1 });
    }
    // What was trimmed since the look began is still seen.
    if (first.sequence <= trimmed.sequence) return undefined;
    return first.previousHash === trimmed.hash ? undefined : `event ${first.sequence} is not where the log begins`;
  }

  #gapFault({ from, to }: SequenceRange): string | undefined {
    return this.#gaps.some((gap) => gap.from <= from && to <= gap.to)
      ? undefined
      : `events ${from} to ${to} are missing`;
  }
}
