// The shape of messages from HR (PROTOCOL.md, HR messages), and of what is asked of HR. Strict: a field that is not here is refused,
// `x-...` aside. The descriptions are what `cardea contract` prints; `meta` tells of rules that are checked after the shape.

import * as z from 'zod';
import { CALENDAR_LIMITS } from '../domain/calendar-faults.ts';
import { REVOCATION_REASONS } from '../domain/credential.ts';
import { DOOR_ACTIONS } from '../domain/door-command.ts';
import { HOLIDAY_PATTERN, HOLIDAY_RULE } from '../domain/holiday.ts';
import { CARDHOLDER_ID, SLUG } from '../domain/ids.ts';
import { BEGINNING_TIME, ENDING_TIME, WEEKDAYS } from '../domain/local-time.ts';
import { DIGEST_BYTES } from '../domain/roster-digest.ts';
import { firstObjection } from './message-json.ts';

/** 0.5 KiB of JSON each would already fill a message; the limit is for the planner's sake. */
const MAX_SUPERSEDED = 1000;
const MAX_DOORS = 256;
/** PROTOCOL.md, Roster digest, request, pages. */
export const MAX_CARDS_PER_PAGE = 200;
/** A roster of ten million cards. */
const MAX_PAGES = 50_000;
const DIGEST_BASE64_LENGTH = Math.ceil(DIGEST_BYTES / 3) * 4;

const isExtension = (key: string): boolean => key.startsWith('x-');

const withoutExtensions = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  // Next to no message has any, and a copy takes longer than the rest of the check.
  if (!Object.keys(value).some(isExtension)) return value;
  return Object.fromEntries(Object.entries(value).filter(([key]) => !isExtension(key)));
};

const wireObject = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.preprocess(withoutExtensions, z.strictObject(shape));

const FIRST_TIME = Date.parse('0001-01-01T00:00:00Z');
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

/** An offset may make a year of five digits of the last one, which nobody could read back. */
const isOfFourDigits = (text: string): boolean => {
  const time = Date.parse(text);
  return time >= FIRST_TIME && time <= LAST_TIME;
};

export const timestamp = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time with offset, such as 2026-11-22T09:00:00+08:00' })
  .regex(/T\d\d:\d\d:\d\d/, { error: 'must have seconds' })
  .refine(isOfFourDigits, { error: 'must be within the years 1 to 9999, in UTC, too' })
  .meta({ format: 'date-time' });
export const id = z.string().regex(CARDHOLDER_ID, { error: 'must be 1 to 64 characters, no control characters' });
export const slug = z
  .string()
  .regex(SLUG, { error: 'must be 1 to 63 lower-case letters, digits or dashes, not starting with a dash' });
const text = z.string().min(1).max(200);
const card = z.string().min(1).max(64);

/** In JSON Schema: with that member, whatever it is. */
const having = (member: string) => ({ properties: { [member]: {} }, required: [member] });

const site = slug.describe('Id of the site; equal to the one in the topic.');
const cardNumber = card.describe(
  'Card number in the cardNumber.format of the site: by default the UID in hex, 8, 14 or 20 digits; separators (space, colon, dash) are removed.',
);

const common = {
  site,
  messageId: id.describe('Names this message; unique, and kept by a redelivery. The receipt repeats it.'),
  revision: z
    .int()
    .min(1)
    .describe("HR's change counter over the whole roster, strictly increasing. It alone decides what is newer."),
  issuedAt: timestamp.describe(
    'When HR made the change, RFC 3339 with offset. For the record; never used for ordering.',
  ),
  operator: id.describe('Who did it at HR; goes into the audit log.'),
};

const doorGrant = z.strictObject({
  doors: z
    .array(z.union([z.literal('*'), slug], { error: 'must be a door id or "*"' }))
    .min(1)
    .max(MAX_DOORS)
    .describe('Door ids, of any gateway of the site, or * for all doors.'),
  schedule: slug
    .default('always')
    .describe(
      "When: a schedule of HR's calendar or of the gateway's configuration. One that a gateway does not know opens nothing there.",
    ),
});

