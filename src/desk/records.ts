// What the desk keeps, as it stands in its store. Each record is validated when it is read: a store of another version, or one that
// somebody has edited, is refused instead of guessed at.

import * as z from 'zod';
import type { JsonValue } from '../domain/canonical-json.ts';
import { REVOCATION_REASONS } from '../domain/credential.ts';
import { parseCardholderId } from '../domain/ids.ts';
import { CardeaError } from '../errors.ts';
import { ROLES, SIGNING_ROLES } from './permissions.ts';

/** The version of everything below. A later one brings a migration with it. */
export const DESK_FORMAT = 1;

const cardNumber = z.string().min(1).max(64);
const time = z.iso.datetime();
const count = z.int().min(0);

/** Doors at their times, or an access level; as in PROTOCOL.md, card-bound. */
const accessGrant = z.union([
  z.strictObject({ doors: z.array(z.string()).min(1).readonly(), schedule: z.string().default('always') }),
  z.strictObject({ level: z.string() }),
]);
export const accessRecord = z.array(accessGrant).min(1).max(64).readonly();
export type Access = z.infer<typeof accessRecord>;

export const EMPLOYEE_STATUSES = ['active', 'left'] as const;

export const employeeRecord = z.object({
  /** HR's id of the person, in Unicode's composed form. */
  id: z.string().refine((id) => parseCardholderId(id) === id),
  name: z.string(),
  department: z.string().optional(),
  status: z.enum(EMPLOYEE_STATUSES),
  /** What the person's next card opens. */
  access: accessRecord,
  addedAt: time,
  changedAt: time,
});
export type Employee = z.infer<typeof employeeRecord>;

const flags = { overridesLockdown: z.literal(true).optional(), extendedRelease: z.literal(true).optional() };

/** What a card opened when it was last bound: enough to bind it again. */
const bindingFields = {
  card: cardNumber,
  cardholder: z.string(),
  /** Of the message that bound it. */
  revision: z.int().min(1),
  access: accessRecord,
  kind: z.enum(['permanent', 'temporary']),
  activation: z.enum(['active', 'pending']),
  validFrom: time.optional(),
  validUntil: time.optional(),
  ...flags,
  boundAt: time,
  /** The operation that bound it. */
  boundBy: z.string(),
};

export const cardRecord = z.discriminatedUnion('state', [
  z.object({ state: z.literal('live'), ...bindingFields }),
  z.object({
    state: z.literal('stopped'),
    ...bindingFields,
    stoppedAt: time,
    /** Why it stopped. */
    reason: z.enum(REVOCATION_REASONS),
    stoppedBy: z.string(),
    /** Of the message that stopped it. */
    stoppedRevision: z.int().min(1),
  }),
]);
export type DeskCard = z.infer<typeof cardRecord>;
export type LiveCard = Extract<DeskCard, { state: 'live' }>;
export type StoppedCard = Extract<DeskCard, { state: 'stopped' }>;

export const OPERATION_KINDS = [
  'replacement',
  'binding',
  'reinstatement',
  'activation',
  'loss-report',
  'revocation',
  'leave',
] as const;
export type OperationKind = (typeof OPERATION_KINDS)[number];

export const REPLACEMENT_REASONS = ['lost', 'stolen', 'damaged', 'expired', 'other'] as const;
export type ReplacementReason = (typeof REPLACEMENT_REASONS)[number];

export const closedDoorsRecord = z.array(z.string()).readonly();

