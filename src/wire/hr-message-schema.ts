// The shape of messages from HR (PROTOCOL.md, HR messages). Strict: a field that is not here is refused, `x-...` aside.

import * as z from 'zod';
import { REVOCATION_REASONS } from '../domain/credential.ts';
import { CARDHOLDER_ID, SLUG } from '../domain/ids.ts';

/** 0.5 KiB of JSON each would already fill a message; the limit is for the planner's sake. */
const MAX_SUPERSEDED = 1000;
const MAX_DOORS = 256;

const withoutExtensions = (value: unknown): unknown =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
    ? Object.fromEntries(Object.entries(value).filter(([key]) => !key.startsWith('x-')))
    : value;

const wireObject = <Shape extends z.ZodRawShape>(shape: Shape) =>
  z.preprocess(withoutExtensions, z.strictObject(shape));

const timestamp = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time with offset, such as 2026-11-22T09:00:00+08:00' })
  .regex(/T\d\d:\d\d:\d\d/, { error: 'must have seconds' });
const id = z.string().regex(CARDHOLDER_ID, { error: 'must be 1 to 64 characters, no control characters' });
const slug = z
  .string()
  .regex(SLUG, { error: 'must be 1 to 63 lower-case letters, digits or dashes, not starting with a dash' });
const text = z.string().min(1).max(200);
const card = z.string().min(1).max(64);

const common = {
  site: slug,
  messageId: id,
  revision: z.int().min(1),
  issuedAt: timestamp,
  operator: id,
};

const grant = z.preprocess(
  withoutExtensions,
  z.union(
    [
      z.strictObject({
        doors: z
          .array(z.union([z.literal('*'), slug], { error: 'must be a door id or "*"' }))
          .min(1)
          .max(MAX_DOORS),
        schedule: slug.default('always'),
      }),
      z.strictObject({ level: slug }),
    ],
    { error: 'must be { "doors": [...], "schedule": "..." } or { "level": "..." }' },
  ),
);

export const cardBoundSchema = wireObject({
  type: z.literal('card-bound'),
  ...common,
  card,
  cardholder: wireObject({ id, name: text.optional(), department: text.optional() }),
  access: z.array(grant).min(1).max(64),
  kind: z.enum(['permanent', 'temporary']).default('permanent'),
  state: z.enum(['active', 'pending']).default('active'),
  validFrom: timestamp.optional(),
  validUntil: timestamp.optional(),
  supersedes: z
    .union([z.literal('all'), z.literal('none'), z.array(card).min(1).max(MAX_SUPERSEDED)], {
      error: 'must be "all", "none" or a list of cards',
    })
    .default('all'),
  transferFrom: id.optional(),
});

export const cardRevokedSchema = wireObject({
  type: z.literal('card-revoked'),
  ...common,
  card: card.optional(),
  cardholder: id.optional(),
  reason: z.enum(REVOCATION_REASONS),
});

export type CardBoundFields = z.infer<typeof cardBoundSchema>;
export type CardRevokedFields = z.infer<typeof cardRevokedSchema>;
