// Would this card open this door, why, from which message, and how fresh is what we know? The same decision as at the door.

import type { AccessDecision } from '../domain/access-decision.ts';
import type { Direction } from '../domain/access-event.ts';
import { type CardNumber, type CardNumberFormat, parseCardNumber } from '../domain/card-number.ts';
import type { CardLookup, Grant, Origin } from '../domain/credential.ts';
import type { DoorMode } from '../domain/door-mode.ts';
import type { DoorId, ScheduleId } from '../domain/ids.ts';
import { permissionAt } from '../domain/schedule.ts';
import type { Instant } from '../domain/units.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { AccessJudge } from './access-judge.ts';

/** A grant that names the door, and whether it holds by the clock on the wall there. */
export interface GrantState {
  /** Null for a level that is not known here, which may name the door or not. */
  readonly schedule: ScheduleId | null;
  /** The access level that it comes from; null for a grant of the card's own. */
  readonly level: string | null;
  /** clock-untrusted: it takes a clock to tell. What is unknown opens nothing. */
  readonly state: 'open' | 'closed' | 'clock-untrusted' | 'unknown-schedule' | 'unknown-level';
}

export interface Explanation {
  readonly card: CardNumber | null;
  readonly door: DoorId;
  readonly decision: AccessDecision;
  readonly found: CardLookup['kind'];
  /** Those of a live card, in the order of its message; none for any other. */
  readonly grants: readonly GrantState[];
  /** The HR message behind the answer; null for a card that was never heard of. */
  readonly origin: Origin | null;
  /** The highest revision that this gateway has applied: nothing newer is known here. */
  readonly rosterRevision: number;
}

interface Dependencies {
  readonly store: CredentialStore;
  readonly cardNumberFormat: CardNumberFormat;
  readonly judge: Pick<AccessJudge, 'decide' | 'rules' | 'wallClock'>;
}

/** A question about another time than now is judged as if the clock were right then. */
export const explainAccess = (
  deps: Dependencies,
  question: {
    readonly card: string;
    readonly door: DoorId;
    readonly mode: DoorMode;
    /** As of JudgeQuestion. */
    readonly direction?: Direction;
    readonly at: Instant | undefined;
  },
): Explanation => {
  const { store, judge, cardNumberFormat } = deps;
  const { door, mode, direction, at } = question;
  const parsed = parseCardNumber(question.card, cardNumberFormat);
  const rosterRevision = store.roster().revision;
  if ('fault' in parsed) {
    const reason = parsed.fault.code === 'random-uid' ? 'random-uid' : 'unknown-card';
    const decision = { kind: 'denied', reason } as const;
    return { card: null, door, decision, found: 'unknown', grants: [], origin: null, rosterRevision };
  }
  const card = store.findCard(parsed.number);
  return {
    card: parsed.number,
    door,
    decision: judge.decide({ card, door, mode, direction, at }),
    found: card.kind,
    grants: grantStates(judge, { card, door, at }),
    origin: originOf(card),
    rosterRevision,
  };
};

/** Why a live card opens the door or does not, as far as its grants decide it. */
export const grantStates = (
  judge: Pick<AccessJudge, 'rules' | 'wallClock'>,
  { card, door, at }: { readonly card: CardLookup; readonly door: DoorId; readonly at?: Instant | undefined },
): readonly GrantState[] => {
  if (card.kind !== 'live') return [];
  const { rules } = judge;
  const wall = judge.wallClock(door, at);
  const stateOf = (schedule: ScheduleId): GrantState['state'] => {
    if (!rules.isKnownSchedule(schedule)) return 'unknown-schedule';
    const permission = permissionAt([{ doors: [door], schedule }], door, { rules, wall });
    if (permission === 'clock-untrusted') return permission;
    return permission === 'permitted' ? 'open' : 'closed';
  };
  const statesOf = (grant: Grant, level: string | null): readonly GrantState[] => {
    if ('level' in grant) {
      const grants = rules.level(grant.level);
      if (grants === undefined) return [{ schedule: null, level: grant.level, state: 'unknown-level' }];
      return grants.flatMap((part) => statesOf(part, grant.level));
    }
    const { doors, schedule } = grant;
    return doors.includes('*') || doors.includes(door) ? [{ schedule, level, state: stateOf(schedule) }] : [];
  };
  return card.binding.access.flatMap((grant) => statesOf(grant, null));
};

const originOf = (card: CardLookup): Origin | null => {
  if (card.kind === 'live') return card.binding.origin;
  return card.kind === 'retired' ? card.tombstone.origin : null;
};
