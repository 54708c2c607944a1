// `calendar`: HR's schedules, holidays and access levels as a message, in both directions.
//
// 1. A calendar is taken whole or refused whole.

import type { CalendarDefinition } from '../domain/calendar.ts';
import { calendarFault } from '../domain/calendar-faults.ts';
import { type MessageId, parseMessageId, parseRevision, type Revision, type SiteId } from '../domain/ids.ts';
import { doorGrantOf } from './change-messages.ts';
import { type CalendarFields, calendarSchema } from './hr-message-schema.ts';
import { type Fault, pathText, schemaFault, UNREADABLE } from './message-json.ts';

/** A calendar, as HR sent it. */
export interface CalendarMessage {
  readonly messageId: MessageId;
  /** Orders calendars among themselves. */
  readonly revision: Revision;
  readonly issuedAt: string;
  readonly operator: string;
  readonly definition: CalendarDefinition;
}

/** The JSON of the message, before it is sealed. What is encoded here decodes to the same. */
export const encodeCalendar = (site: SiteId, { definition, ...common }: CalendarMessage): string =>
  JSON.stringify({ type: 'calendar', site, ...common, ...definition });

/** `content` as it came out of the envelope. */
export const decodeCalendar = (content: unknown): CalendarMessage | { readonly fault: Fault } => {
  const parsed = calendarSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const { messageId: id, revision: number, issuedAt, operator } = parsed.data;
  const definition = definitionOf(parsed.data);
  const fault = calendarFault(definition);
  if (fault !== undefined) {
    return { fault: { code: 'invalid-message', path: pathText(withIndexes(fault.path)), detail: fault.detail } };
  }
  const messageId = parseMessageId(id);
  const revision = parseRevision(number);
  if (messageId === undefined || revision === undefined) return { fault: UNREADABLE };
  return { messageId, revision, issuedAt, operator, definition };
};

const definitionOf = ({ schedules, holidays, levels }: CalendarFields): CalendarDefinition => ({
  schedules,
  holidays,
  levels: Object.fromEntries(Object.entries(levels).map(([name, grants]) => [name, grants.map(doorGrantOf)])),
});

/** Section and name come first, and a name may look like a number. */
const withIndexes = (path: readonly string[]): readonly PropertyKey[] =>
  path.map((key, depth) => (depth >= 2 && /^\d+$/.test(key) ? Number(key) : key));
