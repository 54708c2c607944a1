// What goes over the desk's HTTP API: the shapes of requests and answers, for the server, for the command line, and for the
// OpenAPI document.
//
// 1. A member of a request that is not here is refused: a misspelt `validUntill` must not become a card that is valid for ever.
// 2. A member of an answer that is not here does not go out.

import * as z from 'zod';
import type { BatchView as DeskBatchView } from '../desk/batch-view.ts';
import type { LockdownAnswer as DeskLockdownAnswer } from '../desk/lockdown-desk.ts';
import { ROLES } from '../desk/permissions.ts';
import type { OperationProof } from '../desk/proof.ts';
import {
  accessRecord,
  auditRecord,
  BATCH_MODES,
  batchOutcomeRecord,
  cardRecord,
  EMPLOYEE_STATUSES,
  employeeRecord,
  gatewayRecord,
  operationRecord,
  REPLACEMENT_REASONS,
  usageRecord,
} from '../desk/records.ts';
import type { RefusalCode } from '../desk/refusal.ts';
import { REPORTS, type ReportName } from '../desk/report.ts';
import { EXPORT_STATUSES } from '../desk/roster-export.ts';
import { REVOCATION_REASONS } from '../domain/credential.ts';
import { SLUG } from '../domain/ids.ts';

/** Of the body of a request, in bytes. */
export const MOST_BYTES = 64 * 1024;
/** The same for imports and batches. */
export const MOST_LIST_BYTES = 8 * 1024 * 1024;
/** How long an answer may be waited for, in seconds. */
export const LONGEST_WAIT = 60;

const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

const text = (most: number) =>
  z
    .string()
    .min(1)
    .max(most)
    .regex(/^[^\p{Cc}\p{Cs}]*$/u, { error: 'must have no control characters' });
const isOfYears = (text: string): boolean => Date.parse(text) >= 0 && Date.parse(text) <= LAST_TIME;
const YEARS = { error: 'must be within the years 1970 to 9999, in UTC, too' };
const time = z.iso
  .datetime({ offset: true, error: 'must be an RFC 3339 time with offset, such as 2026-11-22T09:00:00+08:00' })
  .regex(/T\d\d:\d\d:\d\d/, { error: 'must have seconds' })
  .refine(isOfYears, YEARS)
  .meta({ format: 'date-time' });
/** A date, or a time. */
const day = z.union([z.iso.date().refine(isOfYears, YEARS), time], {
  error: 'must be a date, such as 2026-11-01, or an RFC 3339 time with offset, of the years 1970 to 9999',
});
const count = z.int().min(0);
const cardholder = text(64).describe('Id of the person.');
const card = text(64).describe('Card number in the format of the site; separators in hex are removed.');
const note = text(300).describe('In the words of whoever does it, for the record.');
const doorId = z.string();
const roles = z.array(z.enum(ROLES)).min(1).max(ROLES.length);
// As gateways take them: what is kept of a person goes out with every card.
const slug = z.string().regex(SLUG);
const doorOrAll = z.string().regex(new RegExp(`^\\*$|${SLUG.source}`));
const access = z
  .array(
    z.union(
      [
        z.strictObject({ doors: z.array(doorOrAll).min(1).max(256).readonly(), schedule: slug.default('always') }),
        z.strictObject({ level: slug }),
      ],
      { error: 'must have doors, or doors and schedule, or level, each named by a-z, 0-9 and dashes' },
    ),
  )
  .min(1)
  .max(64)
  .readonly()
  .describe('What a card opens: doors at their times (`*` is every door), or an access level that the gateways know.')
  .meta({ id: 'Access' });

/** In a query everything is text. */
const flag = z.enum(['true', 'false']).transform((value) => value === 'true');
const limit = (most: number, usual: number) =>
  z
    .string()
    .regex(/^\d{1,6}$/)
    .transform(Number)
    .pipe(z.int().min(1).max(most))
    .default(usual);
