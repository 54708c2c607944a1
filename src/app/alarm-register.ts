// Lost, stolen and replaced cards that were held to a reader: what status says of them until a technician has seen to it.
//
// 1. Bounded: the MOST_ALARMS cards that were held last. A card is forgotten when a technician clears the alarms, when HR binds it
//    anew, and ALARM_LIFE after it was held last; the events of its taps stay.
// 2. Outlives a restart, as far as the last RESTORED_EVENTS of the log tell of it.

import { type AccessEvent, memberOf } from '../domain/access-event.ts';
import type { CardNumber } from '../domain/card-number.ts';
import type { CardLookup, Origin, RevocationReason } from '../domain/credential.ts';
import type { ReaderId } from '../domain/ids.ts';
import { formatInstant, type MonotonicTime, milliseconds, monotonicTime } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import { type Log, maskCard } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { EventLog } from '../ports/event-log.ts';
import { numberBefore } from './log-count.ts';
import { readSlots } from './read-log.ts';

export const MOST_ALARMS = 20;
export const ALARM_LIFE = milliseconds(24 * 3_600_000);
export const RESTORED_EVENTS = 1000;

/** Cards that somebody holds who should not: they were taken, or found, or kept when another was handed out. */
const ALARMING: readonly RevocationReason[] = ['lost', 'stolen', 'replaced'];

/** `action` of the event that says that a technician has seen the alarms. */
export const CLEAR_ALARMS = 'clear-alarms';

/** What the event of the tap carries as `detail`. */
export type AlarmDetail = {
  readonly alarm: true;
  /** The message that retired the card. */
  readonly retiredBy: { readonly messageId: string; readonly revision: number; readonly appliedAt: string };
};

/** The detail of a tap of this card; undefined for a card that raises no alarm. */
export const alarmDetailOf = (found: CardLookup | undefined): AlarmDetail | undefined => {
  if (found?.kind !== 'retired' || !ALARMING.includes(found.tombstone.reason)) return undefined;
  return { alarm: true, retiredBy: originDetail(found.tombstone.origin) };
};

const originDetail = ({ messageId, revision, appliedAt }: Origin): AlarmDetail['retiredBy'] => ({
  messageId,
  revision,
  appliedAt: formatInstant(appliedAt),
});

/** A tap that raises an alarm, as its event tells of it. */
export interface AlarmingTap {
  readonly card: CardNumber;
  /** As the person at the door was told. */
  readonly reason: string;
  readonly reader: ReaderId;
  /** RFC 3339. */
  readonly time: string;
}

/** A card that was held to readers; each further tap makes another of it. */
export interface CardAlarm extends AlarmingTap {
  readonly times: number;
  readonly since: MonotonicTime;
}

interface Dependencies {
  readonly store: Pick<CredentialStore, 'findCard'> & Pick<EventLog, 'tail' | 'gap' | 'entriesAfter'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

export class AlarmRegister {
  readonly #deps: Dependencies;
  /** In the order of their last taps. */
  readonly #alarms = new Map<CardNumber, CardAlarm>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  raise(tap: AlarmingTap): void {
    const { clock, log, onChange } = this.#deps;
    this.#keep(tap, clock.monotonic());
    log.warn(
      { reader: tap.reader, card: maskCard(tap.card), reason: tap.reason },
      'a retired card was held to a reader',
    );
    onChange();
  }

  /** The alarms that stand, the oldest first. */
  standing(): readonly CardAlarm[] {
    const { store, clock } = this.#deps;
    for (const [card, { since }] of this.#alarms) {
      const isOver = clock.monotonic() - since >= ALARM_LIFE;
      if (isOver || store.findCard(card).kind === 'live') this.#alarms.delete(card);
    }
    return [...this.#alarms.values()];
  }

  /** In words, as status shows them. */
  lines(): readonly string[] {
    return this.standing().map(({ card, reason, reader, time, times }) => {
      const often = times === 1 ? '' : `, ${times} times`;
      return `card ${maskCard(card)} (${reason}) was held to ${reader} at ${time}${often}`;
    });
  }

  /** Forgets alarms that somebody has seen; one that was raised again since then stays. */
  clear(seen: readonly CardAlarm[]): void {
    for (const alarm of seen) if (this.#alarms.get(alarm.card) === alarm) this.#alarms.delete(alarm.card);
    this.#deps.onChange();
  }

  /** Takes up what stood when the gateway stopped. Never rejects: a log that cannot be read costs the alarms of the past only. */
  async restore(): Promise<void> {
    const { store, log } = this.#deps;
    try {
      const after = Math.max(0, numberBefore(store, RESTORED_EVENTS));
      for (const { entry } of await readSlots(store, after, RESTORED_EVENTS)) if (entry) this.#replay(entry.event);
    } catch (error) {
      log.warn({ err: errorMessage(error) }, 'alarms from before the start could not be read');
    }
  }

  #replay(event: AccessEvent): void {
    const { clock } = this.#deps;
    if (isClearing(event)) this.#alarms.clear();
    const { card, reader, reason, time } = event;
    if (isBinding(event) && card !== null) this.#alarms.delete(card);
    if (!isAlarm(event) || card === null || reader === null || reason === null) return;
    const isDated = event.clockSynchronized && clock.isSynchronized();
    // An event whose time is a guess may be from just now.
    const age = isDated ? Math.max(0, clock.now() - Date.parse(time)) : 0;
    this.#keep({ card, reason, reader, time }, monotonicTime(clock.monotonic() - age));
  }

  #keep({ card, reason, reader, time }: AlarmingTap, since: MonotonicTime): void {
    const times = (this.#alarms.get(card)?.times ?? 0) + 1;
    this.#alarms.delete(card);
    this.#alarms.set(card, { card, reason, reader, time, times, since });
    const [oldest] = this.#alarms.keys();
    if (this.#alarms.size > MOST_ALARMS && oldest !== undefined) this.#alarms.delete(oldest);
  }
}

const isAlarm = ({ detail }: AccessEvent): boolean => memberOf(detail, 'alarm') === true;

const isClearing = ({ event, detail }: AccessEvent): boolean =>
  event === 'operator-action' && memberOf(detail, 'action') === CLEAR_ALARMS;

/** HR bound the card anew: what became of it afterwards is another story. */
const isBinding = ({ event, detail }: AccessEvent): boolean =>
  event === 'card-change' &&
  memberOf(detail, 'messageType') === 'card-bound' &&
  memberOf(detail, 'result') === 'applied';
