// Batches as they stand in the store: one record for each, and one for each of its lines.
//
// 1. A batch is there when its record is, which is written last; lines without one were left by a start that did not come so far.

import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import type { DeskWriter } from './desk-writer.ts';
import {
  type BatchLine,
  type BatchOutcome,
  type BatchRecord,
  type BatchRow,
  batchLineKey,
  batchLineRecord,
  batchRecord,
  decodeRecord,
  linesOf,
  operationKey,
  toJson,
} from './records.ts';
import { turnOfOthers } from './turn-of-others.ts';

export interface StoredBatch {
  readonly header: BatchRecord;
  /** In the order in which they are carried out. */
  readonly lines: Map<number, BatchLine>;
}

interface NewLines {
  readonly rows: readonly BatchRow[];
  /** Of those that will not be carried out. */
  readonly outcomes: readonly BatchOutcome[];
  /** To be called when the batch is about to be written. */
  readonly audit: () => DeskPut;
}

/** Records that are written in one go. */
const PIECE = 500;

export class BatchRecords {
  readonly #store: DeskStore;
  readonly #writer: DeskWriter;

  constructor(store: DeskStore, writer: DeskWriter) {
    this.#store = store;
    this.#writer = writer;
  }

  /** Fulfils when the batch is durable. */
  async add(header: BatchRecord, { rows, outcomes, audit }: NewLines): Promise<StoredBatch> {
    const { id } = header;
    await this.#clear(id);
    const outcomeOf = new Map(outcomes.map((outcome) => [outcome.line, outcome]));
    const lines = new Map<number, BatchLine>();
    let puts: DeskPut[] = [];
    for (const row of rows) {
      const outcome = outcomeOf.get(row.line);
      const line = { row, ...(outcome !== undefined && { outcome }) };
      lines.set(row.line, line);
      puts.push(linePut(id, line));
      if (puts.length < PIECE) continue;
      await this.#writer.write(puts);
      puts = [];
    }
    await this.#writer.write([...puts, headerPut(header), audit()]);
    return { header, lines };
  }

  /** These lines are to be carried out, whatever became of them before. Fulfils when that is durable. */
  async reopen(header: BatchRecord, rows: readonly BatchRow[], audit: DeskPut): Promise<void> {
    await this.#writer.write([...rows.map((row) => linePut(header.id, { row })), headerPut(header), audit]);
  }

  noteOutcome(id: string, line: BatchLine): Promise<void> {
    return this.#writer.write([linePut(id, line)]);
  }

  finish(header: BatchRecord, at: string): Promise<void> {
    return this.#writer.write([headerPut({ ...header, finishedAt: at })]);
  }

  async find(id: string): Promise<StoredBatch | undefined> {
    const value = await this.#store.read('batch', id);
    if (value === undefined) return undefined;
    const header = decodeRecord(batchRecord, value, `batch ${id}`);
    const lines = new Map<number, BatchLine>();
    for await (const [key, line] of this.#store.entries('batch', linesOf(id))) {
      const decoded = decodeRecord(batchLineRecord, line, `line ${key} of a batch`);
      lines.set(decoded.row.line, decoded);
    }
    return { header, lines };
  }

  /** Batches that are to be gone on with. What their lines have done already is noted. */
  async unfinished(): Promise<readonly StoredBatch[]> {
    const found: StoredBatch[] = [];
    for await (const header of this.#headers()) {
      if (header.finishedAt !== undefined || header.isBroken === true) continue;
      const batch = await this.find(header.id);
      if (batch !== undefined) found.push(batch);
    }
    await this.#findOperations(found);
    return found;
  }

  /** One batch is followed by its lines, which are not looked at. */
  async *#headers(): AsyncGenerator<BatchRecord> {
    let from: string | undefined = '';
    while (from !== undefined) {
      const range: { readonly from: string; readonly limit: number } = { from, limit: 1 };
      from = undefined;
      for await (const [key, value] of this.#store.entries('batch', range)) {
        const [id = ''] = key.split('!', 1);
        from = linesOf(id).to;
        if (key === id) yield decodeRecord(batchRecord, value, `batch ${key}`);
      }
    }
  }

  /** An operation may be durable without the outcome of its line. */
  async #findOperations(batches: readonly StoredBatch[]): Promise<void> {
    if (batches.length === 0) return;
    const byId = new Map(batches.map((batch) => [batch.header.id, batch]));
    const first = Math.min(...batches.map(({ header }) => header.after)) + 1;
    const range = { from: operationKey(`op-${first}`) };
    const puts: DeskPut[] = [];
    let count = 0;
    for await (const [, value] of this.#store.entries('operation', range)) {
      count += 1;
      if (count % PIECE === 0) await turnOfOthers();
      const { id: operation, batch } = Object(value);
      const found = byId.get(batch?.id);
      const line = found?.lines.get(batch?.line);
      if (found === undefined || line === undefined || line.outcome !== undefined) continue;
      const outcome = { line: line.row.line, outcome: 'done', operation, code: null, detail: null } as const;
      found.lines.set(line.row.line, { row: line.row, outcome });
      puts.push(linePut(found.header.id, { row: line.row, outcome }));
    }
    await this.#writer.write(puts);
  }

  async #clear(id: string): Promise<void> {
    const puts: DeskPut[] = [];
    for await (const key of this.#store.keys('batch', linesOf(id))) puts.push({ kind: 'batch', key, value: undefined });
    await this.#writer.write(puts);
  }
}

const headerPut = (header: BatchRecord): DeskPut => ({ kind: 'batch', key: header.id, value: toJson(header) });

const linePut = (id: string, line: BatchLine): DeskPut => ({
  kind: 'batch',
  key: batchLineKey(id, line.row.line),
  value: toJson(line),
});
