// The shape of what a gateway publishes (PROTOCOL.md, receipt, Events, Status), for those who read it. Lists of values are those
// of the whole contract, in use here or not; unknown fields are no fault: a later gateway may say more.

import * as z from 'zod';
import { ANTI_PASSBACK_MODES } from '../domain/anti-passback.ts';
import { id, slug, timestamp } from './hr-message-schema.ts';
import { HR_MESSAGE_TYPES } from './message-envelope.ts';

const RECEIPT_RESULTS = ['applied', 'duplicate', 'stale', 'rejected'] as const;

const REJECTION_CODES = [
  'invalid-message',
  'too-large',
  'wrong-site',
  'wrong-topic',
  'retained-not-allowed',
  'invalid-card-number',
  'random-uid',
  'card-in-use',
  'revision-conflict',
  'invalid-window',
  'expired-command',
  'unknown-door',
  'not-carried-out',
  'not-signed',
  'bad-signature',
  'unknown-key',
  'not-permitted',
  'store-unavailable',
] as const;

const EVENT_NAMES = [
  'access-granted',
  'access-denied',
  'access-not-taken',
  'door-opened',
  'door-closed',
  'door-held-open-warning',
  'door-held-open',
  'door-held-open-cleared',
  'door-forced-open',
  'door-forced-open-cleared',
  'exit-requested',
  'door-command',
  'lockdown-started',
  'lockdown-ended',
  'card-activated',
  'card-presented',
  'card-change',
  'reader-offline',
  'reader-online',
  'tamper',
  'clock-untrusted',
  'clock-trusted',
  'store-full',
  'store-recovered',
  'roster-divergence',
  'roster-reconciled',
  'operator-action',
  'configuration-changed',
  'checkpoint',
  'events-dropped',
  'store-damaged',
  'store-restored',
  'store-key-rotated',
  'gateway-started',
  'gateway-stopped',
] as const;

const gateway = slug.describe('Id of the gateway that publishes this; equal to the one in the topic.');
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, { error: 'must be a SHA-256 in lower-case hex' });
const count = z.int().min(0);
const sequence = z.int().min(1);
const cardNumber = z.string().min(1).max(64);
const clockSynchronized = z
  .boolean()
  .describe('Whether the gateway knew the time; if false, the time beside this is a guess.');

const rosterFields = {
  revision: count.describe('Highest revision applied at this gateway; 0 before the first.'),
  cards: count.describe('Cards that are bound and not revoked here.'),
  digest: sha256.describe(
    "SHA-256, lower-case hex, of the 2,048 bytes of the buckets; equal to HR's when the rosters are equal.",
  ),
};

export const receiptSchema = z
  .object({
    type: z.literal('receipt'),
    gateway,
    messageType: z
      .enum(HR_MESSAGE_TYPES)
      .nullable()
      .describe('Type of the message that is answered, by its topic; null where the topic tells none.'),
    messageId: id
      .nullable()
      .describe('messageId of the message that is answered; null when it was too broken to carry one.'),
    revision: z
      .int()
      .min(1)
      .nullable()
      .describe(
        'Revision of that message, of a calendar in its own order; null when it had none, as a command, or none that could be read.',
      ),
    result: z
      .enum(RECEIPT_RESULTS)
      .describe(
        'applied: done. duplicate: the same content was applied before. stale: something newer is known; the card was not bound, what the message retires is retired. rejected: nothing changed, see code. A command that is sent again is a duplicate, and is not carried out again.',
      ),
    card: cardNumber
      .nullable()
      .describe('Card of the message, in canonical form; null for a whole person or a rejection.'),
    cardholder: id.nullable().describe('Whose card it is, or whose cards they were, where that is known.'),
    superseded: z.array(cardNumber).describe('Cards that stopped opening doors by this message.'),
    doors: z
      .array(slug)
      .describe(
        'Doors of this gateway that the card opens from now on, decided as at a tap; see warnings when it is empty. Of a command, those on which it took effect.',
      ),
    code: z.enum(REJECTION_CODES).nullable().describe('Why the message was rejected; null otherwise.'),
    detail: z
      .string()
      .nullable()
      .describe('The same in words, for people; or what else to know of a command. At most 300 characters.'),
    path: z.string().nullable().describe('Where in the message the fault is, such as access[0].doors[1].'),
    payloadSha256: sha256
      .nullable()
      .describe('SHA-256, lower-case hex, of the payload as it came, when there is no messageId to name it by.'),
    warnings: z
      .array(z.string())
      .describe(
        'What keeps an applied binding from opening doors here now: not-yet-valid, expired, outside-schedule (doors names it: it opens in its hours), clock-untrusted, roster-stale, unknown-schedule: NAME, unknown-level: NAME, damaged-record. Of a calendar: the unknown schedules that access levels name. Of a command: not-carried-out: DOOR.',
      ),
    appliedAt: timestamp.describe("When the outcome was decided, RFC 3339; by the gateway's clock."),
    clockSynchronized,
    sequence: sequence.describe('Number of the audit record (a card-change event) that holds this receipt.'),
    roster: z.object(rosterFields).describe('The roster of this gateway after the message.'),
  })
  .describe('What became of one message at one gateway; sent after the change is durable, for redeliveries again.');

