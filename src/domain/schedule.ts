// When a grant holds. This version knows one schedule, `always`; the named weekly windows attach here.

import type { Grant } from './credential.ts';
import type { DoorId, ScheduleId } from './ids.ts';
import { parseScheduleId } from './ids.ts';

export const ALWAYS: ScheduleId = parseScheduleId('always') ?? neverHappens();

/** The schedules and access levels that this gateway's configuration spells out. */
export interface AccessRules {
  isKnownSchedule(schedule: ScheduleId): boolean;
  /** The grants that make up an access level; undefined for a level that is not known here. */
  level(name: string): readonly Grant[] | undefined;
}

export const BUILT_IN_RULES: AccessRules = {
  isKnownSchedule: (schedule) => schedule === ALWAYS,
  level: () => undefined,
};

export type DoorPermission = 'permitted' | 'outside-schedule' | 'not-permitted';

/** Whether any of the grants opens `door` now. A name that is not known here opens nothing. */
export const permissionAt = (grants: readonly Grant[], door: DoorId, rules: AccessRules): DoorPermission => {
  let best: DoorPermission = 'not-permitted';
  for (const grant of grants) {
    const permission =
      'level' in grant ? levelPermission(grant.level, door, rules) : doorPermission(grant, door, rules);
    if (permission === 'permitted') return permission;
    if (permission === 'outside-schedule') best = permission;
  }
  return best;
};

const doorPermission = (grant: Exclude<Grant, { level: string }>, door: DoorId, rules: AccessRules): DoorPermission => {
  if (!grant.doors.includes('*') && !grant.doors.includes(door)) return 'not-permitted';
  return rules.isKnownSchedule(grant.schedule) ? 'permitted' : 'outside-schedule';
};

const levelPermission = (name: string, door: DoorId, rules: AccessRules): DoorPermission => {
  // A level cannot name another level: one step, no loop.
  const grants = rules.level(name)?.filter((grant) => 'doors' in grant) ?? [];
  return permissionAt(grants, door, rules);
};

/** Names in the grants that this gateway does not know, as receipts carry them. */
export const unknownNames = (grants: readonly Grant[], rules: AccessRules): string[] => {
  const names = grants.flatMap((grant) => {
    if ('level' in grant) return rules.level(grant.level) === undefined ? [`unknown-level: ${grant.level}`] : [];
    return rules.isKnownSchedule(grant.schedule) ? [] : [`unknown-schedule: ${grant.schedule}`];
  });
  return [...new Set(names)];
};

function neverHappens(): never {
  throw new TypeError('the built-in schedule name does not parse');
}
