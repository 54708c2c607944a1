// What a backup consists of, line by line, each a JSON object: a header, the records in the order in which they are restored, and an end
// that counts them. A version that is not known is refused.

import * as z from 'zod';
import type { AccessEvent } from '../domain/access-event.ts';
import { CARD_NUMBER_FORMATS } from '../domain/card-number.ts';
import { parseRevision, type Revision } from '../domain/ids.ts';
import { CardeaError } from '../errors.ts';

export const BACKUP_VERSION = 1;

/** The log goes on above the backup's, and has to have numbers left for that. */
const MOST_EVENTS = 2 ** 52;

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);
const revision = count.transform((value): Revision | 0 => parseRevision(value) ?? 0);

const header = z.strictObject({
  cardea: z.literal('backup'),
  version: z.literal(BACKUP_VERSION),
  /** Version of the program that made it. */
  program: z.string(),
  site: z.string(),
  gateway: z.string(),
  cardNumberFormat: z.enum(CARD_NUMBER_FORMATS),
  /** RFC 3339, by the gateway's clock. */
  createdAt: z.string(),
  roster: z.strictObject({
    revision,
    /** Live cards. */
    cards: count,
    epoch: z.string().nullable(),
    pastEpochs: z.array(z.string()),
    reconciled: revision,
  }),
  log: z
    .strictObject({
      /** Of the last event; 0 for none. */
      sequence: count.max(MOST_EVENTS),
      hash: z.string().regex(/^[0-9a-f]{64}$/),
      acknowledgedUpTo: count,
    })
    .refine(({ sequence, acknowledgedUpTo }) => acknowledgedUpTo <= sequence, 'more is acknowledged than there is'),
});

export type BackupHeader = z.infer<typeof header>;

const end = z.strictObject({
  kind: z.literal('end'),
  records: count,
  /** Records of the store that could not be read, and are not in the backup. */
  unreadable: count,
});

export type BackupEnd = z.infer<typeof end>;

/** Throws CardeaError `backup-invalid`. */
export const parseBackupHeader = (value: unknown): BackupHeader => {
  const version = z.looseObject({ cardea: z.literal('backup'), version: z.int() }).safeParse(value);
  if (!version.success) throw invalid('it does not begin as a backup of Cardea does');
  if (version.data.version > BACKUP_VERSION) {
    throw invalid(
      `it has format ${version.data.version}, this program reads ${BACKUP_VERSION}: restore it with the version that made it, or a newer one`,
    );
  }
  const parsed = header.safeParse(value);
  if (!parsed.success) throw invalid(`its header does not parse: ${z.prettifyError(parsed.error)}`);
  return parsed.data;
};

/** The end of a backup; undefined for a record. */
export const parseBackupEnd = (value: unknown): BackupEnd | undefined => {
  const parsed = end.safeParse(value);
  return parsed.success ? parsed.data : undefined;
};

const eventRecord = z.looseObject({
  kind: z.literal('event'),
  entry: z.looseObject({ event: z.looseObject({ sequence: count, hash: z.string(), previousHash: z.string() }) }),
});

/** The event in a record, of which only its place in the chain was looked at; undefined for another record. */
export const eventInRecord = (record: object): AccessEvent | undefined => {
  const parsed = eventRecord.safeParse(record);
  return parsed.success ? (parsed.data.entry.event as unknown as AccessEvent) : undefined;
};

/** Throws CardeaError `backup-invalid`. */
export const parseBackupLine = (line: string): object => {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (cause) {
    throw new CardeaError('backup-invalid', 'a line of the backup is not JSON', { cause });
  }
  if (typeof value === 'object' && value !== null) return value;
  throw invalid('a line of it is no object');
};

const invalid = (reason: string): CardeaError =>
  new CardeaError('backup-invalid', `the backup cannot be restored: ${reason}`);