const grant = z.preprocess(
  withoutExtensions,
  z.union(
    [
      doorGrant,
      z.strictObject({
        level: slug.describe(
          "An access level of HR's calendar or of the gateway's configuration. One that a gateway does not know opens nothing there.",
        ),
      }),
    ],
    { error: 'must be { "doors": [...], "schedule": "..." } or { "level": "..." }' },
  ),
);

const access = z.array(grant).min(1).max(64).describe('What the card opens: the doors of all grants together.');
const kind = z.enum(['permanent', 'temporary']).default('permanent').describe('A temporary card needs validUntil.');
const state = z
  .enum(['active', 'pending'])
  .default('active')
  .describe('pending: bound, but opens nothing until it is presented once at a reader whose role is activation.');
const VALID_FROM = 'RFC 3339 with offset. From then on the card opens doors; without it, at once.';
const VALID_UNTIL =
  'RFC 3339 with offset, later than validFrom. From then on the card opens nothing; without it, it has no end.';
const overridesLockdown = z.boolean().default(false).describe('Whether the card opens doors in a lockdown too.');
const extendedRelease = z
  .boolean()
  .default(false)
  .describe('Whether the person needs more time to pass: doors stay released, and may stand open, for longer.');

export const cardBoundSchema = wireObject({
  type: z.literal('card-bound'),
  ...common,
  card: cardNumber,
  cardholder: wireObject({
    id: id.describe("HR's own id of the person."),
    name: text.optional().describe("For people who read the gateway's lists; at most 200 UTF-16 code units."),
    department: text.optional().describe('As name.'),
  }).describe('Whose card it is from now on.'),
  access,
  kind,
  state,
  validFrom: timestamp.optional().describe(VALID_FROM),
  validUntil: timestamp.optional().describe(VALID_UNTIL),
  overridesLockdown,
  extendedRelease,
  supersedes: z
    .union([z.literal('all'), z.literal('none'), z.array(cardNumber).min(1).max(MAX_SUPERSEDED)], {
      error: 'must be "all", "none" or a list of cards',
    })
    .default('all')
    .describe('Cards that stop in the same instant: all others of this cardholder, none, or those listed.'),
  transferFrom: id
    .optional()
    .describe('Id of the cardholder for whom this card is live; only with it may it be bound to another person.'),
})
  .describe('Binds a card to a person, replaces their other cards, or changes what the card opens.')
  .meta({ anyOf: [having('validUntil'), { properties: { kind: { const: 'permanent' } } }] });

export const cardRevokedSchema = wireObject({
  type: z.literal('card-revoked'),
  ...common,
  card: cardNumber.optional(),
  cardholder: id.optional().describe('Id of a person all of whose cards stop, known to the gateway or not.'),
  reason: z
    .enum(REVOCATION_REASONS)
    .describe('Why; the person at the door is told. A suspended card comes back by a newer card-bound.'),
})
  .describe('Stops one card, or all cards of a person: exactly one of card and cardholder is given.')
  .meta({ oneOf: [having('card'), having('cardholder')] });

/**
 * Lists by name, which are looked at one by one, as far as the first fault: a message may have twenty thousand of them, and to tell
 * of all takes the thread that decides taps longer than anything else that it does. A member named `__proto__`, which zod leaves
 * out without a word, is refused as any other that is no name.
 */
const named = <Value extends z.ZodType<unknown>>(value: Value) => {
  const objectionTo = (name: string, list: unknown) => {
    if (!SLUG.test(name)) return { path: [], message: NO_NAME };
    const { error } = value.safeParse(list);
    return error && firstObjection(error);
  };
  const lookedAt = (content: unknown, context: z.RefinementCtx): unknown => {
    if (typeof content !== 'object' || content === null || Array.isArray(content)) return content;
    for (const [name, list] of Object.entries(content)) {
      const objection = objectionTo(name, list);
      if (objection === undefined) continue;
      context.addIssue({ code: 'custom', message: objection.message, path: [name, ...objection.path] });
      break;
    }
    return content;
  };
  return z.preprocess(lookedAt, z.record(slug, value)).default({});
};

const NO_NAME = 'a name must be 1 to 63 lower-case letters, digits or dashes, not starting with a dash';

