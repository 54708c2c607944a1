// Which of HR's calendars is in force: the one with the highest revision, whatever order they arrive in.

import type { CalendarDefinition, CalendarRecord } from './calendar.ts';
import { calendarFault } from './calendar-faults.ts';
import { canonicalJson, sha256Hex } from './canonical-json.ts';
import type { Revision } from './ids.ts';

/** What a store holds of HR's calendar. */
export type HeldCalendar = CalendarRecord | 'unreadable' | undefined;

/** Content hash of a calendar: equal for a redelivery, whoever sent it and whenever. */
export const calendarFingerprint = (definition: CalendarDefinition): string =>
  sha256Hex(canonicalJson({ ...definition }));

/**
 * The calendar, if it can be worked with: it is still what was stored, and nothing that this version refuses. Otherwise it counts as
 * none, and any calendar from HR replaces it.
 */
export const usableCalendar = (held: HeldCalendar): CalendarRecord | undefined => {
  if (held === undefined || held === 'unreadable') return undefined;
  // The hash first: what has it once came out of the decoder of messages, and has its shape.
  const isIntact = calendarFingerprint(held.definition) === held.fingerprint;
  return isIntact && calendarFault(held.definition) === undefined ? held : undefined;
};

/** What becomes of a calendar with that revision and content where `held` is. */
export const orderCalendar = (
  held: CalendarRecord | undefined,
  { revision, fingerprint }: { readonly revision: Revision; readonly fingerprint: string },
): 'applied' | 'duplicate' | 'stale' | 'revision-conflict' => {
  if (held === undefined || revision > held.revision) return 'applied';
  if (revision < held.revision) return 'stale';
  return fingerprint === held.fingerprint ? 'duplicate' : 'revision-conflict';
};
