// What every store of the desk keeps to: run on the fake and on LevelDB.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DeskPut, DeskRecordKind, DeskStore, KeyRange } from '../../src/ports/desk-store.ts';

export interface DeskStoreHarness {
  /** The same records again after `close`, and what a process that was killed has left. */
  open(): Promise<DeskStore>;
  /** From now on no write succeeds. */
  breakWrites(store: DeskStore): Promise<void>;
  /** Makes the record one that does not decode. */
  garble(kind: DeskRecordKind, key: string): Promise<void>;
  dispose(): Promise<void>;
}

const put = (key: string, value: DeskPut['value'] = key, kind: DeskRecordKind = 'card'): DeskPut => ({
  kind,
  key,
  value,
});

const gone = (key: string): DeskPut => ({ kind: 'card', key, value: undefined });

export const deskStoreContract = (name: string, makeHarness: () => Promise<DeskStoreHarness>): void => {
  describe(`${name} keeps the contract of DeskStore`, () => {
    let harness: DeskStoreHarness;
    let store: DeskStore;
    const keys = async (range?: KeyRange, kind: DeskRecordKind = 'card'): Promise<string[]> => {
      const found: string[] = [];
      for await (const key of store.keys(kind, range)) found.push(key);
      return found;
    };
    const entries = async (range?: KeyRange): Promise<unknown[]> => {
      const found: unknown[] = [];
      for await (const entry of store.entries('card', range)) found.push(entry);
      return found;
    };
    const reopen = async (): Promise<void> => {
      await store.close();
      store = await harness.open();
    };

    beforeEach(async () => {
      harness = await makeHarness();
      store = await harness.open();
    });
    afterEach(async () => {
      await store.close();
      await harness.dispose();
    });

    it('gives back what was written, and nothing for what was not', async () => {
      const value = { name: '王小明', list: [1, null, true, 'x'], nested: { empty: {} } };
      await store.write([put('a', value), put('b', null)]);
      assert.deepEqual(await store.read('card', 'a'), value);
      assert.equal(await store.read('card', 'b'), null);
      assert.equal(await store.read('card', 'c'), undefined);
      assert.equal(await store.read('employee', 'a'), undefined);
    });

    it('keeps kinds apart, also those whose names begin alike', async () => {
      const kinds: readonly DeskRecordKind[] = ['operation', 'open-operation', 'operator', 'card', 'card-operation'];
      await store.write(kinds.flatMap((kind) => [put('1', kind, kind), put('2', kind, kind)]));
      for (const kind of kinds) {
        assert.deepEqual(await keys({}, kind), ['1', '2'], kind);
        assert.equal(await store.read(kind, '2'), kind);
      }
    });

    it('tells entries in the order of their keys, the characters of any script among them', async () => {
      const inOrder = [
        '!',
        '0',
        '000000009',
        '000000010',
        '9',
        'A',
        'E1',
        'E1/2',
        'E10',
        'a',
        'é',
        '王',
        '\uFF21',
        '😀',
        '𠀀',
      ];
      await store.write([...inOrder].reverse().map((key) => put(key)));
      assert.deepEqual(await keys(), inOrder);
      assert.deepEqual(
        await entries(),
        inOrder.map((key) => [key, key]),
      );
      assert.deepEqual(await keys({ isReversed: true }), [...inOrder].reverse());
    });

    it('tells a range from its beginning on, without its end, as many as are wanted', async () => {
      await store.write(['a', 'b', 'b/1', 'b/2', 'b0', 'c'].map((key) => put(key)));
      assert.deepEqual(await keys({ from: 'b' }), ['b', 'b/1', 'b/2', 'b0', 'c']);
      assert.deepEqual(await keys({ to: 'b' }), ['a']);
      assert.deepEqual(await keys({ from: 'b/', to: 'b0' }), ['b/1', 'b/2']);
      assert.deepEqual(await keys({ from: 'b', limit: 2 }), ['b', 'b/1']);
      assert.deepEqual(await keys({ to: 'b0', isReversed: true, limit: 1 }), ['b/2']);
      assert.deepEqual(await keys({ from: 'c', to: 'b' }), []);
      assert.deepEqual(await keys({ limit: 0 }), []);
      assert.deepEqual(await entries({ from: 'b0', limit: 1 }), [['b0', 'b0']]);
    });

    it('tells entries as they were when the first was asked for', async () => {
      await store.write(['a', 'b', 'c'].map((key) => put(key)));
      const found: string[] = [];
      for await (const [key, value] of store.entries('card')) {
        found.push(`${key} ${value}`);
        await store.write([put('b', 'changed'), gone('c'), put('d')]);
      }
      assert.deepEqual(found, ['a a', 'b b', 'c c']);
      assert.deepEqual(await keys(), ['a', 'b', 'd']);
    });

    it('tells every record of every kind, as all of them were when the first was asked for', async () => {
      await store.write([put('b', 2), put('a', 1), put('1', { x: 1 }, 'operation'), put('1', null, 'open-operation')]);
      const found: string[] = [];
      for await (const { kind, key, value } of store.records()) {
        found.push(`${kind} ${key} ${JSON.stringify(value)}`);
        await store.write([gone('b'), put('later')]);
      }
      assert.deepEqual(found.sort(), ['card a 1', 'card b 2', 'open-operation 1 null', 'operation 1 {"x":1}']);
    });

    it('may be left in the middle of its entries', async () => {
      await store.write(['a', 'b', 'c'].map((key) => put(key)));
      for await (const key of store.keys('card')) if (key === 'b') break;
      await reopen();
      assert.deepEqual(await keys(), ['a', 'b', 'c']);
    });

    it('writes in the order of the batch: what comes later about a record counts', async () => {
      await store.write([put('a', 1), put('b', 1), put('a', 2), gone('b'), gone('c'), put('c', 3)]);
      assert.deepEqual(await entries(), [
        ['a', 2],
        ['c', 3],
      ]);
    });

    it('has removed what was written as undefined, and does not mind what was not there', async () => {
      await store.write([put('a'), put('b')]);
      await store.write([gone('a'), gone('never')]);
      await store.write([]);
      assert.deepEqual(await keys(), ['b']);
    });

    it('takes a value as it is when it is handed in, and hands out one of its own', async () => {
      const value = { list: [1] };
      const writing = store.write([put('a', value)]);
      value.list.push(2);
      await writing;
      Object(await store.read('card', 'a')).list.push(3);
      assert.deepEqual(await store.read('card', 'a'), { list: [1] });
    });

    it('has everything after it was opened again', async () => {
      const puts = Array.from({ length: 3_000 }, (_, index) => put(String(index).padStart(6, '0'), { index }));
      await store.write(puts);
      await reopen();
      assert.equal((await keys()).length, 3_000);
      assert.deepEqual(await store.read('card', '002999'), { index: 2_999 });
    });

    it('rejects a write with store-write-failed where it cannot be done, and has done nothing of it', async () => {
      await store.write([put('a', 'before')]);
      await harness.breakWrites(store);
      await assert.rejects(store.write([put('a', 'after'), put('b')]), { code: 'store-write-failed' });
      await reopen();
      assert.deepEqual(await entries(), [['a', 'before']]);
    });

    it('rejects what does not decode with store-record-unreadable, and tells its keys all the same', async () => {
      await store.write([put('b'), put('c'), put('d')]);
      await store.close();
      await harness.garble('card', 'b');
      store = await harness.open();
      await assert.rejects(store.read('card', 'b'), { code: 'store-record-unreadable' });
      await assert.rejects(entries(), { code: 'store-record-unreadable' });
      await assert.rejects(store.records()[Symbol.asyncIterator]().next(), { code: 'store-record-unreadable' });
      assert.deepEqual(await keys(), ['b', 'c', 'd']);
      assert.equal(await store.read('card', 'c'), 'c');
    });
  });
};
