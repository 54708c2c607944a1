// `calendar`: HR's schedules, holidays and access levels as a message, in both directions.
//
// 1. A calendar is taken whole or refused whole.

import type { CalendarDefinition } from '../domain/calendar.ts';
import { calendarFault } from '../domain/calendar-faults.ts';
import { type MessageId, parseMessageId, parseRevision, type Revision, type SiteId } from '../domain/ids.ts';
import { doorGrantOf } from './change-messages.ts';
import { type CalendarSections, calendarSchema, calendarSectionsSchema } from './hr-message-schema.ts';
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

type Decoded<Value> = Value | { readonly fault: Fault };

/** The JSON of the message, before it is sealed. What is encoded here decodes to the same. */
export const encodeCalendar = (site: SiteId, { definition, ...common }: CalendarMessage): string =>
  JSON.stringify({ type: 'calendar', site, ...common, ...definition });

/** `content` as it came out of the envelope. */
export const decodeCalendar = (content: unknown): Decoded<CalendarMessage> => {
  const parsed = calendarSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  const checked = definitionOf(parsed.data);
  if ('fault' in checked) return checked;
  const { issuedAt, operator } = parsed.data;
  const messageId = parseMessageId(parsed.data.messageId);
  const revision = parseRevision(parsed.data.revision);
  if (messageId === undefined || revision === undefined) return { fault: UNREADABLE };
  return { messageId, revision, issuedAt, operator, ...checked };
};

/** What HR has in a file or a form: `schedules`, `holidays` and `levels` as the message has them, each of which may be left out. */
export const decodeCalendarSections = (content: unknown): Decoded<{ readonly definition: CalendarDefinition }> => {
  const parsed = calendarSectionsSchema.safeParse(content);
  return parsed.success ? definitionOf(parsed.data) : { fault: schemaFault(parsed.error) };
};

const definitionOf = ({
  schedules,
  holidays,
  levels,
}: CalendarSections): Decoded<Pick<CalendarMessage, 'definition'>> => {
  const grants = Object.entries(levels).map(([name, grants]) => [name, grants.map(doorGrantOf)] as const);
  const definition = { schedules, holidays, levels: Object.fromEntries(grants) };
  const fault = calendarFault(definition);
  if (fault === undefined) return { definition };
  return { fault: { code: 'invalid-message', path: pathText(withIndexes(fault.path)), detail: fault.detail } };
};

/** Section and name come first, and a name may look like a number. */
const withIndexes = (path: readonly string[]): readonly PropertyKey[] =>
  path.map((key, depth) => (depth >= 2 && /^\d+$/.test(key) ? Number(key) : key));