const wait = z
  .string()
  .regex(/^\d{1,2}$/)
  .transform(Number)
  .pipe(z.int().min(0).max(LONGEST_WAIT));

// Problems (RFC 9457).

export const PROBLEM_TYPE = 'application/problem+json';

/** Beyond what the desk itself refuses: what is wrong with the request as such. */
export type ProblemCode =
  | RefusalCode
  | 'not-found'
  | 'not-json'
  | 'wrong-media-type'
  | 'store-unavailable'
  | 'internal-error';

/** What is wrong with a line of a batch. */
export const batchFault = z.object({
  line: z.int(),
  code: z.string(),
  detail: z.string(),
  path: z.string().optional(),
});
export type BatchFault = z.output<typeof batchFault>;

export const problem = z
  .object({
    type: z.string().describe('`urn:cardea:desk:` and the code.'),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe('For the person who asked: what is wrong, with which value, and what to do.'),
    code: z.string(),
    path: z.string().optional().describe('Where in the request, such as newCard or employees[3].name.'),
    faults: z.array(batchFault).optional().describe('Of a batch whose lines are faulty.'),
  })
  .describe('Why a request was refused.')
  .meta({ id: 'Problem' });
export type Problem = z.output<typeof problem>;

// Sessions.

export const sessionRequest = z.strictObject({ name: text(64), password: z.string().min(1).max(1024) });
export type SessionRequest = z.input<typeof sessionRequest>;
export const sessionAnswer = z.object({
  token: z.string().describe('To be sent as `Authorization: Bearer ...`.'),
  name: z.string(),
  roles: z.array(z.enum(ROLES)),
  expiresAt: z.string(),
});
export type SessionAnswer = z.output<typeof sessionAnswer>;

// The desk and its gateways.

export const healthAnswer = z.object({ status: z.literal('ok') });

export const statusAnswer = z.object({
  site: z.string(),
  version: z.string(),
  isConnected: z.boolean().describe('To the broker.'),
  unsent: count.describe('Messages that the broker has not taken.'),
  employees: count,
  cards: count.describe('Cards that are live.'),
  revision: count,
  epoch: z.string(),
  openOperations: count.describe('Operations that not every gateway has confirmed.'),
  overdueOperations: count.describe('Those of them whose deadline is over.'),
  gateways: z.array(
    z.object({
      gateway: z.string(),
      isOnline: z.boolean(),
      isVerified: z.boolean().describe('Its statuses are signed with its key.'),
      lastSeen: z.string(),
      doors: z.array(doorId),
      isCurrent: z.boolean().describe("Its roster is equal to the desk's."),
    }),
  ),
});
export type StatusAnswer = z.output<typeof statusAnswer>;

export const gatewayAnswer = gatewayRecord.extend({ isCurrent: z.boolean() }).meta({ id: 'Gateway' });
export type GatewayAnswer = z.output<typeof gatewayAnswer>;
export const gatewaysAnswer = z.object({ gateways: z.array(gatewayAnswer) });
export type GatewaysAnswer = z.output<typeof gatewaysAnswer>;

export const presentationQuery = z.strictObject({ gateway: text(63), reader: text(63), wait: wait.default(0) });
export type PresentationQuery = z.input<typeof presentationQuery>;
export const presentationAnswer = z.object({
  card: z.string(),
  gateway: z.string(),
  reader: z.string(),
  time: z.string(),
});
export type PresentationAnswer = z.output<typeof presentationAnswer>;

