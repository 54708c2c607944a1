// What every log keeps of its beginning and of its cursors, whatever it is made of: run on the fake and on LevelDB.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { EMPTY_LOG } from '../../src/domain/access-event.ts';
import type { CredentialStore } from '../../src/ports/credential-store.ts';
import type { EventLog } from '../../src/ports/event-log.ts';
import { batchOf, entriesFrom, hasCode, type StoreHarness } from './store.contract.ts';

export const eventLogContract = (name: string, makeHarness: () => Promise<StoreHarness>): void => {
  describe(`${name} keeps the contract of EventLog`, () => {
    let harness: StoreHarness;
    let log: CredentialStore & EventLog;
    const reopen = async (): Promise<void> => {
      await log.close();
      log = await harness.open();
    };
    const numbers = async (after: number): Promise<number[]> =>
      (await log.entriesAfter(after, 100)).map(({ event }) => event.sequence);

    beforeEach(async () => {
      harness = await makeHarness();
      log = await harness.open();
    });
    afterEach(async () => {
      await log.close();
      await harness.dispose();
    });

    it('begins with number 1, with nothing sent and nothing acknowledged', () => {
      assert.deepEqual([log.firstSequence(), log.sentUpTo(), log.acknowledgedUpTo()], [1, 0, 0]);
      assert.deepEqual(log.trimmedUpTo(), EMPTY_LOG);
    });

    it('invariant 7: keeps both cursors over a restart; they go forward only, and what is acknowledged was sent', async () => {
      const cursors = (): number[] => [log.sentUpTo(), log.acknowledgedUpTo()];
      await log.commit(batchOf({ entries: entriesFrom(1, 20) }));
      await log.saveSentUpTo(16);
      await log.saveAcknowledgedUpTo(9);
      assert.deepEqual(cursors(), [16, 9]);
      await reopen();
      assert.deepEqual(cursors(), [16, 9]);
      await log.saveSentUpTo(10);
      await log.saveAcknowledgedUpTo(4);
      assert.deepEqual(cursors(), [16, 9]);
      await Promise.all([log.saveSentUpTo(17), log.saveAcknowledgedUpTo(18), log.saveSentUpTo(19)]);
      await reopen();
      assert.deepEqual(cursors(), [19, 18]);
    });

    it('is trimmed at its beginning, and remembers over a restart what its first entry is chained to', async () => {
      const entries = entriesFrom(1, 20);
      await log.commit(batchOf({ entries }));
      await log.saveAcknowledgedUpTo(20);
      await log.trim(7);
      const holds = async (): Promise<void> => {
        assert.equal(log.firstSequence(), 8);
        assert.deepEqual(log.trimmedUpTo(), { sequence: 7, hash: entries[6]?.event.hash });
        assert.deepEqual((await numbers(0)).slice(0, 2), [8, 9]);
        assert.deepEqual((await numbers(10))[0], 11);
        assert.deepEqual([log.entryAt(7), log.entryAt(8)?.event.sequence], [undefined, 8]);
        assert.equal(log.tail().sequence, 20);
      };
      await holds();
      await reopen();
      await holds();
      await log.trim(3);
      await holds();
      await log.trim(9);
      assert.deepEqual((await numbers(0))[0], 10);
    });

    it('keeps what has not left the outbox, and its last entry, whatever it is asked to trim', async () => {
      await log.commit(batchOf({ entries: entriesFrom(1, 10) }));
      await log.saveSentUpTo(8);
      await log.saveAcknowledgedUpTo(4);
      await log.trim(8);
      assert.equal((await numbers(0))[0], 5);
      await log.saveAcknowledgedUpTo(10);
      await log.trim(1_000);
      assert.deepEqual(await numbers(0), [10]);
      await reopen();
      const [next] = entriesFrom(11, 1);
      assert.equal(next?.event.previousHash, log.tail().hash);
      await log.commit(batchOf({ entries: entriesFrom(11, 1) }));
      assert.deepEqual(await numbers(0), [10, 11]);
    });

    it('is not trimmed where the entry that it would begin with is damaged; elsewhere it is', async () => {
      await log.commit(batchOf({ entries: entriesFrom(1, 10) }));
      await log.saveAcknowledgedUpTo(10);
      await log.close();
      await harness.garbleEntry(5);
      log = await harness.open();
      const refused = { code: 'store-record-unreadable', context: { sequence: 5 } };
      await assert.rejects(log.entriesAfter(2, 10), refused, 'which one it is can be told');
      await assert.rejects(log.trim(4), hasCode('store-record-unreadable'));
      assert.equal(log.firstSequence(), 1);
      await log.trim(5);
      assert.deepEqual(await numbers(0), [6, 7, 8, 9, 10]);
    });

    it('is not trimmed while writes fail: store-write-failed, and nothing is gone', async () => {
      await log.commit(batchOf({ entries: entriesFrom(1, 10) }));
      await log.saveAcknowledgedUpTo(10);
      await harness.breakWrites(log);
      await assert.rejects(log.trim(4));
      await reopen();
      assert.equal((await numbers(0))[0], 1);
    });
  });
};