export const operationRecord = z.object({
  /** `op-` and a number that grows by one. */
  id: z.string(),
  kind: z.enum(OPERATION_KINDS),
  at: time,
  operator: z.string(),
  /** Whose key signs the message. */
  signedAs: z.enum(SIGNING_ROLES),
  /** The caller's name for the request, with which it may be repeated. */
  requestId: z.string().optional(),
  reason: z.enum(REVOCATION_REASONS).optional(),
  /** In the operator's words. */
  note: z.string().optional(),
  /** Left out for a card that nobody here is known to have had. */
  cardholder: z.string().optional(),
  newCard: cardNumber.optional(),
  /** The card that a revocation names, live or not. */
  revokedCard: cardNumber.optional(),
  /** Cards that were live and are not any more. */
  stoppedCards: z.array(cardNumber).readonly(),
  access: accessRecord.optional(),
  activation: z.enum(['active', 'pending']).optional(),
  validFrom: time.optional(),
  validUntil: time.optional(),
  message: z.object({
    type: z.enum(['card-bound', 'card-revoked']),
    messageId: z.string(),
    revision: z.int().min(1),
    /** As it is published, before the signature. */
    json: z.string(),
  }),
  /** Until when every gateway should have confirmed. */
  deadline: time,
  batch: z.object({ id: z.string(), line: z.int().min(1) }).optional(),
  /** When the broker acknowledged the message. */
  sentAt: time.optional(),
  /** Every gateway that was known then had confirmed. */
  confirmedAt: time.optional(),
  /** `gateway/door` that the new card should open and does not, as of then; left out where there is none. */
  closedDoors: closedDoorsRecord.optional(),
  /** The desk was restored from a backup while it was open: its message is not sent any more, the roster tells what it did. */
  restoredAt: time.optional(),
});
export type Operation = z.infer<typeof operationRecord>;

/** What a gateway has told of an operation. */
export const proofRecord = z.object({
  operation: z.string(),
  gateway: z.string(),
  receipt: z
    .object({
      result: z.enum(['applied', 'duplicate', 'stale', 'rejected']),
      code: z.string().nullable(),
      detail: z.string().nullable(),
      /** Doors that the card opens there from then on. */
      doors: z.array(z.string()).readonly(),
      superseded: z.array(cardNumber).readonly(),
      warnings: z.array(z.string()).readonly(),
      /** By the gateway's clock. */
      appliedAt: z.string(),
      clockSynchronized: z.boolean(),
      sequence: z.int(),
    })
    .optional(),
  receivedAt: time.optional(),
  /** The gateway's whole roster was equal to the desk's as of this revision, which is not below the operation's. */
  roster: z.object({ revision: z.int(), at: time }).optional(),
  /** Signed with the key that the desk's configuration has for the gateway; false where messages are unsigned. */
  isVerified: z.boolean(),
});
export type Proof = z.infer<typeof proofRecord>;

/** A request that was carried out under a name: the same again gives the same operation, another under that name is refused. */
export const requestRecord = z.object({ fingerprint: z.string(), operation: z.string(), at: time });
export type RequestRecord = z.infer<typeof requestRecord>;

export const gatewayRecord = z.object({
  gateway: z.string(),
  doors: z.array(z.string()).readonly(),
  firstSeen: time,
  lastSeen: time,
  isOnline: z.boolean(),
  roster: z.object({ revision: count, cards: count, digest: z.string() }).optional(),
  /** The statuses are signed with the key that the desk's configuration has for it. */
  isVerified: z.boolean(),
});
export type GatewayRecord = z.infer<typeof gatewayRecord>;

const tapRecord = z.object({
  gateway: z.string(),
  sequence: z.int(),
  door: z.string().nullable(),
  time: z.string(),
  event: z.string(),
  reason: z.string().nullable(),
});
export type Tap = z.infer<typeof tapRecord>;

/** What a card was seen doing. */
export const usageRecord = z.object({
  card: cardNumber,
  /** Of the binding that `granted` is about. */
  bindingRevision: z.int().nullable(),
  /** The first granted tap since the binding, by `gateway/door`. */
  granted: z.record(z.string(), tapRecord),
  lastGranted: tapRecord.optional(),
  /** Of the newest binding that was held to an activation reader. */
  activatedRevision: z.int().min(1).optional(),
  /** The newest taps, granted or not, the newest first. */
  taps: z.array(tapRecord).readonly(),
});
export type Usage = z.infer<typeof usageRecord>;
/** As many of a card's taps are kept at hand; the log of events has all of them. */
export const KEPT_TAPS = 20;

export const operatorRecord = z.object({
  name: z.string(),
  roles: z.array(z.enum(ROLES)).min(1).readonly(),
  /** `scrypt$N$r$p$salt$hash`, salt and hash in base64url. */
  password: z.string(),
  addedAt: time,
  isDisabled: z.boolean(),
  failures: count,
  lockedUntil: time.optional(),
});
export type OperatorRecord = z.infer<typeof operatorRecord>;