export const lockdownRequest = z.strictObject({
  reason: text(200),
  end: z.boolean().optional().describe('Ends the lockdown.'),
  until: time.optional().describe('When it ends by itself.'),
});
export type LockdownRequest = z.input<typeof lockdownRequest>;
export const lockdownAnswer = z.object({
  messageId: z.string().describe('Of the command; receipts name it.'),
  action: z.enum(['lockdown', 'end-lockdown']),
  reason: z.string(),
  operator: z.string(),
  issuedAt: z.string(),
  expiresAt: z.string().describe('Gateways that it has not reached by then do not carry it out.'),
  until: z.string().nullable(),
  receipts: z
    .array(
      z.object({
        gateway: z.string(),
        result: z.enum(['applied', 'duplicate', 'stale', 'rejected']),
        code: z.string().nullable(),
        detail: z.string().nullable(),
        doors: z.array(doorId).readonly().describe('On which it took effect.'),
        warnings: z.array(z.string()).readonly(),
        isVerified: z.boolean().describe("Signed with the gateway's key."),
      }),
    )
    .readonly(),
  missing: z.array(z.string()).readonly().describe('Gateways that are online and have not answered.'),
  offline: z.array(z.string()).readonly().describe('Gateways that are offline and have not answered.'),
}) satisfies z.ZodType<DeskLockdownAnswer>;
export type LockdownAnswer = z.output<typeof lockdownAnswer>;

// People.

export const employeeAnswer = employeeRecord.meta({ id: 'Employee' });
export type EmployeeAnswer = z.output<typeof employeeAnswer>;
const cardView = cardRecord.meta({ id: 'Card' });
export const employeeWithCards = employeeRecord.extend({ cards: z.array(cardView) }).meta({ id: 'EmployeeWithCards' });
export type EmployeeWithCards = z.output<typeof employeeWithCards>;

export const employeesQuery = z.strictObject({
  q: z.string().max(200).default('').describe('Words of the name, of the id or of the department, or a card number.'),
  status: z.enum(EMPLOYEE_STATUSES).optional(),
  limit: limit(1000, 50),
});
export type EmployeesQuery = z.input<typeof employeesQuery>;
export const employeesAnswer = z.object({
  employees: z.array(employeeWithCards).describe('With the cards that are live.'),
});
export type EmployeesAnswer = z.output<typeof employeesAnswer>;

export const newEmployee = z.strictObject({
  id: cardholder,
  name: text(200),
  department: z.string().max(200).optional(),
  access: access.optional().describe("What the person's cards open; what the desk is configured with by default."),
});
export type NewEmployee = z.input<typeof newEmployee>;
export const employeeChange = newEmployee.omit({ id: true }).partial();
export type EmployeeChange = z.input<typeof employeeChange>;
export const leaveRequest = z.strictObject({ note: note.optional() });
export type LeaveRequest = z.input<typeof leaveRequest>;

export const importRequest = z.strictObject({ employees: z.array(newEmployee).max(200_000) });
export type ImportRequest = z.input<typeof importRequest>;
export const importAnswer = z.object({ added: count, changed: count, unchanged: count });
export type ImportAnswer = z.output<typeof importAnswer>;

const format = z.enum(['json', 'csv']).default('json');

export const exportQuery = z.strictObject({
  format,
  status: z
    .enum(EXPORT_STATUSES)
    .default('active')
    .describe('Whom. Who has left would be there again where the export is imported into another desk.'),
});
export type ExportQuery = z.input<typeof exportQuery>;
export const rosterExport = z.object({
  site: z.string(),
  exportedAt: z.string(),
  revision: count,
  employees: z.array(employeeWithCards),
});
export type RosterExport = z.output<typeof rosterExport>;

// Operations.

const tapFields = z.object({
  gateway: z.string(),
  sequence: z.int(),
  door: z.string().nullable(),
  time: z.string(),
  event: z.string(),
  reason: z.string().nullable(),
});
const tap = tapFields.meta({ id: 'Tap' });

const doorProof = z.object({
  door: doorId,
  isExpected: z
    .boolean()
    .nullable()
    .describe('Whether the new card is meant to open it; null where only an access level tells.'),
  opens: z.boolean().nullable().describe('By the receipt of the gateway; null without one.'),
  firstGranted: tap.nullable(),
});

