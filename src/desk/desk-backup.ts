// A backup of the desk as lines of JSON: a header, every record of the store, and an end that counts them. And back: into a store that
// is empty.
//
// 1. All records are those of one moment, also while the desk goes on.
// 2. Nothing is written before the whole backup was read and found sound, and of this site; the record that makes a store of it comes
//    last.
// 3. The restored desk has an epoch that there never was, and counts on above every revision that a gateway may have seen
//    (Roster.fromBackup): what it sends is never taken for something older.
// 4. What was under way is not sent again: gateways are brought to the restored roster, which tells of it. Sessions and tokens are
//    gone, operators stay. The audit log goes on behind the record of the restore.

import * as z from 'zod';
import type { JsonValue } from '../domain/canonical-json.ts';
import { formatInstant, type Instant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { DeskPut, DeskRecordKind, DeskStore } from '../ports/desk-store.ts';
import { parseBackupEnd, parseBackupLine } from '../wire/backup-format.ts';
import { AuditTrail } from './audit-trail.ts';
import {
  auditRecord,
  batchLineRecord,
  batchRecord,
  cardRecord,
  DESK_FORMAT,
  decodeRecord,
  employeeRecord,
  gatewayRecord,
  type MetaRecord,
  metaRecord,
  operationRecord,
  operatorRecord,
  proofRecord,
  requestRecord,
  toJson,
  tokenRecord,
  usageRecord,
} from './records.ts';

export const DESK_BACKUP_VERSION = 1;
/** Revisions and operations that the lost desk may have given out since the backup, and more. */
const REVISIONS_AHEAD = 1_000_000;
const OPERATIONS_AHEAD = 10_000;
/** The roster counts on above it, and has to have numbers left for that. */
export const MOST_REVISION = 2 ** 52;
/** Records that are written in one go. */
const PIECE = 1_000;

const header = z.strictObject({
  cardea: z.literal('desk-backup'),
  version: z.literal(DESK_BACKUP_VERSION),
  /** Version of the program that made it. */
  program: z.string(),
  /** Of the records. */
  format: z.literal(DESK_FORMAT),
  site: z.string(),
  createdAt: z.string(),
});
export type DeskBackupHeader = z.infer<typeof header>;

/** Rejects with CardeaError `backup-failed` for a store without a desk in it, and as the store does. */
export async function* deskBackupLines(
  store: DeskStore,
  { program, now }: { readonly program: string; readonly now: Instant },
): AsyncGenerator<string> {
  const meta = await store.read('meta', META_KEY);
  if (meta === undefined) throw new CardeaError('backup-failed', 'there is no desk whose records could be kept');
  const { site } = decodeRecord(metaRecord, meta, 'meta');
  const first: DeskBackupHeader = {
    cardea: 'desk-backup',
    ...{ version: DESK_BACKUP_VERSION, program, format: DESK_FORMAT, site, createdAt: formatInstant(now) },
  };
  yield JSON.stringify(first);
  let records = 0;
  for await (const { kind, key, value } of store.records()) {
    records += 1;
    yield JSON.stringify({ kind, key, value });
  }
  yield JSON.stringify({ kind: 'end', records, unreadable: 0 });
}

/** A backup that was read to its end. */
export interface CheckedDeskBackup {
  readonly header: DeskBackupHeader;
  readonly meta: MetaRecord;
  readonly records: number;
  readonly employees: number;
  /** Live cards. */
  readonly cards: number;
  /** Keys of the operations that not every gateway had confirmed. */
  readonly openOperations: ReadonlySet<string>;
  /** The highest revision that a gateway had told by then. */
  readonly toldRevision: number;
}

/** Reads all of it. Rejects with CardeaError `backup-invalid`, also for one of another site. */
export const checkDeskBackup = async (lines: AsyncIterable<string>, site: string): Promise<CheckedDeskBackup> => {
  let first: DeskBackupHeader | undefined;
  let end: ReturnType<typeof parseBackupEnd>;
  const census = new Census();
  for await (const line of lines) {
    const value = parseBackupLine(line);
    if (end !== undefined) throw invalid('something stands behind its end');
    if (first === undefined) {
      first = parseHeader(value, site);
      continue;
    }
    end = parseBackupEnd(value);
    if (end === undefined) census.add(recordIn(value));
  }
  const { meta, records, employees, cards, open, toldRevision } = census;
  if (first === undefined || end?.records !== records || meta === undefined) throw invalid('it is not whole');
  return { header: first, meta, records, employees, cards, openOperations: open, toldRevision };
};

/** Counts what a backup has. */
class Census {
  meta: MetaRecord | undefined;
  records = 0;
  employees = 0;
  cards = 0;
  toldRevision = 0;
  readonly open = new Set<string>();

  add({ kind, key, value }: BackupRecord): void {
    this.records += 1;
    if (kind === 'meta' && key === META_KEY) this.meta = decodeRecord(metaRecord, value, 'meta');
    if (kind === 'employee') this.employees += 1;
    if (kind === 'card' && Object(value).state === 'live') this.cards += 1;
    if (kind === 'open-operation' && value === null) this.open.add(key);
    if (kind === 'gateway') {
      const { revision = 0 } = decodeRecord(gatewayRecord, value, 'gateway').roster ?? {};
      this.toldRevision = Math.max(this.toldRevision, revision);
    }
  }
}

export interface RestoreOptions {
  /** Never used before; 1 to 64 characters. */
  readonly epoch: string;
  /** The highest revision that gateways have told since, where somebody knows it. */
  readonly atLeast?: number | undefined;
  /** Who restores. */
  readonly operator: string;
  readonly now: Instant;
}

export interface RestoredDesk {
  readonly epoch: string;
  readonly revision: number;
  readonly records: number;
}

/**
 * Writes a backup that was checked into a store that is empty. Rejects with CardeaError `backup-invalid` for a store that is not, and
 * with `store-write-failed`; what is there then is not to be used.
 */
export const restoreDesk = async (
  lines: AsyncIterable<string>,
  store: DeskStore,
  checked: CheckedDeskBackup,
  options: RestoreOptions,
): Promise<RestoredDesk> => {
  for await (const { kind } of store.records())
    throw invalid(`there are records already (${kind}); restore into an empty folder`);
  const meta = restoredMeta(checked, options);
  let puts: DeskPut[] = [];
  let records = 0;
  let isHeader = true;
  for await (const line of lines) {
    const value = parseBackupLine(line);
    if (isHeader || parseBackupEnd(value) !== undefined) {
      isHeader = false;
      continue;
    }
    const record = restoredRecord(recordIn(value), checked, options);
    if (record === undefined) continue;
    puts.push(record);
    records += 1;
    if (puts.length < PIECE) continue;
    await store.write(puts);
    puts = [];
  }
  await store.write(puts);
  await finish(store, meta, checked, options);
  return { epoch: meta.epoch, revision: meta.revision, records };
};

/** Behind what the audit log has: who restored what. */
const finish = async (
  store: DeskStore,
  meta: MetaRecord,
  { header: { createdAt }, meta: before }: CheckedDeskBackup,
  { operator, now }: RestoreOptions,
): Promise<void> => {
  const audit = await AuditTrail.open(store);
  const detail = `backup of ${createdAt}, revision ${before.revision} of epoch ${before.epoch}; goes on above ${meta.revision} in epoch ${meta.epoch}`;
  const entry = { operator, action: 'restore-backup', outcome: 'done', detail } as const;
  await store.write([audit.append(entry, now), { kind: 'meta', key: META_KEY, value: toJson(meta) }]);
};

const restoredMeta = (
  { meta, toldRevision }: CheckedDeskBackup,
  { epoch, atLeast = 0 }: RestoreOptions,
): MetaRecord => {
  if (epoch === meta.epoch) throw invalid(`the epoch ${epoch} is its own; choose one never used before`);
  // One gateway's word, or an operator's, says nothing of what the others have seen.
  const revision = Math.max(meta.revision + REVISIONS_AHEAD, toldRevision, atLeast);
  if (revision > MOST_REVISION) throw invalid(`the revision ${revision} leaves no room to count on`);
  return { ...meta, epoch, revision, operations: meta.operations + OPERATIONS_AHEAD };
};

interface BackupRecord {
  readonly kind: DeskRecordKind;
  readonly key: string;
  readonly value: JsonValue;
}

/** As it is kept from now on; undefined for what is not. */
const restoredRecord = (
  { kind, key, value }: BackupRecord,
  { openOperations }: CheckedDeskBackup,
  { now }: RestoreOptions,
): DeskPut | undefined => {
  const at = formatInstant(now);
  switch (kind) {
    // The last one to be written.
    case 'meta':
      return key === META_KEY ? undefined : { kind, key, value };
    case 'token':
      return undefined;
    case 'operation':
      return { kind, key, value: openOperations.has(key) ? { ...toObject(value), restoredAt: at } : value };
    case 'batch':
      return { kind, key, value: isUnfinished(key, value) ? { ...toObject(value), isBroken: true } : value };
    // Until it is heard.
    case 'gateway':
      return { kind, key, value: { ...toObject(value), isOnline: false } };
    default:
      return { kind, key, value };
  }
};

const isUnfinished = (key: string, value: JsonValue): boolean =>
  !isLine(key) && decodeRecord(batchRecord, value, `batch ${key}`).finishedAt === undefined;

const isLine = (key: string): boolean => key.includes('!');

const toObject = (value: JsonValue): Readonly<Record<string, JsonValue | undefined>> => Object(value);

const parseHeader = (value: object, site: string): DeskBackupHeader => {
  const version = z.looseObject({ cardea: z.literal('desk-backup'), version: z.int() }).safeParse(value).data;
  if (version === undefined) throw invalid('it does not begin as a backup of a desk does');
  const { format = DESK_FORMAT } = z.looseObject({ format: z.int() }).safeParse(value).data ?? {};
  if (version.version > DESK_BACKUP_VERSION || format > DESK_FORMAT) {
    throw invalid('a newer version has made it: restore it with that one, or with a newer one');
  }
  const parsed = header.safeParse(value);
  if (!parsed.success) throw invalid(`its header does not parse: ${z.prettifyError(parsed.error)}`);
  if (parsed.data.site !== site) throw invalid(`it is of site ${parsed.data.site}, this is ${site}`);
  return parsed.data;
};

const nothing = z.null();
/** What the records of each kind are; events are the gateways' own. */
const SCHEMAS: Readonly<Record<DeskRecordKind, z.ZodType>> = {
  meta: metaRecord,
  employee: employeeRecord,
  card: cardRecord,
  operation: operationRecord,
  'open-operation': nothing,
  'person-operation': nothing,
  'card-operation': nothing,
  proof: proofRecord,
  request: requestRecord,
  batch: z.union([batchRecord, batchLineRecord]),
  gateway: gatewayRecord,
  usage: usageRecord,
  event: z.looseObject({}),
  operator: operatorRecord,
  token: tokenRecord,
  audit: auditRecord,
};

const recordLine = z.strictObject({
  kind: z.string().refine((kind): kind is DeskRecordKind => Object.hasOwn(SCHEMAS, kind), 'is no kind of record'),
  key: z.string().min(1).max(200),
  /** JSON, as it has been parsed. */
  value: z.custom<JsonValue>((value) => value !== undefined),
});

/** Throws CardeaError `backup-invalid`. */
const recordIn = (value: object): BackupRecord => {
  const line = recordLine.safeParse(value);
  if (!line.success) throw invalid(`a line of it is no record: ${z.prettifyError(line.error)}`);
  const { kind, key } = line.data;
  const decoded = SCHEMAS[kind].safeParse(line.data.value);
  if (decoded.success) return line.data;
  throw invalid(`its record ${kind} ${shown(kind, key)} is not what one has to be: ${z.prettifyError(decoded.error)}`);
};

/** Keys of other kinds hold ids of people and numbers of cards. */
const shown = (kind: DeskRecordKind, key: string): string =>
  kind === 'operation' || kind === 'audit' || kind === 'gateway' ? key : '';

const META_KEY = 'desk';

const invalid = (reason: string): CardeaError =>
  new CardeaError('backup-invalid', `the backup cannot be restored: ${reason}`);