export const eventSchema = z
  .object({
    type: z.literal('event'),
    gateway,
    sequence: sequence.describe(
      'Contiguous per gateway, from 1, for ever. An event may arrive twice: drop what you have by (gateway, sequence).',
    ),
    event: z.enum(EVENT_NAMES).describe('What happened.'),
    time: timestamp.describe("When, RFC 3339; by the gateway's clock."),
    clockSynchronized,
    door: slug.nullable().describe('Door concerned.'),
    reader: slug.nullable().describe('Reader that saw the card, or that is concerned.'),
    direction: z.enum(['in', 'out']).nullable().describe('Which way that reader leads.'),
    card: cardNumber.nullable().describe('Card number in canonical form.'),
    cardholder: id.nullable().describe('Whose card it is, where that is known.'),
    bindingRevision: z
      .int()
      .min(1)
      .nullable()
      .describe('Revision of the binding that decided; joins the history of a person across a replacement.'),
    reason: z
      .string()
      .nullable()
      .describe(
        'Why not. access-denied: unknown-card, revoked, lost, stolen, replaced, suspended, left, pending, not-yet-valid, expired, door-not-permitted, outside-schedule, door-blocked, lockdown, passback, second-card-required, random-uid, ambiguous-read, clock-untrusted, roster-stale or store-failure. access-not-taken: what stood in the way of a grant, null when nobody opened. card-change: the code of the receipt.',
      ),
    detail: z
      .unknown()
      .describe(
        'Null, text, or for changes and commands an object that says which and by whom. access-granted: passback is true where it is a second time the same way, and with is the card and cardholder that came first where two people are needed. access-denied, of a lost, stolen or replaced card: alarm is true, and retiredBy is the message that retired it. clock-trusted: setByMilliseconds, by how much the clock had been set since clock-untrusted; add it to the times of the events between the two. door-command, lockdown-started, lockdown-ended: operator (cardea for what a schedule does), reason, until, the messageId of the command, cause: expired where an order ended by itself; of door-command also action and result: done, refused or failed. tamper: active. operator-action: action and operator. checkpoint: upTo and hash, of the event before it; kid and jws, the same signed by the gateway (a JWS whose header has typ cardea-checkpoint), null where it has no key; configuration, SHA-256 of the configuration file. gateway-started: version, configuration, previous: clean, unclean (it ended without gateway-stopped), null where the log does not tell. gateway-stopped: reason, version, configuration. configuration-changed: from and to, SHA-256 of the file, and the file; after a reload also keysAdded and keysRemoved.',
      ),
    previousHash: sha256.describe('hash of the event before; 64 zeros in the first one.'),
    hash: sha256.describe(
      "SHA-256, lower-case hex, of this event's JSON without hash: keys sorted, no white space. The log is one chain.",
    ),
  })
  .describe("One record of the gateway's log: taps, doors, changes, alarms.");