const scheduleWindow = wireObject({
  days: z
    .array(z.enum(WEEKDAYS))
    .min(1)
    .max(WEEKDAYS.length)
    .optional()
    .describe('Weekdays on which it begins, but for those that are holidays.'),
  holidays: z
    .array(z.union([z.literal('*'), slug], { error: 'must be the name of a list of holidays or "*"' }))
    .min(1)
    .max(CALENDAR_LIMITS.holidays.names + 1)
    .optional()
    .describe('Holidays on which it begins: names of lists in this calendar, or * for all of them.'),
  from: z
    .string()
    .regex(BEGINNING_TIME, { error: 'must be a time from 00:00 to 23:59' })
    .describe('When it begins, on the wall at the door: HH:MM.'),
  to: z
    .string()
    .regex(ENDING_TIME, { error: 'must be a time from 00:00 to 24:00' })
    .describe('When it is over: HH:MM; on the next day, where that is not later than from. Never equal to from.'),
}).meta({ anyOf: [having('days'), having('holidays')] });

const calendarSections = {
  schedules: named(z.array(scheduleWindow).min(1).max(CALENDAR_LIMITS.schedules.entries)).describe(
    'Weekly windows by the name of the schedule, which holds while any of them does. The name always is taken.',
  ),
  holidays: named(
    z.array(z.string().regex(HOLIDAY_PATTERN, { error: HOLIDAY_RULE })).max(CALENDAR_LIMITS.holidays.entries),
  ).describe(
    'Lists of days by name: 2026-12-25, 2026-08-03..2026-08-21, or each year: 12-25, 12-24..01-02. On a day of any list only windows with holidays begin.',
  ),
  levels: named(
    z.array(z.preprocess(withoutExtensions, doorGrant)).min(1).max(CALENDAR_LIMITS.levels.entries),
  ).describe('What each access level opens, by its name: the doors of all its grants together.'),
};

/** What a calendar says, without the message around it. */
export const calendarSectionsSchema = wireObject(calendarSections);

export const calendarSchema = wireObject({
  type: z.literal('calendar'),
  ...common,
  revision: z
    .int()
    .min(1)
    .describe(
      'Orders calendars among themselves: a counter of their own, or that of the roster. The highest is in force.',
    ),
  ...calendarSections,
}).describe(
  "HR's schedules, holidays and access levels, in the place of those that it published before; published retained. Names here win over the same names in a gateway's configuration.",
);

const revisionOrNone = z.int().min(0);
const buckets = z.array(z.int().min(0).max(255)).min(1).max(256);
const requestId = id.describe('Names the request; the pages that answer it repeat it.');

export const rosterDigestSchema = wireObject({
  type: z.literal('roster-digest'),
  site,
  revision: revisionOrNone.describe('Revision of the last change that the buckets hold; 0 before the first.'),
  cards: z.int().min(0).describe('Cards in the roster: bound and not revoked.'),
  buckets: z
    .base64()
    .length(DIGEST_BASE64_LENGTH, { error: 'must be the base64 of 256 x 8 bytes' })
    .describe(
      'Base64 of 256 x 8 bytes, bucket 0 first. The bucket of a card is the first byte of SHA-256(card number); its value is the XOR, over its cards, of the first 8 bytes of SHA-256(card number | revision), joined by a "|". Card numbers in canonical form, ASCII.',
    ),
  epoch: id.describe(
    "HR's name for the history that its revisions count in; changes only when HR was restored from a backup.",
  ),
}).describe(
  'What the roster looks like now; published retained after changes, so that gateways find out what they lack.',
);

const pageCard = wireObject({
  card: cardNumber,
  revision: z.int().min(1).describe('Revision of the card-bound message that bound it; at most that of the page.'),
  cardholder: id.describe("HR's id of the person whose card it is."),
  access,
  kind,
  state,
  validFrom: timestamp.nullish().describe(VALID_FROM),
  validUntil: timestamp.nullish().describe(VALID_UNTIL),
  overridesLockdown,
  extendedRelease,
}).meta({
  anyOf: [
    { properties: { validUntil: { type: 'string' } }, required: ['validUntil'] },
    { properties: { kind: { const: 'permanent' } } },
  ],
});

