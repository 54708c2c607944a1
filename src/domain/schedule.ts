// When a grant holds: at once for `always`, else while the schedule that it names does.

import type { DoorGrant, Grant } from './credential.ts';
import type { DoorId, ScheduleId } from './ids.ts';
import { parseScheduleId } from './ids.ts';
import type { LocalTime } from './local-time.ts';

export const ALWAYS: ScheduleId = parseScheduleId('always') ?? neverHappens();

/** The schedules and access levels that are known here. */
export interface AccessRules {
  /** Whether the schedule holds at that time on the wall; undefined for a name that is not known here. */
  holds(schedule: ScheduleId, at: LocalTime): boolean | undefined;
  isKnownSchedule(schedule: ScheduleId): boolean;
  /** The grants that make up an access level; undefined for a level that is not known here. */
  level(name: string): readonly DoorGrant[] | undefined;
}

export const BUILT_IN_RULES: AccessRules = {
  holds: (schedule) => (schedule === ALWAYS ? true : undefined),
  isKnownSchedule: (schedule) => schedule === ALWAYS,
  level: () => undefined,
};

/** The time on the wall at the door, and whether windows may be judged by it. */
export interface WallClock {
  readonly local: LocalTime;
  readonly isTrusted: boolean;
}

/** What becomes of windows while the clock is a guess: they open nothing, or are judged by the guess. */
export type UntrustedPolicy = 'deny-windowed' | 'allow';

/** clock-untrusted: it takes a clock to tell, and there is none to be trusted. */
export type DoorPermission = 'permitted' | 'clock-untrusted' | 'outside-schedule' | 'not-permitted';

const FROM_BEST: readonly DoorPermission[] = ['permitted', 'clock-untrusted', 'outside-schedule', 'not-permitted'];

const better = (a: DoorPermission, b: DoorPermission): DoorPermission =>
  FROM_BEST.indexOf(a) < FROM_BEST.indexOf(b) ? a : b;

/** Whether any of the grants opens `door` now. A name that is not known here opens nothing. */
export const permissionAt = (
  grants: readonly Grant[],
  door: DoorId,
  { rules, wall }: { readonly rules: AccessRules; readonly wall: WallClock },
): DoorPermission => {
  let best: DoorPermission = 'not-permitted';
  for (const grant of plainGrants(grants, rules)) {
    if (!grant.doors.includes('*') && !grant.doors.includes(door)) continue;
    best = better(best, scheduled(grant.schedule, rules, wall));
    if (best === 'permitted') return best;
  }
  return best;
};

/** Whether any of the grants ever opens `door`, at whatever time. */
export const isEverPermitted = (grants: readonly Grant[], door: DoorId, rules: AccessRules): boolean =>
  plainGrants(grants, rules).some(
    ({ doors, schedule }) => (doors.includes('*') || doors.includes(door)) && rules.isKnownSchedule(schedule),
  );

const scheduled = (schedule: ScheduleId, rules: AccessRules, { local, isTrusted }: WallClock): DoorPermission => {
  if (schedule === ALWAYS) return 'permitted';
  if (!rules.isKnownSchedule(schedule)) return 'outside-schedule';
  if (!isTrusted) return 'clock-untrusted';
  return rules.holds(schedule, local) === true ? 'permitted' : 'outside-schedule';
};

const isPlain = (grant: Grant): grant is DoorGrant => 'doors' in grant;

/** A level cannot name another level: one step, no loop. */
const plainGrants = (grants: readonly Grant[], rules: AccessRules): readonly DoorGrant[] =>
  grants.every(isPlain)
    ? grants
    : grants.flatMap((grant) => (isPlain(grant) ? [grant] : (rules.level(grant.level) ?? [])));

/** Names in the grants that this gateway does not know, as receipts carry them. */
export const unknownNames = (
  grants: readonly Grant[],
  rules: Pick<AccessRules, 'isKnownSchedule' | 'level'>,
): string[] => {
  const names = grants.flatMap((grant) => {
    if ('level' in grant) return rules.level(grant.level) === undefined ? [`unknown-level: ${grant.level}`] : [];
    return rules.isKnownSchedule(grant.schedule) ? [] : [`unknown-schedule: ${grant.schedule}`];
  });
  return [...new Set(names)];
};

function neverHappens(): never {
  throw new TypeError('the built-in schedule name does not parse');
}
