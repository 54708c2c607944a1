// The desk's records in memory, for tests that look at what the desk does with them; passes the contract of the real one.

import type { JsonValue } from '../../src/domain/canonical-json.ts';
import { CardeaError } from '../../src/errors.ts';
import type { DeskPut, DeskRecord, DeskRecordKind, DeskStore, KeyRange } from '../../src/ports/desk-store.ts';

export class MemoryDeskStore implements DeskStore {
  readonly #records: Map<string, string>;
  /** The next writes fail. */
  isBroken = false;
  writes = 0;

  /** `disk`: what is there already, by `kind!key`, as JSON. */
  constructor(disk = new Map<string, string>()) {
    this.#records = disk;
  }

  async read(kind: DeskRecordKind, key: string): Promise<JsonValue | undefined> {
    const text = this.#records.get(`${kind}!${key}`);
    return text === undefined ? undefined : parsed(text);
  }

  async *entries(kind: DeskRecordKind, range?: KeyRange): AsyncGenerator<readonly [string, JsonValue]> {
    for (const [key, text] of this.#within(kind, range)) yield [key, parsed(text)];
  }

  async *keys(kind: DeskRecordKind, range?: KeyRange): AsyncGenerator<string> {
    for (const [key] of this.#within(kind, range)) yield key;
  }

  async *records(): AsyncGenerator<DeskRecord> {
    for (const [name, text] of [...this.#records].sort(([a], [b]) => (a < b ? -1 : 1))) {
      const [kind = ''] = name.split('!', 1);
      yield { kind, key: name.slice(kind.length + 1), value: parsed(text) };
    }
  }

  async write(puts: readonly DeskPut[]): Promise<void> {
    const texts = puts.map(({ value }) => (value === undefined ? undefined : JSON.stringify(value)));
    // A real one takes its time, too.
    await Promise.resolve();
    if (this.isBroken) throw new CardeaError('store-write-failed', 'the disk is gone');
    this.writes += 1;
    for (const [index, { kind, key }] of puts.entries()) {
      const text = texts[index];
      if (text === undefined) this.#records.delete(`${kind}!${key}`);
      else this.#records.set(`${kind}!${key}`, text);
    }
  }

  async close(): Promise<void> {}

  #within(kind: DeskRecordKind, { from = '', to, isReversed = false, limit }: KeyRange = {}): [string, string][] {
    const prefix = `${kind}!`;
    const found = [...this.#records]
      .filter(([name]) => name.startsWith(prefix))
      .map(([name, text]): [string, string] => [name.slice(prefix.length), text])
      .filter(([key]) => key >= from && (to === undefined || key < to))
      .sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    if (isReversed) found.reverse();
    return found.slice(0, limit);
  }
}

const parsed = (text: string): JsonValue => {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CardeaError('store-record-unreadable', 'a record is no JSON', { cause: error });
  }
};