const gatewayProof = z.object({
  gateway: z.string(),
  isOnline: z.boolean(),
  state: z.enum(['unsent', 'waiting', 'confirmed', 'refused', 'unverified']),
  by: z.enum(['receipt', 'roster']).nullable(),
  isVerified: z.boolean(),
  appliedAt: z.string().nullable(),
  heardAt: z.string().nullable(),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  warnings: z.array(z.string()).readonly(),
  doors: z.array(doorProof).readonly(),
  oldCardTaps: z.array(tapFields.extend({ card: z.string() })).readonly(),
});

export const OPERATION_STATES = ['unsent', 'open', 'overdue', 'refused', 'confirmed'] as const;

const operationProof = z.object({
  state: z.enum(OPERATION_STATES),
  gateways: z.array(gatewayProof).readonly(),
  missing: z.array(z.string()).readonly().describe('Gateways that have not confirmed.'),
  closedDoors: z.array(z.string()).readonly().describe('`gateway/door` that should open and does not.'),
}) satisfies z.ZodType<OperationProof>;

export const operationView = z
  .object({
    operation: operationRecord.extend({ message: operationRecord.shape.message.omit({ json: true }) }),
    proof: operationProof,
  })
  .meta({ id: 'OperationView' });
/** An operation, and what is proven of it. */
export type OperationView = z.output<typeof operationView>;

const rights = {
  access: access.optional(),
  validFrom: time.optional(),
  validUntil: time.optional(),
  isPending: z.boolean().optional().describe('It opens nothing until it is held to an activation reader.'),
  overridesLockdown: z.boolean().optional(),
  extendedRelease: z.boolean().optional(),
  isReused: z.boolean().optional().describe('Takes a card that was once reported lost or stolen.'),
};

export const replacementRequest = z.strictObject({
  cardholder,
  newCard: card,
  oldCard: card.optional().describe('Needed where the person has several.'),
  reason: z.enum(REPLACEMENT_REASONS),
  note: note.optional(),
  ...rights,
});
export type ReplacementRequest = z.input<typeof replacementRequest>;

export const bindingRequest = z.strictObject({
  cardholder,
  card,
  isTemporary: z.boolean().optional().describe('Valid until validUntil, which is needed then.'),
  note: note.optional(),
  ...rights,
});
export type BindingRequest = z.input<typeof bindingRequest>;

export const lossRequest = z
  .strictObject({
    card: card.optional(),
    cardholder: cardholder.optional(),
    reason: z.enum(['lost', 'stolen']),
    note: note.optional(),
  })
  .describe('A card, or the person who has only one.');
export type LossRequest = z.input<typeof lossRequest>;

export const reinstatementRequest = z.strictObject({
  card,
  keepsOthers: z.boolean().optional().describe('Although the person has other cards by now.'),
  note: note.optional(),
});
export type ReinstatementRequest = z.input<typeof reinstatementRequest>;

export const revocationRequest = z.strictObject({
  card,
  reason: z.enum(REVOCATION_REASONS),
  note: note.optional(),
});
export type RevocationRequest = z.input<typeof revocationRequest>;

export const changeQuery = z.strictObject({
  preview: flag.optional().describe('Nothing is done: the answer tells what would be.'),
});
export type ChangeQuery = z.input<typeof changeQuery>;

export const previewAnswer = z.object({
  preview: z.object({
    cardholder: employeeAnswer.nullable(),
    stoppedCards: z.array(z.string()).readonly(),
    newCard: z.string().nullable(),
    access: accessRecord.nullable(),
    validFrom: z.string().nullable(),
    validUntil: z.string().nullable(),
    activation: z.enum(['active', 'pending']).nullable(),
    doors: z.array(doorId).readonly().describe('Doors that are known and that the new card is meant to open.'),
  }),
});
export type PreviewAnswer = z.output<typeof previewAnswer>;

const olderThan = z
  .string()
  .regex(/^op-[1-9]\d{0,8}$/)
  .optional()
  .describe('Only operations that are older than this one.');

