// What each card was seen doing: the first granted tap at each door since it was bound, and its latest taps. Kept with the events
// that tell it, in one batch, and read from the store for the cards that somebody asks about.

import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import { KEPT_TAPS, sequenceKey, type Tap, toJson, type Usage, usageRecord } from './records.ts';

/** An event of a gateway, as far as it says something of a card. */
export interface CardEvent {
  readonly gateway: string;
  readonly sequence: number;
  readonly event: string;
  readonly time: string;
  /** The gateway knew the time; if not, `time` is a guess. */
  readonly isTimeKnown: boolean;
  readonly door: string | null;
  readonly reader: string | null;
  readonly card: string | null;
  readonly bindingRevision: number | null;
  readonly reason: string | null;
}

const TAPS: readonly string[] = ['access-granted', 'access-denied', 'access-not-taken', 'card-activated'];

export const eventKey = ({ gateway, sequence }: Pick<CardEvent, 'gateway' | 'sequence'>): string =>
  `${gateway}/${sequenceKey(sequence)}`;

/** `before`, and what the event adds; the same where it was counted already. */
export const usageAfter = (before: Usage | undefined, event: CardEvent): Usage | undefined => {
  const { card, gateway, sequence, door, time, reason, bindingRevision } = event;
  if (card === null || !TAPS.includes(event.event)) return before;
  if (before?.taps.some((tap) => tap.gateway === gateway && tap.sequence === sequence) === true) return before;
  const tap: Tap = { gateway, sequence, door, time, event: event.event, reason };
  const isGranted = event.event === 'access-granted';
  // A new binding of the card begins anew; what comes late of an earlier one does not count for it.
  const isLate = (before?.bindingRevision ?? 0) > (bindingRevision ?? 0);
  const isSame = before?.bindingRevision === bindingRevision;
  const granted = isSame || isLate ? (before?.granted ?? {}) : {};
  const counts = isGranted && !isLate && bindingRevision !== null;
  const lastGranted = isGranted ? later(before?.lastGranted, tap) : before?.lastGranted;
  return {
    card,
    bindingRevision: counts ? bindingRevision : (before?.bindingRevision ?? null),
    granted: counts ? withTap(granted, tap) : (before?.granted ?? {}),
    ...(lastGranted !== undefined && { lastGranted }),
    ...activationOf(before, event),
    taps: [tap, ...(before?.taps ?? [])].sort(newestFirst).slice(0, KEPT_TAPS),
  };
};

/** Which binding was activated last at a reader. */
const activationOf = (before: Usage | undefined, { event, bindingRevision }: CardEvent) => {
  const activated = event === 'card-activated' ? bindingRevision : null;
  const revision = Math.max(before?.activatedRevision ?? 0, activated ?? 0);
  return revision === 0 ? {} : { activatedRevision: revision };
};

const withTap = (granted: Usage['granted'], tap: Tap): Usage['granted'] => {
  if (tap.door === null) return granted;
  const key = grantedKey(tap.gateway, tap.door);
  return { ...granted, [key]: granted[key] ?? tap };
};

/** Two gateways may each have a door of that name. */
export const grantedKey = (gateway: string, door: string): string => `${gateway}/${door}`;

/** Taps of one moment, too, have an order, whenever they arrive. */
const newestFirst = (one: Tap, other: Tap): number =>
  Date.parse(other.time) - Date.parse(one.time) ||
  other.sequence - one.sequence ||
  (one.gateway < other.gateway ? -1 : 1);

const later = (one: Tap | undefined, other: Tap): Tap =>
  one !== undefined && Date.parse(one.time) >= Date.parse(other.time) ? one : other;

export class UsageBook {
  readonly #store: DeskStore;

  constructor(store: DeskStore) {
    this.#store = store;
  }

  async find(card: string): Promise<Usage | undefined> {
    // One that cannot be read is worth less than the events that wait behind it.
    return usageRecord.safeParse(await this.#store.read('usage', card)).data;
  }

  /** For all cards that are named; those without any are left out. */
  async findAll(cards: Iterable<string>): Promise<ReadonlyMap<string, Usage>> {
    const found = new Map<string, Usage>();
    for (const card of new Set(cards)) {
      const usage = await this.find(card);
      if (usage !== undefined) found.set(card, usage);
    }
    return found;
  }

  /** What events that are stored now say of cards. To be written with them, before the next events are looked at. */
  async putsFor(events: readonly CardEvent[]): Promise<readonly DeskPut[]> {
    const changed = new Map<string, Usage>();
    for (const event of events) {
      if (event.card === null || !TAPS.includes(event.event)) continue;
      const after = usageAfter(changed.get(event.card) ?? (await this.find(event.card)), event);
      if (after !== undefined) changed.set(event.card, after);
    }
    return [...changed].map(([card, usage]) => ({ kind: 'usage', key: card, value: toJson(usage) }));
  }
}
