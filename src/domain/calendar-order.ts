// Which of HR's calendars is in force: the one with the highest revision, whatever order they arrive in.

import type { CalendarDefinition, CalendarRecord } from './calendar.ts';
import { calendarFault } from './calendar-faults.ts';
import { canonicalJson, sha256Hex } from './canonical-json.ts';
import type { Revision } from './ids.ts';

/** What a store holds of HR's calendar; unreadable where it is not what was stored, or nothing that this version can work with. */
export type HeldCalendar = CalendarRecord | 'unreadable' | undefined;

/** Content hash of a calendar: equal for a redelivery, whoever sent it and whenever. */
export const calendarFingerprint = (definition: CalendarDefinition): string =>
  sha256Hex(canonicalJson({ ...definition }));

/** Whether a calendar that was read from a store is still what was stored, and nothing that this version refuses. */
export const isUsable = ({ definition, fingerprint }: CalendarRecord): boolean =>
  // The hash first: what has it once came out of the decoder of messages, and has its shape.
  calendarFingerprint(definition) === fingerprint && calendarFault(definition) === undefined;

/** What becomes of a calendar with that revision and content where `held` is. Any takes the place of one that is unreadable. */
export const orderCalendar = (
  held: HeldCalendar,
  { revision, fingerprint }: { readonly revision: Revision; readonly fingerprint: string },
): 'applied' | 'duplicate' | 'stale' | 'revision-conflict' => {
  if (held === undefined || held === 'unreadable' || revision > held.revision) return 'applied';
  if (revision < held.revision) return 'stale';
  return fingerprint === held.fingerprint ? 'duplicate' : 'revision-conflict';
};
