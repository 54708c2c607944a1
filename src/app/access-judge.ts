// Whether a card opens a door, asked by the tap flow, by receipts and by the technician's line: one answer for all of them.

import { type AccessDecision, decideAccess } from '../domain/access-decision.ts';
import type { Direction } from '../domain/access-event.ts';
import type { CardLookup } from '../domain/credential.ts';
import { type DoorMode, isOpenMode } from '../domain/door-mode.ts';
import type { DoorId } from '../domain/ids.ts';
import { type LocalClock, UTC } from '../domain/local-time.ts';
import type { AccessRules, UntrustedPolicy, WallClock } from '../domain/schedule.ts';
import type { Instant } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { PassageBook } from './passage-book.ts';
import type { RosterFreshness } from './roster-freshness.ts';
import type { StoreTrust } from './store-trust.ts';

interface Dependencies {
  readonly rules: AccessRules;
  readonly freshness: Pick<RosterFreshness, 'isDenying'>;
  readonly storeTrust: Pick<StoreTrust, 'believable'>;
  readonly clock: Clock;
  /** What the clock on the wall shows at each door; UTC for one that is not named. */
  readonly localClocks: ReadonlyMap<DoorId, LocalClock>;
  readonly untrustedPolicy: UntrustedPolicy;
  readonly passages: Pick<PassageBook, 'judge'>;
  /** There is no room to record that somebody was let in. */
  readonly isLogFull: () => boolean;
  /** Doors that nobody enters alone. */
  readonly twoPersonDoors: ReadonlySet<DoorId>;
}

export interface JudgeQuestion {
  readonly card: CardLookup;
  readonly door: DoorId;
  readonly mode: DoorMode;
  /**
   * Which way the person goes. Left out where only the rights of the card are asked for: then it is not judged where the person
   * is, as of now even for another moment, nor whether a second card is needed.
   */
  readonly direction?: Direction | undefined;
  /** Judged as if the clock were right then; now, where it is left out. */
  readonly at?: Instant | undefined;
}

const LOG_FULL: AccessDecision = { kind: 'denied', reason: 'store-failure', detail: 'the log is full' };

export class AccessJudge {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  get rules(): AccessRules {
    return this.#deps.rules;
  }

  decide({ card, door, mode, direction, at }: JudgeQuestion): AccessDecision {
    const { rules, freshness, storeTrust, isLogFull, clock } = this.#deps;
    const decision = decideAccess({
      card: storeTrust.believable(card),
      door,
      mode,
      now: at ?? clock.now(),
      wall: this.wallClock(door, at),
      isRosterStale: freshness.isDenying(),
      rules,
    });
    if (decision.kind === 'granted' && isLogFull()) return LOG_FULL;
    if (decision.kind === 'denied' || direction === undefined) return decision;
    return this.#onTheWay(decision, { door, mode, direction });
  }

  /** What else stands between a card that opens the door and its holder's going through it that way. */
  #onTheWay(
    granted: Extract<AccessDecision, { kind: 'granted' }>,
    { door, mode, direction }: { readonly door: DoorId; readonly mode: DoorMode; readonly direction: Direction },
  ): AccessDecision {
    const { passages, twoPersonDoors } = this.#deps;
    const passback = passages.judge({ door, direction, cardholder: granted.binding.cardholder });
    if (passback === 'denied') return { kind: 'denied', reason: 'passback' };
    const isForTwo = direction === 'in' && twoPersonDoors.has(door) && !isOpenMode(mode);
    return {
      ...granted,
      ...(passback === 'noted' && { isPassback: true }),
      ...(isForTwo && { needsSecondCard: true }),
    };
  }

  /** The clock on the wall at a door, now or at a moment that is asked about. */
  wallClock(door: DoorId, at?: Instant): WallClock {
    const { clock, localClocks, untrustedPolicy } = this.#deps;
    const isTrusted = at !== undefined || untrustedPolicy === 'allow' || clock.isSynchronized();
    return { local: (localClocks.get(door) ?? UTC)(at ?? clock.now()), isTrusted };
  }
}