export const rosterPageSchema = wireObject({
  type: z.literal('roster-page'),
  site,
  requestId,
  revision: revisionOrNone.describe("The roster's revision as of which all pages of the answer were made."),
  page: z.int().min(1).describe('Number of this page, 1 to pages.'),
  pages: z.int().min(1).max(MAX_PAGES).describe('How many pages the answer has.'),
  buckets: buckets.describe('Those of the request, 0 to 255.'),
  cards: z
    .array(pageCard)
    .max(MAX_CARDS_PER_PAGE)
    .describe('Live cards of these buckets; all pages together hold all of them, each once.'),
}).describe('Answers a roster-request, to the gateway that sent it. Nothing is applied before the last page is there.');

export const rosterRequestSchema = wireObject({
  type: z.literal('roster-request'),
  gateway: slug.describe('Id of the gateway that asks; equal to the one in the topic.'),
  requestId,
  buckets: buckets.describe("Buckets that differ from HR's digest, 0 to 255."),
  revision: revisionOrNone.describe('Highest revision applied at the gateway; 0 before the first.'),
}).describe("Asks HR for the cards of the buckets in which the gateway's roster differs from the digest.");

export const eventAckSchema = wireObject({
  type: z.literal('event-ack'),
  site,
  gateway: slug
    .optional()
    .describe(
      'Id of the gateway that it is for, equal to that of the topic. Give it where messages are signed: without it a copy is good at every gateway of the site.',
    ),
  upTo: z
    .int()
    .min(0)
    .describe(
      'Every event up to this sequence number is stored for good, or was told to be gone for good (events-dropped, store-damaged, store-restored). 0, or the same as before, says that HR is there and waits.',
    ),
}).describe(
  'HR has stored events. It takes them out of the outbox of a gateway with events.acknowledgement: application; others ignore it.',
);

export const commandSchema = wireObject({
  type: z.literal('command'),
  site,
  gateway: slug
    .optional()
    .describe(
      'Id of the gateway that it is for, equal to that of the topic. Give it where messages are signed: the topic is not, and without it a copy is good at every gateway of the site. Left out on hr/command, which is for all.',
    ),
  messageId: common.messageId,
  issuedAt: timestamp.describe('When the command was given, RFC 3339 with offset.'),
  expiresAt: timestamp.describe(
    'RFC 3339 with offset, later than issuedAt and at most five minutes after it. From then on the command is refused.',
  ),
  operator: id.describe('Who gives it; goes into the audit log.'),
  reason: text.describe('Why, in words; goes into the audit log. At most 200 UTF-16 code units.'),
  action: z
    .enum([...DOOR_ACTIONS, 'reset-passback'])
    .describe(
      'unlock: one release. block: no card opens. hold-open: unlocked until normal or block. normal: back to cards and schedules. lockdown: no card opens but those that override it, whatever else is ordered, until end-lockdown; both are good on hr/command too, for all gateways. reset-passback: forgets where the cardholder is held to be.',
    ),
  door: z
    .union([z.literal('*'), slug], { error: 'must be a door id or "*"' })
    .describe('Id of a door of this gateway, or * for all of them. On hr/command, and with reset-passback, always *.'),
  until: timestamp
    .optional()
    .describe(
      'RFC 3339 with offset, yet to come, at most 31 days ahead; with block, hold-open and lockdown. From then on the order is over by itself.',
    ),
  cardholder: id.optional().describe('With reset-passback, and only then: id of the person.'),
})
  .describe('A command to doors of one gateway, or of all. It is good once, and soon or never.')
  .meta({
    oneOf: [
      {
        properties: { action: { const: 'reset-passback' }, door: { const: '*' }, cardholder: {} },
        required: ['cardholder'],
      },
      { properties: { action: { enum: DOOR_ACTIONS } }, not: having('cardholder') },
    ],
  });

export type CardBoundFields = z.infer<typeof cardBoundSchema>;
export type CardRevokedFields = z.infer<typeof cardRevokedSchema>;
export type CalendarSections = z.infer<typeof calendarSectionsSchema>;
export type RosterPageFields = z.infer<typeof rosterPageSchema>;
