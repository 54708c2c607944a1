// Whether a card opens a door, asked by the tap flow, by receipts and by the technician's line: one answer for all of them.

import { type AccessDecision, decideAccess } from '../domain/access-decision.ts';
import type { CardLookup } from '../domain/credential.ts';
import type { DoorMode } from '../domain/door-mode.ts';
import type { DoorId } from '../domain/ids.ts';
import { type LocalClock, UTC } from '../domain/local-time.ts';
import type { AccessRules, WallClock } from '../domain/schedule.ts';
import type { Instant } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { RosterFreshness } from './roster-freshness.ts';

interface Dependencies {
  readonly rules: AccessRules;
  readonly freshness: Pick<RosterFreshness, 'isDenying'>;
  readonly clock: Clock;
  /** What the clock on the wall shows at each door; UTC for one that is not named. */
  readonly localClocks: ReadonlyMap<DoorId, LocalClock>;
  /** What becomes of windows while the clock is a guess: they are closed, or judged by the guess. */
  readonly untrustedPolicy: 'deny-windowed' | 'allow';
}

export interface JudgeQuestion {
  readonly card: CardLookup;
  readonly door: DoorId;
  readonly mode: DoorMode;
  /** Judged as if the clock were right then; now, where it is left out. */
  readonly at?: Instant | undefined;
}

export class AccessJudge {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  get rules(): AccessRules {
    return this.#deps.rules;
  }

  decide({ card, door, mode, at }: JudgeQuestion): AccessDecision {
    const { rules, freshness, clock } = this.#deps;
    return decideAccess({
      card,
      door,
      mode,
      now: at ?? clock.now(),
      wall: this.wallClock(door, at),
      isRosterStale: freshness.isDenying(),
      rules,
    });
  }

  /** The clock on the wall at a door, now or at a moment that is asked about. */
  wallClock(door: DoorId, at?: Instant): WallClock {
    const { clock, localClocks, untrustedPolicy } = this.#deps;
    const isTrusted = at !== undefined || untrustedPolicy === 'allow' || clock.isSynchronized();
    return { local: (localClocks.get(door) ?? UTC)(at ?? clock.now()), isTrusted };
  }
}