const doorStatus = z.object({
  mode: z.enum(['normal', 'unlocked', 'held-open', 'blocked', 'lockdown']).describe('What the door does with a card.'),
  position: z.enum(['open', 'closed', 'unmonitored']).describe('By its contact; unmonitored without one.'),
  strike: z.enum(['locked', 'unlocked']).describe("The lock's output."),
  orderedBy: id.nullish().describe('Who ordered the mode; null where cards and schedules decide.'),
  reason: z.string().nullish().describe("Why, in that person's words."),
  until: timestamp.nullish().describe('When the order is over by itself; null for one without an end.'),
});

const readerStatus = z.object({
  door: slug.nullable().describe('The door that it opens; null for an enrolment reader.'),
  state: z.enum(['starting', 'online', 'offline']).describe('Whether cards can be read.'),
  detail: z.string().nullable().describe('Why it is not online, in words.'),
});

const zoneStatus = z.object({
  antiPassback: z
    .enum(ANTI_PASSBACK_MODES)
    .describe('Whether somebody who is inside may enter again. soft: yes, and the event says passback: true.'),
  occupancy: count.describe('People inside: who entered last through a door of the zone rather than left.'),
});

const onlineStatus = z.object({
  type: z.literal('status'),
  gateway,
  online: z.literal(true).describe("true: this is the gateway's own word."),
  version: z.string().describe("Version of the gateway's software."),
  startedAt: timestamp.describe('When the gateway started, RFC 3339.'),
  time: timestamp.describe('When this status was made, RFC 3339; renewed every minute.'),
  roster: z.object({
    ...rosterFields,
    epoch: id
      .nullable()
      .describe("The epoch of HR's digest that the revision counts in; null before the first digest."),
    reconciledAt: timestamp
      .nullable()
      .describe("When this roster was last found equal to HR's digest; null before the first time."),
  }),
  calendar: z
    .object({
      revision: z.int().min(1).describe('Its revision.'),
      messageId: id.describe('messageId of the calendar message that brought it.'),
    })
    .nullable()
    .optional()
    .describe("HR's calendar that is in force; null where there is none."),
  outbox: z.object({
    pending: count.describe(
      'Events, with their receipts, that the broker has not acknowledged yet, or HR where it is to acknowledge.',
    ),
    oldest: timestamp.nullable().describe('Since when the first of them waits; null when there is none.'),
    acknowledged: count
      .optional()
      .describe(
        'Events up to this sequence number have left the outbox and are not sent again; left out by older gateways.',
      ),
  }),
  log: z
    .object({
      first: count.describe('The first event that is kept at the gateway.'),
      last: count.describe('The last one; 0 while there is none.'),
      checkpoint: z
        .object({
          sequence: count.describe('The last event that it vouches for, with all before it.'),
          hash: sha256.describe('hash of that event.'),
          time: timestamp.describe('When it was made, RFC 3339.'),
          kid: id.nullable().describe('The key that has signed it; null where the gateway has none.'),
        })
        .nullable()
        .describe('The last checkpoint of the log since the gateway started; null before the first.'),
    })
    .optional()
    .describe('How far the log of events is vouched for; left out by older gateways.'),
  doors: z.record(slug, doorStatus).describe('By door id.'),
  readers: z.record(slug, readerStatus).describe('By reader id.'),
  zones: z.record(slug, zoneStatus).optional().describe('By zone id; left out by older gateways.'),
  clock: z.object({
    synchronized: z
      .boolean()
      .describe(
        'If false, validity windows and schedules open nothing, or are judged by the clock as it is, as clock.untrustedPolicy has it.',
      ),
  }),
  lossyCardNumbers: z
    .boolean()
    .describe('Whether different UIDs may share a number in the configured cardNumber.format.'),
  alarms: z.array(z.string()).describe('What needs attention, in words; empty when nothing does.'),
});

const offlineStatus = z.object({
  type: z.literal('status'),
  gateway,
  online: z
    .literal(false)
    .describe('false: the gateway is gone; by the broker as its last will, or by itself as it stops.'),
});

export const statusSchema = z
  .discriminatedUnion('online', [onlineStatus, offlineStatus])
  .describe('How a gateway is; retained, so that whoever subscribes gets the last one at once.');

export type ReceiptFields = z.infer<typeof receiptSchema>;
export type EventFields = z.infer<typeof eventSchema>;
export type StatusFields = z.infer<typeof statusSchema>;
