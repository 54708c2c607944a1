// The audit log, as the store has it.

import type { DeskStore } from '../ports/desk-store.ts';
import { type AuditRecord, auditRecord, decodeRecord, sequenceKey } from './records.ts';

type Store = Pick<DeskStore, 'entries'>;

export interface AuditRange {
  /** The first sequence number; the first of all where it is left out. */
  readonly from?: number;
  readonly limit?: number;
}

/** Rejects with CardeaError `store-record-unreadable`. */
export async function* auditRecords(store: Store, { from = 1, limit }: AuditRange = {}): AsyncGenerator<AuditRecord> {
  const range = { from: sequenceKey(from), ...(limit !== undefined && { limit }) };
  for await (const [key, value] of store.entries('audit', range)) {
    yield decodeRecord(auditRecord, value, `audit ${key}`);
  }
}
