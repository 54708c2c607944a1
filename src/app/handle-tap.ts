// The tap flow: what a reader sees becomes one tap per presentation, the card is looked up, the decision is made, the strike
// is released, and the event is recorded. All of it is local and synchronous, unless the door is to record before it releases.
//
// 1. A tap never waits (DESIGN.md, invariant 4): no network, no disk write, no other tap stands between card and strike.
// 2. Any doubt denies (invariant 5): whatever fails here ends as a denial with a reason.

import type { AccessDecision } from '../domain/access-decision.ts';
import type { DenialReason, Direction, NewEvent } from '../domain/access-event.ts';
import { type CardNumber, type CardNumberFormat, cardNumberOfUid, isRandomUid } from '../domain/card-number.ts';
import type { Binding, CardLookup } from '../domain/credential.ts';
import type { DoorId, ReaderId } from '../domain/ids.ts';
import { IDLE_FILTER, stepTapFilter, type Tap, type TapFilterState } from '../domain/tap-filter.ts';
import { formatInstant, milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import { type Log, maskCard } from '../log.ts';
import type { CardObservation, CardReaderListener, ReaderCondition } from '../ports/card-reader.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { ReaderStatus } from '../wire/status.ts';
import type { AccessJudge } from './access-judge.ts';
import { activateCard } from './activate-card.ts';
import { type AlarmRegister, alarmDetailOf } from './alarm-register.ts';
import type { Companion, DoorController, GrantedTap } from './door-controller.ts';
import type { DoorPair } from './door-pair.ts';
import { ReaderNews } from './reader-news.ts';
import type { SerialWriter } from './serial-writer.ts';
import { grantDetail, whose } from './tap-events.ts';

/** Where a reader hangs and what it is for. */
export interface ReaderPlace {
  readonly reader: ReaderId;
  readonly direction: Direction;
  /** `access` decides at `door`; `activation` also makes pending cards active; `enrolment` opens nothing and reports the number. */
  readonly role: 'access' | 'activation' | 'enrolment';
  readonly door: DoorId | undefined;
}

export interface DoorAtReader {
  readonly controller: DoorController;
  /** The strike waits for the event to be on disk. */
  readonly recordBeforeRelease: boolean;
  /** The pair that forms at a door which nobody enters alone. Where it is missing such a door opens to nobody. */
  readonly pair?: DoorPair | undefined;
}

/** Where the record comes first: a tap that waited longer for it is not released, since the person may be gone. */
export const RECORD_LIMIT = milliseconds(3000);

/** What became of one tap. */
export type TapOutcome =
  | { readonly kind: 'granted'; readonly card: CardNumber; readonly binding: Binding; readonly door: DoorId }
  | {
      readonly kind: 'denied';
      readonly card: CardNumber | undefined;
      readonly reason: DenialReason;
      readonly detail?: string;
    }
  | { readonly kind: 'presented'; readonly card: CardNumber }
  | { readonly kind: 'activated'; readonly card: CardNumber };

interface Dependencies {
  readonly place: ReaderPlace;
  /** Undefined for an enrolment reader. */
  readonly doorAtReader: DoorAtReader | undefined;
  readonly cardNumberFormat: CardNumberFormat;
  readonly judge: Pick<AccessJudge, 'decide'>;
  readonly store: CredentialStore;
  readonly writer: SerialWriter;
  readonly alarms: Pick<AlarmRegister, 'raise'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
  /** Called with what became of each tap. Must not throw. */
  readonly onOutcome?: (outcome: TapOutcome) => void;
}

interface Judgement {
  readonly found: CardLookup;
  readonly decision: AccessDecision;
}

type Granted = Extract<AccessDecision, { kind: 'granted' }>;

/** Why a grant cannot be carried out. */
interface Obstacle {
  readonly reason: DenialReason;
  readonly detail?: string;
  readonly found?: CardLookup;
}

interface Denial {
  readonly card: CardNumber | undefined;
  readonly reason: DenialReason;
  readonly detail?: string;
  readonly found?: CardLookup;
}

export class TapHandler implements CardReaderListener {
  readonly #deps: Dependencies;
  readonly #news: ReaderNews;
  #filter: TapFilterState = IDLE_FILTER;
  #condition: ReaderCondition | undefined;
  readonly #waiting = new Set<(outcome: TapOutcome) => void>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#news = new ReaderNews({ clock: deps.clock, record: (event, detail) => this.#record({ event, detail }) });
  }

  /** As status shows it; `starting` until the reader has reported for the first time. */
  view(): ReaderStatus {
    const door = this.#deps.place.door ?? null;
    return { door, state: this.#condition?.state ?? 'starting', detail: this.#condition?.detail ?? null };
  }

  /** Fulfils with the outcome of the next tap at this reader; never once `signal` is aborted. */
  nextOutcome(signal?: AbortSignal): Promise<TapOutcome> {
    return new Promise((resolve) => {
      this.#waiting.add(resolve);
      signal?.addEventListener('abort', () => this.#waiting.delete(resolve), { once: true });
    });
  }

  /** How many wait for the next outcome. */
  get waiting(): number {
    return this.#waiting.size;
  }

  onObservation(observation: CardObservation): void {
    const { state, tap } = stepTapFilter(this.#filter, observation);
    this.#filter = state;
    if (tap !== undefined) this.#onTap(tap);
  }

  onCondition(condition: ReaderCondition): void {
    this.#condition = condition;
    const { place, log, onChange } = this.#deps;
    const { state, detail } = condition;
    if (state === 'offline') log.error({ reader: place.reader, detail }, 'reader offline');
    else log.info({ reader: place.reader, detail }, 'reader online');
    this.#news.onCondition(condition);
    onChange();
  }

  /** Records what is still to be told about the reader; to be called when it has stopped. Idempotent. */
  stop(): void {
    this.#news.stop();
  }

  #onTap(tap: Tap): void {
    if (tap.kind === 'ambiguous') return this.#deny({ card: undefined, reason: 'ambiguous-read', detail: tap.cause });
    const card = cardNumberOfUid(tap.uid, this.#deps.cardNumberFormat);
    if (card === undefined) {
      return this.#deny({ card, reason: 'ambiguous-read', detail: 'the UID has no number in the configured format' });
    }
    if (isRandomUid(tap.uid)) return this.#deny({ card, reason: 'random-uid' });
    if (this.#deps.place.role === 'enrolment') return this.#present(card);
    this.#decide(card);
  }

  #decide(card: CardNumber): void {
    const { place, doorAtReader } = this.#deps;
    const { door } = place;
    if (door === undefined || doorAtReader === undefined) return this.#deny({ card, reason: 'door-not-permitted' });
    const { controller } = doorAtReader;
    const { found, decision } = this.#judge(card, door, controller);
    const isPending = found.kind === 'live' && found.binding.activation === 'pending';
    if (isPending && place.role === 'activation') return this.#activate({ card, door, controller });
    if (decision.kind === 'denied') return this.#deny({ ...decision, card, found });
    this.#grant({ card, door, doorAtReader, decision, found });
  }

  /** What is held about the card now, and what follows from it. Whatever fails on the way is a denial. */
  #judge(card: CardNumber, door: DoorId, controller: DoorController): Judgement {
    try {
      const found = this.#deps.store.findCard(card);
      const { direction } = this.#deps.place;
      return { found, decision: this.#deps.judge.decide({ card: found, door, mode: controller.mode, direction }) };
    } catch (error) {
      const found = { kind: 'unreadable', detail: errorMessage(error) } as const;
      return { found, decision: { kind: 'denied', reason: 'store-failure' } };
    }
  }

  #grant(granted: {
    readonly card: CardNumber;
    readonly door: DoorId;
    readonly doorAtReader: DoorAtReader;
    readonly decision: Granted;
    readonly found: CardLookup;
  }): void {
    const { card, door, doorAtReader, decision, found } = granted;
    const { binding } = decision;
    const { reader, direction } = this.#deps.place;
    const companion = decision.needsSecondCard && this.#companionOf({ card, binding, door, doorAtReader });
    if (decision.needsSecondCard && companion === undefined) {
      return this.#deny({ card, reason: 'second-card-required', found });
    }
    const grant: GrantedTap = {
      reader,
      direction,
      card,
      cardholder: binding.cardholder,
      bindingRevision: binding.revision,
      overridesLockdown: binding.overridesLockdown === true,
      isExtended: binding.extendedRelease === true || companion?.isExtended === true,
      ...(companion !== undefined && { companion }),
    };
    const event = this.#event({ event: 'access-granted', ...grant, detail: grantDetail(decision, companion) });
    const outcome: TapOutcome = { kind: 'granted', card, binding, door };
    if (doorAtReader.recordBeforeRelease) {
      void this.#recordThenRelease({ event, grant, outcome, door, controller: doorAtReader.controller });
      return;
    }
    const obstacle = this.#release(grant);
    if (obstacle !== undefined) return this.#deny({ card, ...obstacle });
    this.#deps.writer.record(event);
    this.#conclude(outcome);
  }

  /** Who came first, where this card completes a pair; judged again, since a moment has passed. */
  #companionOf(second: {
    readonly card: CardNumber;
    readonly binding: Binding;
    readonly door: DoorId;
    readonly doorAtReader: DoorAtReader;
  }): Companion | undefined {
    const { card, binding, door, doorAtReader } = second;
    const tap = { card, cardholder: binding.cardholder, at: this.#deps.clock.monotonic() };
    return doorAtReader.pair?.complete(tap, (first) => this.#stillGranted(first, door, doorAtReader.controller));
  }

  #stillGranted(
    { card, cardholder }: Pick<Companion, 'card' | 'cardholder'>,
    door: DoorId,
    controller: DoorController,
  ): Companion | undefined {
    const { decision } = this.#judge(card, door, controller);
    if (decision.kind === 'denied' || decision.binding.cardholder !== cardholder) return undefined;
    const isExtended = decision.binding.extendedRelease === true;
    return { card, cardholder, isExtended, isPassback: decision.isPassback === true };
  }

  async #recordThenRelease(granted: {
    readonly event: NewEvent;
    readonly grant: GrantedTap;
    readonly outcome: TapOutcome;
    readonly door: DoorId;
    readonly controller: DoorController;
  }): Promise<void> {
    const { event, grant, outcome, door, controller } = granted;
    const { clock } = this.#deps;
    const tappedAt = clock.monotonic();
    try {
      await this.#deps.writer.write((tx) => tx.append(event));
    } catch (error) {
      return this.#deny({ card: grant.card, reason: 'store-failure', detail: errorMessage(error) });
    }
    if (clock.monotonic() - tappedAt > RECORD_LIMIT) {
      return this.#withdraw(grant, { reason: 'store-failure', detail: 'the record took too long' });
    }
    // The card may have been revoked in the same batch, or the door blocked.
    const { found, decision } = this.#judge(grant.card, door, controller);
    if (decision.kind === 'denied') return this.#withdraw(grant, { ...decision, found });
    if (grant.companion !== undefined && this.#stillGranted(grant.companion, door, controller) === undefined) {
      return this.#withdraw(grant, { reason: 'second-card-required' });
    }
    const obstacle = this.#release(grant);
    if (obstacle !== undefined) return this.#withdraw(grant, obstacle);
    this.#conclude(outcome);
  }

  /** Releases the strike; returns what stands in the way of it. */
  #release(grant: GrantedTap): Obstacle | undefined {
    const released = this.#deps.doorAtReader?.controller.releaseFor(grant);
    if (released?.kind === 'released') return undefined;
    if (released?.kind === 'refused' && released.mode === 'lockdown') return { reason: 'lockdown' };
    return { reason: 'door-blocked', ...(released?.kind === 'failed' && { detail: `strike: ${released.detail}` }) };
  }

  /**
   * A grant that is in the log and cannot be carried out. The log must not hold a grant and a denial of one tap: it says that
   * the grant was not taken, as when nobody opens the door, but with a reason. To the person at the door it is a denial.
   */
  #withdraw(grant: GrantedTap, { reason, detail, found }: Obstacle): void {
    const { card } = grant;
    const alarm = this.#alarm({ card, reason, found });
    this.#record({ event: 'access-not-taken', ...grant, reason, detail: alarm ?? detail });
    this.#conclude({ kind: 'denied', card, reason, ...(detail !== undefined && { detail }) });
  }

  #deny(denial: Denial): void {
    const { card, reason, detail, found } = denial;
    const alarm = this.#alarm({ card, reason, found });
    this.#record({ event: 'access-denied', card, reason, detail: alarm ?? detail, ...whose(found) });
    this.#conclude({ kind: 'denied', card, reason, ...(detail !== undefined && { detail }) });
  }

  /** A card that is held by somebody who should not have it is more than a denial. */
  #alarm({ card, reason, found }: Pick<Denial, 'card' | 'reason'> & { readonly found: CardLookup | undefined }) {
    const detail = alarmDetailOf(found);
    if (detail === undefined || card === undefined) return undefined;
    const { alarms, clock, place } = this.#deps;
    alarms.raise({ card, reason, reader: place.reader, time: formatInstant(clock.now()) });
    return detail;
  }

  #present(card: CardNumber): void {
    this.#record({ event: 'card-presented', card });
    this.#conclude({ kind: 'presented', card });
  }

  #activate(tap: { readonly card: CardNumber; readonly door: DoorId; readonly controller: DoorController }): void {
    const { log, place } = this.#deps;
    const { card } = tap;
    const eventOf = (found: CardLookup): NewEvent => this.#event({ event: 'card-activated', card, ...whose(found) });
    void activateCard(this.#deps, { ...tap, eventOf }).then(
      (denial) => {
        if (denial === undefined) this.#conclude({ kind: 'activated', card });
        else this.#deny(denial);
      },
      (error: unknown) => {
        log.error({ reader: place.reader, err: errorMessage(error) }, 'activation could not be stored');
        this.#deny({ card, reason: 'store-failure', detail: errorMessage(error) });
      },
    );
  }

  #conclude(outcome: TapOutcome): void {
    const { place, log } = this.#deps;
    const { reader, door } = place;
    const card = outcome.card === undefined ? undefined : maskCard(outcome.card);
    if (outcome.kind === 'denied') log.info({ reader, door, card, reason: outcome.reason }, 'access denied');
    else log.info({ reader, door, card }, LOG_MESSAGES[outcome.kind]);
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const resolve of waiting) resolve(outcome);
    this.#deps.onOutcome?.(outcome);
  }

  #record(event: Pick<NewEvent, 'event'> & Partial<NewEvent>): void {
    this.#deps.writer.record(this.#event(event));
  }

  #event(event: Pick<NewEvent, 'event'> & Partial<NewEvent>): NewEvent {
    const { clock, place } = this.#deps;
    const { door, reader, direction } = place;
    return { at: clock.now(), clockSynchronized: clock.isSynchronized(), door, reader, direction, ...event };
  }
}

const LOG_MESSAGES = { granted: 'access granted', presented: 'card presented', activated: 'card activated' } as const;
