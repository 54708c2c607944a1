// Whether a log is what was recorded: one record after the other is held against those before it. Pure, and of constant size
// however long the log is. Names the first record that is wrong.
//
// What it cannot see by itself: a log that was forged and hashed anew from some record on, which takes a signed checkpoint, and
// one whose end was cut off, which takes a checkpoint that was kept elsewhere (cli/log-verifier.ts).

import { type AccessEvent, EMPTY_LOG, type EventName, isIntact, type LogTail, memberOf } from './access-event.ts';

export type LogFaultKind =
  /** The record does not fit its own hash. */
  | 'altered'
  /** Numbers are not there, and nothing in the log says why. */
  | 'missing'
  | 'out-of-order'
  /** It was not recorded after the one before it: the one or the other was replaced. */
  | 'wrong-previous'
  /** It does not open or does not decode. */
  | 'unreadable'
  /** A checkpoint says otherwise. */
  | 'contradicted'
  /** The log does not reach a checkpoint that was kept elsewhere. */
  | 'truncated'
  /** A checkpoint that is not signed with one of the keys, or whose signature is wrong. */
  | 'not-signed'
  /** It is of another gateway. */
  | 'foreign';

export interface LogFault {
  readonly kind: LogFaultKind;
  /** The first record that is wrong, or the number that it should have. */
  readonly sequence: number;
  /** For a person. */
  readonly message: string;
}

/** Sequence numbers from `from` to `to`, both included. */
export interface SequenceRange {
  readonly from: number;
  readonly to: number;
}

/** A record, or what stands in its place. */
export type LogItem =
  /** Ahead of the first record, from who knows with which number the log begins. */
  | { readonly kind: 'beginning'; readonly sequence: number }
  | { readonly kind: 'record'; readonly event: AccessEvent }
  | { readonly kind: 'unreadable'; readonly sequence: number | undefined; readonly detail: string };

/** What is known after so many records. */
export interface ChainState {
  readonly records: number;
  /** The number that the first record has to have; undefined where nobody knows. */
  readonly beginning: number | undefined;
  /** The first record that was seen; nothing is said of what was before it. */
  readonly first: number | undefined;
  readonly last: LogTail | undefined;
  readonly gateway: string | undefined;
  /** Numbers that are gone for good, as the log itself says; the last of them, and how many such gaps there were. */
  readonly gap: SequenceRange | undefined;
  readonly gaps: number;
  /** From the first to the last number that nothing has accounted for yet. */
  readonly hole: SequenceRange | undefined;
  /** The first fault; nothing is looked at after it. */
  readonly fault: LogFault | undefined;
}

export const CHAIN_START: ChainState = {
  records: 0,
  beginning: undefined,
  first: undefined,
  last: undefined,
  gateway: undefined,
  gap: undefined,
  gaps: 0,
  hole: undefined,
  fault: undefined,
};

/** Events that may say that numbers are gone for good, as `detail.missing`. */
const GAP_EVENTS: readonly EventName[] = ['store-damaged', 'store-restored'];

/** The next record of the log, in the order in which the log gives them. */
export const checkItem = (state: ChainState, item: LogItem): ChainState => {
  if (state.fault !== undefined) return state;
  if (item.kind === 'beginning') return { ...state, beginning: item.sequence };
  if (item.kind === 'record') return checkEvent(state, item.event);
  const sequence = item.sequence ?? nextOf(state) ?? 1;
  const before = sequence > (nextOf(state) ?? sequence) ? holeBefore(state, sequence) : state;
  return failChain(before, {
    kind: 'unreadable',
    sequence,
    message: `record ${sequence} cannot be read: ${item.detail}`,
  });
};

/** At the end of the log: what nothing has accounted for is missing. */
export const finishChain = (state: ChainState): ChainState =>
  state.fault === undefined && state.hole !== undefined ? { ...state, fault: missing(state.hole) } : state;

const checkEvent = (state: ChainState, event: AccessEvent): ChainState => {
  const fault = faultOf(state, event);
  if (fault !== undefined) return failChain(state, fault);
  const { sequence, hash } = event;
  const next = nextOf(state);
  const widened = next !== undefined && sequence > next ? holeBefore(state, sequence) : state;
  const settled = settle(widened, missingIn(event));
  return {
    ...settled,
    records: state.records + 1,
    first: state.first ?? sequence,
    last: { sequence, hash },
    gateway: event.gateway,
  };
};

const faultOf = (state: ChainState, event: AccessEvent): LogFault | undefined => {
  const { sequence } = event;
  const next = nextOf(state);
  if (!isWhole(event)) {
    const place = next ?? sequence;
    const claim = place === sequence ? '' : `, which says that it is number ${sequence},`;
    return {
      kind: 'altered',
      sequence: place,
      message: `record ${place}${claim} does not fit its hash: it was altered`,
    };
  }
  if (state.gateway !== undefined && state.gateway !== event.gateway) {
    const message = `record ${sequence} is of gateway ${event.gateway}, those before it are of ${state.gateway}`;
    return { kind: 'foreign', sequence, message };
  }
  if (next !== undefined && sequence < next) return misplaced(state, sequence, next);
  return previousFault(state, event) ?? checkpointFault(event);
};

