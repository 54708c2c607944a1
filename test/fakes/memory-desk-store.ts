// The desk's records in memory, for tests that look at what the desk does with them; passes the contract of the real one.

import type { JsonValue } from '../../src/domain/canonical-json.ts';
import { CardeaError } from '../../src/errors.ts';
import type { DeskPut, DeskRecordKind, DeskStore, KeyRange } from '../../src/ports/desk-store.ts';

export class MemoryDeskStore implements DeskStore {
  readonly #records = new Map<string, string>();
  /** The next writes fail. */
  isBroken = false;
  writes = 0;

  async read(kind: DeskRecordKind, key: string): Promise<JsonValue | undefined> {
    const text = this.#records.get(`${kind}!${key}`);
    return text === undefined ? undefined : JSON.parse(text);
  }

  async *entries(kind: DeskRecordKind, range?: KeyRange): AsyncGenerator<readonly [string, JsonValue]> {
    for (const [key, text] of this.#within(kind, range)) yield [key, JSON.parse(text)];
  }

  async *keys(kind: DeskRecordKind, range?: KeyRange): AsyncGenerator<string> {
    for (const [key] of this.#within(kind, range)) yield key;
  }

  async write(puts: readonly DeskPut[]): Promise<void> {
    // A real one takes its time, too.
    await Promise.resolve();
    if (this.isBroken) throw new CardeaError('store-write-failed', 'the disk is gone');
    this.writes += 1;
    for (const { kind, key, value } of puts) {
      if (value === undefined) this.#records.delete(`${kind}!${key}`);
      else this.#records.set(`${kind}!${key}`, JSON.stringify(value));
    }
  }

  async close(): Promise<void> {}

  #within(kind: DeskRecordKind, { from = '', to, isReversed = false, limit }: KeyRange = {}): [string, string][] {
    const prefix = `${kind}!`;
    const found = [...this.#records]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, text]): [string, string] => [name.slice(prefix.length), text])
      .filter(([key]) => key >= from && (to === undefined || key < to))
      .sort(([a], [b]) => (a < b ? -1 : 1));
    if (isReversed) found.reverse();
    return found.slice(0, limit);
  }
}