/** A session of an operator, or the token of a program. */
export const tokenRecord = z.object({
  id: z.string(),
  /** SHA-256, hex, of the secret part. */
  secretHash: z.string(),
  kind: z.enum(['session', 'token']),
  /** The operator, or the name that the token was given. */
  name: z.string(),
  /** Of a token; a session has those of its operator. */
  roles: z.array(z.enum(ROLES)).readonly(),
  createdAt: time,
  createdBy: z.string(),
  expiresAt: time.optional(),
});
export type TokenRecord = z.infer<typeof tokenRecord>;

export const auditRecord = z.object({
  sequence: z.int().min(1),
  time,
  operator: z.string(),
  action: z.string(),
  outcome: z.enum(['done', 'refused']),
  /** Who or what it was about: a person, a card, an operator. */
  subject: z.string().nullable(),
  operation: z.string().nullable(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  previousHash: z.string(),
  /** SHA-256 of the record's canonical JSON without `hash`. */
  hash: z.string(),
});
export type AuditRecord = z.infer<typeof auditRecord>;

export const BATCH_MODES = ['all', 'good'] as const;
export type BatchMode = (typeof BATCH_MODES)[number];

export const batchRow = z.object({
  /** Of the file, for the report; each occurs once. */
  line: z.int().min(1),
  cardholder: z.string(),
  newCard: z.string(),
  oldCard: z.string().optional(),
  reason: z.enum(REPLACEMENT_REASONS),
  note: z.string().optional(),
});
export type BatchRow = z.infer<typeof batchRow>;

/** A batch; its lines are records of their own. */
export const batchRecord = z.object({
  id: z.string(),
  operator: z.string(),
  roles: z.array(z.enum(ROLES)).readonly(),
  at: time,
  /** Of the rows: the same again is the same batch. */
  fingerprint: z.string(),
  mode: z.enum(BATCH_MODES),
  total: z.int().min(1),
  /** The number of the last operation before it. */
  after: count,
  finishedAt: time.optional(),
  /** The desk was restored from a backup before all lines were done: those that were not, are not done any more. */
  isBroken: z.literal(true).optional(),
});
export type BatchRecord = z.infer<typeof batchRecord>;

/** What became of one line of a batch. */
export const batchOutcomeRecord = z.object({
  line: z.int().min(1),
  outcome: z.enum(['done', 'already', 'refused']),
  operation: z.string().nullable(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
});
export type BatchOutcome = z.infer<typeof batchOutcomeRecord>;

export const batchLineRecord = z.object({ row: batchRow, outcome: batchOutcomeRecord.optional() });
export type BatchLine = z.infer<typeof batchLineRecord>;

export const metaRecord = z.object({
  format: z.literal(DESK_FORMAT),
  site: z.string(),
  epoch: z.string(),
  revision: count,
  /** The number of the last operation. */
  operations: count,
});
export type MetaRecord = z.infer<typeof metaRecord>;

/** Throws CardeaError `store-record-unreadable`. */
export const decodeRecord = <Schema extends z.ZodType>(
  schema: Schema,
  value: JsonValue,
  name: string,
): z.infer<Schema> => {
  const decoded = schema.safeParse(value);
  if (decoded.success) return decoded.data;
  const [issue] = decoded.error.issues;
  const where = issue?.path.join('.') ?? '';
  const message = `a record of the desk (${name}) is not one of format ${DESK_FORMAT}: ${where} ${issue?.message ?? ''}`;
  throw new CardeaError('store-record-unreadable', message);
};

/** What goes into the store: members that are undefined are left out. */
export const toJson = (record: object): JsonValue => JSON.parse(JSON.stringify(record));

export const OPERATION_PREFIX = 'op-';
const DIGITS = 9;
/** Keys sort as the operations were made. */
export const operationKey = (id: string): string => id.slice(OPERATION_PREFIX.length).padStart(DIGITS, '0');
export const sequenceKey = (sequence: number): string => String(sequence).padStart(16, '0');
export const proofKey = ({ operation, gateway }: Pick<Proof, 'operation' | 'gateway'>): string =>
  `${operationKey(operation)}/${gateway}`;
/** The proofs of the operation that is kept under `key`. */
export const proofsOf = (key: string) => ({ from: `${key}/`, to: `${key}0` });
/** Of a line of a batch, behind the batch itself, whose id has no `!`. */
export const batchLineKey = (batch: string, line: number): string => `${batch}!${sequenceKey(line)}`;
/** The lines of a batch, in their order. */
export const linesOf = (batch: string) => ({ from: `${batch}!`, to: `${batch}"` });