export const operationsQuery = z.strictObject({
  state: z.enum(OPERATION_STATES).optional(),
  cardholder: cardholder.optional(),
  card: card.optional(),
  limit: limit(500, 50),
  before: olderThan,
});
export type OperationsQuery = z.input<typeof operationsQuery>;
export const operationsAnswer = z.object({
  operations: z.array(operationView).describe('The newest first.'),
  next: z.string().nullable().describe('For `before`, to go on with; null where there are no more.'),
});
export type OperationsAnswer = z.output<typeof operationsAnswer>;

export const operationQuery = z.strictObject({
  wait: wait
    .optional()
    .describe('Answers as soon as the operation is confirmed or refused, or after that many seconds.'),
});
export type OperationQuery = z.input<typeof operationQuery>;

// Cards and histories.

const aboutCard = { holder: employeeAnswer.nullable(), usage: usageRecord.nullable() };
export const cardAnswer = z.discriminatedUnion('state', [
  cardRecord.options[0].extend(aboutCard),
  cardRecord.options[1].extend(aboutCard),
]);
export type CardAnswer = z.output<typeof cardAnswer>;

const auditView = auditRecord.meta({ id: 'AuditRecord' });
export const historyQuery = z.strictObject({ limit: limit(500, 50), before: olderThan });
export type HistoryQuery = z.input<typeof historyQuery>;
const next = z.string().nullable().describe('For `before`, to go on with; null where there are no more.');
export const employeeHistory = z.object({ operations: z.array(operationView), next, audit: z.array(auditView) });
export type EmployeeHistory = z.output<typeof employeeHistory>;
export const cardHistory = z.object({ operations: z.array(operationView), next, taps: z.array(tap) });
export type CardHistory = z.output<typeof cardHistory>;

// Batches.

export const batchId = z
  .string()
  .regex(/^[\w.:-]{1,64}$/, { error: 'must be 1 to 64 letters, digits, dots, colons, dashes and underscores' });

export const batchRequest = z.strictObject({
  id: batchId.optional().describe('The same batch again is not done again. Made of the rows where it is left out.'),
  mode: z.enum(BATCH_MODES).describe('all: nothing is done where a line is faulty. good: the other lines are.'),
  dryRun: z.boolean().optional(),
  rows: z
    .array(
      z.strictObject({
        line: z.int().min(1).describe('Of the file, for the report.'),
        cardholder: z.string().max(200),
        newCard: z.string().max(200),
        oldCard: z.string().max(200).optional(),
        reason: z.enum(REPLACEMENT_REASONS),
        note: note.optional(),
      }),
    )
    .min(1)
    .max(20_000),
});
export type BatchRequest = z.input<typeof batchRequest>;

export const dryRunAnswer = z.object({ faults: z.array(batchFault) });
export type DryRunAnswer = z.output<typeof dryRunAnswer>;

export const batchView = z.object({
  id: z.string(),
  operator: z.string(),
  at: z.string(),
  mode: z.enum(BATCH_MODES),
  state: z
    .enum(['running', 'finished', 'broken'])
    .describe('broken: the desk was restored from a backup meanwhile, and what was not done is not done any more.'),
  total: count,
  done: count,
  already: count,
  refused: count,
  confirmed: count.describe('Lines whose operations every gateway has confirmed.'),
  finishedAt: z.string().nullable(),
  lines: z
    .array(
      batchOutcomeRecord.extend({
        cardholder: z.string(),
        newCard: z.string(),
        state: z.enum(OPERATION_STATES).nullable().describe('Of its operation; null where there is none.'),
        missing: z.array(z.string()).readonly().describe('Gateways that have not confirmed it.'),
        closedDoors: z.array(z.string()).readonly(),
      }),
    )
    .readonly()
    .describe('Those that have been dealt with.'),
}) satisfies z.ZodType<DeskBatchView>;
export type BatchView = z.output<typeof batchView>;
export const batchQuery = z.strictObject({
  wait: wait
    .optional()
    .describe('Answers as soon as all gateways have confirmed or refused all lines, or after that many seconds.'),
  lines: z.enum(['all', 'none']).default('all').describe('none: only how many.'),
});
export type BatchQuery = z.input<typeof batchQuery>;
export const batchReportQuery = z.strictObject({ format });
export type BatchReportQuery = z.input<typeof batchReportQuery>;

