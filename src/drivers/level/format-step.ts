// What turns a store of one format into the next one, row by row.

import type { RecordSeal } from './record-seal.ts';

/** A whole key and its value, as they lie in the database. */
export type Row = readonly [key: string, value: Buffer];

export interface FormatStep {
  readonly from: string;
  readonly to: string;
  /** For one store. `get` reads single rows of the older one. */
  readonly converter: (context: {
    readonly seal: RecordSeal;
    readonly get: (key: string) => Promise<Buffer | undefined>;
  }) => (row: Row) => Promise<readonly Row[]>;
}