/** A record that nests deeper than the program can follow was not made by a gateway. */
const isWhole = (event: AccessEvent): boolean => {
  try {
    return isIntact(event);
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
};

const misplaced = ({ hole }: ChainState, sequence: number, next: number): LogFault => {
  const isSwapped = hole !== undefined && sequence >= hole.from && sequence <= hole.to;
  const first = isSwapped ? hole.from : sequence;
  return {
    kind: 'out-of-order',
    sequence: first,
    message: isSwapped
      ? `record ${hole.to + 1} stands before record ${sequence}`
      : `record ${sequence} comes again, or too late: it stands after record ${next - 1}`,
  };
};

const previousFault = ({ last }: ChainState, event: AccessEvent): LogFault | undefined => {
  const { sequence, previousHash } = event;
  const wrong = (message: string): LogFault => ({ kind: 'wrong-previous', sequence, message });
  if (last === undefined) {
    if (sequence !== 1 || previousHash === EMPTY_LOG.hash) return undefined;
    return wrong('record 1 says that there was one before it');
  }
  if (previousHash === last.hash) return undefined;
  if (sequence === last.sequence + 1) {
    return wrong(`record ${sequence} does not follow record ${last.sequence}: the one or the other was replaced`);
  }
  // After numbers that are gone, what the record followed can be told only where the gap is declared by the record itself.
  const declared = missingIn(event);
  return declared !== undefined && covers(declared, { from: last.sequence + 1, to: sequence - 1 })
    ? wrong(`record ${sequence} does not follow record ${last.sequence}, the last one before the gap`)
    : undefined;
};

/** A checkpoint vouches for everything before it. */
const checkpointFault = ({ event, sequence, previousHash, detail }: AccessEvent): LogFault | undefined => {
  if (event !== 'checkpoint') return undefined;
  if (memberOf(detail, 'upTo') === sequence - 1 && memberOf(detail, 'hash') === previousHash) return undefined;
  const message = `the checkpoint in record ${sequence} does not vouch for the records before it`;
  return { kind: 'contradicted', sequence, message };
};

const nextOf = ({ beginning, last }: ChainState): number | undefined =>
  last === undefined ? beginning : last.sequence + 1;

const holeBefore = (state: ChainState, sequence: number): ChainState => ({
  ...state,
  hole: { from: state.hole?.from ?? nextOf(state) ?? sequence, to: sequence - 1 },
});

/** The log says itself which numbers are gone, in the record after them or later. */
const settle = (state: ChainState, declared: SequenceRange | undefined): ChainState => {
  const { hole } = state;
  if (hole === undefined || declared === undefined || !covers(declared, hole)) return state;
  return { ...state, hole: undefined, gap: hole, gaps: state.gaps + 1 };
};

/** Numbers that the event says are gone for good. */
export const missingIn = ({ event, detail }: AccessEvent): SequenceRange | undefined => {
  if (!GAP_EVENTS.includes(event)) return undefined;
  const range = memberOf(detail, 'missing') ?? null;
  const [from, to] = [memberOf(range, 'from'), memberOf(range, 'to')];
  return typeof from === 'number' && typeof to === 'number' ? { from, to } : undefined;
};

const covers = (outer: SequenceRange, inner: SequenceRange): boolean =>
  outer.from <= inner.from && inner.to <= outer.to;

/** Ends with a fault that was found otherwise. A hole before it comes first, unless the fault is what the hole turned out to be. */
export const failChain = (state: ChainState, fault: LogFault): ChainState => {
  const { hole } = state;
  const isFirst = hole === undefined || (fault.kind === 'out-of-order' && fault.sequence === hole.from);
  return { ...state, fault: isFirst ? fault : missing(hole) };
};

const missing = ({ from, to }: SequenceRange): LogFault => ({
  kind: 'missing',
  sequence: from,
  message: from === to ? `record ${from} is missing` : `records are missing between ${from} and ${to}, both included`,
});

/** Parsed JSON as a record; undefined for what is none. Whether it is genuine is for checkItem(). */
export const eventFrom = (value: unknown): AccessEvent | undefined => (isEvent(value) ? value : undefined);

const isEvent = (value: unknown): value is AccessEvent =>
  typeof value === 'object' &&
  value !== null &&
  'type' in value &&
  value.type === 'event' &&
  'sequence' in value &&
  Number.isSafeInteger(value.sequence) &&
  Number(value.sequence) >= 1 &&
  TEXTS.every((name) => typeof Reflect.get(value, name) === 'string');

const TEXTS = ['gateway', 'event', 'time', 'hash', 'previousHash'] as const satisfies readonly (keyof AccessEvent)[];
