// The events of all gateways in the order of time, from the desk's store. A gateway's own are in the order of their numbers; where its
// clock was not set, an event has the time of the one before it.

import type { JsonValue } from '../domain/canonical-json.ts';
import type { Instant } from '../domain/units.ts';
import type { DeskStore } from '../ports/desk-store.ts';
import { sequenceKey } from './records.ts';
import { turnOfOthers } from './turn-of-others.ts';
import { eventKey } from './usage-book.ts';

export interface MergedEvent {
  readonly gateway: string;
  readonly sequence: number;
  /** Milliseconds since 1970, for the order. */
  readonly at: number;
  readonly value: JsonValue;
}

export interface EventWindow {
  /** Events before it may be left out. */
  readonly from: Instant | undefined;
  /** Events after it may be left out. */
  readonly to: Instant | undefined;
  readonly names: readonly string[];
}

type EventStore = Pick<DeskStore, 'entries' | 'keys'>;

/** Events that are looked at in one go. */
const SLICE = 200;
/** As close as a time is looked for in a gateway's log. */
const CLOSE = 256;
/** Among so many events in a row one has its time. */
const LOOKED_AT = 32;

export async function* mergedEvents(store: EventStore, window: EventWindow): AsyncGenerator<MergedEvent> {
  const heads: Head[] = [];
  try {
    for (const gateway of await gatewaysIn(store)) {
      const events = eventsOf(store, gateway, window);
      heads.push({ events, next: await events.next() });
    }
    for (let head = earliest(heads); head !== undefined; head = earliest(heads)) {
      const { value } = head.next;
      if (value !== undefined) yield value;
      head.next = await head.events.next();
    }
  } finally {
    for (const { events } of heads) await events.return(undefined);
  }
}

interface Head {
  readonly events: AsyncGenerator<MergedEvent, undefined>;
  next: IteratorResult<MergedEvent, undefined>;
}

const earliest = (heads: readonly Head[]): Head | undefined => {
  let first: Head | undefined;
  for (const head of heads) {
    const { value } = head.next;
    if (value !== undefined && value.at < (first?.next.value?.at ?? Number.POSITIVE_INFINITY)) first = head;
  }
  return first;
};

/** Every gateway of which there is an event. */
const gatewaysIn = async (store: EventStore): Promise<readonly string[]> => {
  const gateways: string[] = [];
  let from: string | undefined = '';
  while (from !== undefined) {
    const range: { readonly from: string; readonly limit: number } = { from, limit: 1 };
    from = undefined;
    for await (const key of store.keys('event', range)) {
      const [gateway = ''] = key.split('/', 1);
      gateways.push(gateway);
      from = `${gateway}0`;
    }
  }
  return gateways;
};

async function* eventsOf(
  store: EventStore,
  gateway: string,
  { from, to, names }: EventWindow,
): AsyncGenerator<MergedEvent, undefined> {
  const first = from === undefined ? undefined : (await placeOf(store, gateway, from)).before;
  const last = to === undefined ? undefined : (await placeOf(store, gateway, to)).behind;
  const range = {
    from: first === undefined ? `${gateway}/` : eventKey({ gateway, sequence: first }),
    to: last === undefined ? `${gateway}0` : eventKey({ gateway, sequence: last }),
  };
  let at = 0;
  let count = 0;
  for await (const [key, value] of store.entries('event', range)) {
    count += 1;
    if (count % SLICE === 0) await turnOfOthers();
    const { event } = Object(value);
    at = timeOf(value) ?? at;
    if (names.includes(event)) yield { gateway, sequence: numberOf(key), at, value };
  }
  return undefined;
}

/**
 * Numbers of events between which the time lies: what is below `before` is earlier, what is from `behind` on is not. By halves, as a
 * clock that is set does not go back by a day.
 */
const placeOf = async (
  store: EventStore,
  gateway: string,
  time: Instant,
): Promise<{ readonly before: number; readonly behind: number }> => {
  let before = 0;
  let behind = (await lastNumber(store, gateway)) + 1;
  // Where no event has its time, neither end can be moved by what is there.
  let low = before;
  let high = behind;
  while (high - low > CLOSE) {
    const middle = Math.floor((low + high) / 2);
    const found = await timedFrom(store, gateway, middle);
    if (found === undefined) {
      high = middle;
    } else if (found.at < time) {
      before = found.sequence;
      low = Math.max(found.sequence, middle);
    } else {
      behind = Math.min(behind, found.sequence);
      high = middle;
    }
  }
  return { before, behind };
};

/** The first event from that number on that has its time, among those that follow it closely. */
const timedFrom = async (
  store: EventStore,
  gateway: string,
  sequence: number,
): Promise<{ readonly sequence: number; readonly at: number } | undefined> => {
  const range = { from: eventKey({ gateway, sequence }), to: `${gateway}0`, limit: LOOKED_AT };
  for await (const [key, value] of store.entries('event', range)) {
    const at = timeOf(value);
    if (at !== undefined) return { sequence: numberOf(key), at };
  }
  return undefined;
};

const lastNumber = async (store: EventStore, gateway: string): Promise<number> => {
  const range = { from: `${gateway}/`, to: `${gateway}0`, isReversed: true, limit: 1 };
  for await (const key of store.keys('event', range)) return numberOf(key);
  return 0;
};

/** Undefined where the gateway's clock was not set. */
const timeOf = (value: JsonValue): number | undefined => {
  const { time, clockSynchronized } = Object(value);
  const at = clockSynchronized === true ? Date.parse(time) : Number.NaN;
  return Number.isNaN(at) ? undefined : at;
};

const numberOf = (key: string): number => Number(key.slice(-sequenceKey(0).length));