// Reports.

export { REPORTS, type ReportName };

export const reportQuery = z.strictObject({
  from: day.optional().describe('A date, such as 2026-11-01, or a time.'),
  to: day.optional().describe('The same; it is part of the period.'),
  timezone: text(64)
    .optional()
    .describe('In which days begin and times are told, such as Asia/Taipei; UTC by default.'),
  operator: text(64).optional(),
  reason: text(64).optional(),
  cardholder: cardholder.optional(),
  format,
});
export type ReportQuery = z.input<typeof reportQuery>;
const reportCell = z
  .union([z.string(), z.number(), z.boolean(), z.null(), z.array(z.union([z.string(), z.number()]))])
  .describe('A list is one cell of CSV, with semicolons.');
export const reportAnswer = z.object({
  report: z.enum([...REPORTS, 'batch']),
  generatedAt: z.string(),
  columns: z.array(z.string()),
  rows: z.array(z.record(z.string(), reportCell)),
});
export type ReportAnswer = z.output<typeof reportAnswer>;

// The audit log.

export const auditQuery = z.strictObject({
  from: z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.int().min(1))
    .default(1)
    .describe('The first sequence number.'),
  limit: limit(1000, 100),
});
export type AuditQuery = z.input<typeof auditQuery>;
export const auditAnswer = z.object({ records: z.array(auditView) });
export type AuditAnswer = z.output<typeof auditAnswer>;
export const auditCheck = z.object({
  records: count.describe('Sound records, from the first one on.'),
  hash: z.string().describe('Of the last of them.'),
  fault: z.string().optional().describe('The first record that is not what was written, in words.'),
});
export type AuditCheck = z.output<typeof auditCheck>;

// Operators and tokens.

export const operatorAnswer = z.object({
  name: z.string(),
  roles: z.array(z.enum(ROLES)).readonly(),
  addedAt: z.string(),
  isDisabled: z.boolean(),
  lockedUntil: z.string().nullable().describe('After too many wrong passwords.'),
});
export type OperatorAnswer = z.output<typeof operatorAnswer>;
export const operatorsAnswer = z.object({ operators: z.array(operatorAnswer) });
export type OperatorsAnswer = z.output<typeof operatorsAnswer>;

const password = z.string().max(1024).describe('12 characters or more, without the name in it.');
export const newOperator = z.strictObject({ name: text(64), password, roles });
export type NewOperator = z.input<typeof newOperator>;
export const operatorChange = z.strictObject({
  roles: roles.optional(),
  password: password.optional(),
  isDisabled: z.boolean().optional(),
});
export type OperatorChange = z.input<typeof operatorChange>;
export const passwordChange = z.strictObject({ old: z.string().max(1024), new: password });
export type PasswordChange = z.input<typeof passwordChange>;

export const tokenAnswer = z.object({
  id: z.string(),
  name: z.string(),
  roles: z.array(z.enum(ROLES)).readonly(),
  createdAt: z.string(),
  createdBy: z.string(),
  expiresAt: z.string().nullable(),
});
export type TokenAnswer = z.output<typeof tokenAnswer>;
export const tokensAnswer = z.object({ tokens: z.array(tokenAnswer) });
export type TokensAnswer = z.output<typeof tokensAnswer>;
export const newToken = z.strictObject({ name: text(64), roles, expiresAt: time.optional() });
export type NewToken = z.input<typeof newToken>;
export const newTokenAnswer = tokenAnswer.extend({ token: z.string().describe('Shown this once.') });
export type NewTokenAnswer = z.output<typeof newTokenAnswer>;
