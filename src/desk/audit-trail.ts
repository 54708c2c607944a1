// The desk's own log: every action of an operator and every refusal, numbered and hashed onto the one before. Records are made here
// and written with whatever they are about, in one batch.

import { canonicalJson, type JsonValue, sha256Hex } from '../domain/canonical-json.ts';
import { formatInstant, type Instant } from '../domain/units.ts';
import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import { type AuditRecord, auditRecord, decodeRecord, sequenceKey, toJson } from './records.ts';

/** `previousHash` of the first record. */
export const NO_HASH = '0'.repeat(64);

export type AuditEntry = Pick<AuditRecord, 'operator' | 'action' | 'outcome'> &
  Partial<Pick<AuditRecord, 'subject' | 'operation' | 'code' | 'detail'>>;

export class AuditTrail {
  #sequence: number;
  #hash: string;

  private constructor(last: Pick<AuditRecord, 'sequence' | 'hash'>) {
    this.#sequence = last.sequence;
    this.#hash = last.hash;
  }

  /** Goes on behind what the store has. */
  static async open(store: DeskStore): Promise<AuditTrail> {
    for await (const [, value] of store.entries('audit', { isReversed: true, limit: 1 })) {
      return new AuditTrail(decodeRecord(auditRecord, value, 'audit'));
    }
    return new AuditTrail({ sequence: 0, hash: NO_HASH });
  }

  /** The next record. It counts from now on, and has to be written with the next batch. */
  append(entry: AuditEntry, at: Instant): DeskPut {
    const { operator, action, outcome, subject = null, operation = null, code = null, detail = null } = entry;
    const fields = { operator, action, outcome, subject, operation, code, detail, time: formatInstant(at) };
    const record = { ...fields, sequence: this.#sequence + 1, previousHash: this.#hash };
    this.#sequence = record.sequence;
    this.#hash = hashOf(record);
    return { kind: 'audit', key: sequenceKey(record.sequence), value: { ...record, hash: this.#hash } };
  }
}

const hashOf = (record: Readonly<Record<string, JsonValue>>): string => sha256Hex(canonicalJson(record));

export interface AuditCheck {
  readonly records: number;
  /** Of the last record that is sound. */
  readonly hash: string;
  /** The first record that is not what was written, in words. */
  readonly fault?: string;
}

/** Follows the chain from the first record on. */
export const verifyAudit = async (records: AsyncIterable<AuditRecord>): Promise<AuditCheck> => {
  let count = 0;
  let last = NO_HASH;
  for await (const { hash, ...record } of records) {
    if (record.sequence !== count + 1) {
      return { records: count, hash: last, fault: `record ${count + 1} is missing: ${record.sequence} comes next` };
    }
    if (record.previousHash !== last || hashOf(toFields(record)) !== hash) {
      return { records: count, hash: last, fault: `record ${record.sequence} does not fit its hash: it was altered` };
    }
    count += 1;
    last = hash;
  }
  return { records: count, hash: last };
};

const toFields = (record: object): Readonly<Record<string, JsonValue>> => Object(toJson(record));
