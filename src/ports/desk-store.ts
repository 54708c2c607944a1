// Where the desk keeps what it knows: records of several kinds, each under a key, as JSON. What they mean is the desk's.

import type { JsonValue } from '../domain/canonical-json.ts';

export type DeskRecordKind =
  | 'meta'
  | 'employee'
  | 'card'
  | 'operation'
  | 'open-operation'
  | 'person-operation'
  | 'card-operation'
  | 'proof'
  | 'request'
  | 'batch'
  | 'gateway'
  | 'usage'
  | 'event'
  | 'operator'
  | 'token'
  | 'audit';

/** A record as it stands in the store. */
export interface DeskRecord {
  /** A DeskRecordKind, unless a later version has written there. */
  readonly kind: string;
  readonly key: string;
  readonly value: JsonValue;
}

/** `value: undefined` removes the record. */
export interface DeskPut {
  readonly kind: DeskRecordKind;
  /** 1 to 200 characters; records are sorted by it. */
  readonly key: string;
  readonly value: JsonValue | undefined;
}

/** Keys from `from` on, up to and without `to`; all where a bound is left out. */
export interface KeyRange {
  readonly from?: string;
  readonly to?: string;
  /** Last key first. */
  readonly isReversed?: boolean;
  readonly limit?: number;
}

export interface DeskStore {
  /** Rejects with CardeaError `store-record-unreadable` for what does not decode. */
  read(kind: DeskRecordKind, key: string): Promise<JsonValue | undefined>;
  /** In the order of the keys, as they were when the first one was asked for. Rejects as `read` does. */
  entries(kind: DeskRecordKind, range?: KeyRange): AsyncIterable<readonly [key: string, value: JsonValue]>;
  /** As `entries`, without looking at the values. */
  keys(kind: DeskRecordKind, range?: KeyRange): AsyncIterable<string>;
  /** Every record of every kind, as all of them were when the first one was asked for. Rejects as `read` does. */
  records(): AsyncIterable<DeskRecord>;
  /**
   * All or nothing, in order. When the promise fulfils, a power cut no longer undoes it. Rejects with CardeaError
   * `store-write-failed`; then it is not known whether it was done.
   */
  write(puts: readonly DeskPut[]): Promise<void>;
  close(): Promise<void>;
}
