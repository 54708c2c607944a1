// What every CardReader keeps, whatever it reads with: run on the simulated reader, on the MFRC522 driver with a fake chip
// behind it, and on the virtual board.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { CardObservation, CardReader, ReaderCondition } from '../../src/ports/card-reader.ts';

export interface CardReaderHarness {
  readonly reader: CardReader;
  /** Puts a card into the field, beside those that are there; 8, 14 or 20 hexadecimal digits. */
  present(uid: string): void;
  /** Takes all cards away. */
  remove(): void;
  /** Breaks the reader, if this one can break. */
  fail?(): void;
  repair?(): void;
  /** Resolves when the condition holds; rejects when it does not come true. Drivers without delay need not wait. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves when several turns of the polling loop have passed. */
  settle(): Promise<void>;
  /** Frees what the harness holds; the reader is stopped already. */
  close(): Promise<void>;
}

const UIDS = ['deadbeef', '88aabbcc', '04a2b3c4d5e680', '04112233445566778899'];

const describeObservation = (observation: CardObservation): string =>
  observation.kind === 'card'
    ? Buffer.from(observation.uid).toString('hex')
    : observation.kind === 'ambiguous'
      ? observation.cause
      : 'none';

export const cardReaderContract = (name: string, makeHarness: () => Promise<CardReaderHarness>): void => {
  describe(`${name} keeps the CardReader contract`, () => {
    let harness: CardReaderHarness;
    let reader: CardReader;
    let observations: string[];
    let conditions: ReaderCondition[];
    const listener = {
      onObservation: (observation: CardObservation): void => void observations.push(describeObservation(observation)),
      onCondition: (condition: ReaderCondition): void => void conditions.push(condition),
    };
    const untilSeen = (what: string): Promise<void> => harness.until(() => observations.at(-1) === what);
    const untilState = (state: ReaderCondition['state']): Promise<void> =>
      harness.until(() => conditions.at(-1)?.state === state);

    beforeEach(async () => {
      harness = await makeHarness();
      reader = harness.reader;
      observations = [];
      conditions = [];
    });

    afterEach(async () => {
      await reader.stop();
      await harness.close();
    });

    it('says nothing and has no turn behind it before start', async () => {
      assert.equal(reader.lastTurnAt(), undefined);
      assert.deepEqual([observations, conditions], [[], []]);
    });

    it('reports its condition soon after start, in words', async () => {
      await reader.start(listener);
      await untilState('online');
      assert.equal(conditions.length, 1);
      assert.notEqual(conditions[0]?.detail, '');
    });

    it('has a turn behind it soon after start', async () => {
      await reader.start(listener);
      await harness.until(() => reader.lastTurnAt() !== undefined);
    });

    for (const uid of UIDS) {
      it(`reports a card with UID ${uid} whole, nothing in between, and its removal`, async () => {
        await reader.start(listener);
        await untilState('online');
        harness.present(uid);
        await untilSeen(uid);
        await harness.settle();
        assert.equal(observations.at(-1), uid);
        harness.remove();
        await untilSeen('none');
        assert.deepEqual(new Set(observations), new Set(['none', uid]));
      });
    }

    it('reports a card that was there before start', async () => {
      harness.present('deadbeef');
      await reader.start(listener);
      await untilSeen('deadbeef');
    });

    it('reports one card after another', async () => {
      await reader.start(listener);
      for (const uid of UIDS) {
        harness.present(uid);
        await untilSeen(uid);
        harness.remove();
        await untilSeen('none');
      }
    });

    it('reports a card that replaced another at once, and never a mixture', async () => {
      await reader.start(listener);
      harness.present('11223344');
      await untilSeen('11223344');
      harness.remove();
      harness.present('11223345');
      await untilSeen('11223345');
      assert.ok(observations.every((what) => ['none', '11223344', '11223345'].includes(what)));
    });

    it('reports a collision, and no UID, while two cards are there', async () => {
      harness.present('11223344');
      harness.present('04a2b3c4d5e680');
      await reader.start(listener);
      await untilSeen('collision');
      await harness.settle();
      assert.ok(
        observations.every((what) => what === 'collision' || what === 'none'),
        observations.join(),
      );
      harness.remove();
      await untilSeen('none');
    });

    it('hands out UIDs that nobody else changes afterwards', async () => {
      const uids: Uint8Array[] = [];
      await reader.start({
        ...listener,
        onObservation: (observation) => {
          listener.onObservation(observation);
          if (observation.kind === 'card') uids.push(observation.uid);
        },
      });
      harness.present('11223344');
      await untilSeen('11223344');
      harness.remove();
      await untilSeen('none');
      harness.present('55667788');
      await untilSeen('55667788');
      assert.equal(Buffer.from(uids[0] ?? []).toString('hex'), '11223344');
    });

    it('says nothing any more once stop has resolved', async () => {
      await reader.start(listener);
      await untilState('online');
      await reader.stop();
      observations = [];
      conditions = [];
      harness.present('deadbeef');
      await harness.settle();
      assert.deepEqual([observations, conditions], [[], []]);
    });

    it('may be stopped twice, and without having been started', async () => {
      await reader.stop();
      await reader.start(listener);
      await Promise.all([reader.stop(), reader.stop()]);
      await reader.stop();
    });

    it('is offline while broken, takes that for no empty field, and is online again when repaired', async (t) => {
      const { fail, repair } = harness;
      if (fail === undefined || repair === undefined) {
        t.diagnostic('this reader cannot break');
        return;
      }
      await reader.start(listener);
      harness.present('deadbeef');
      await untilSeen('deadbeef');
      fail();
      await untilState('offline');
      assert.notEqual(conditions.at(-1)?.detail, '');
      observations = [];
      await harness.settle();
      assert.equal(observations.join(), '');
      repair();
      await untilState('online');
      await untilSeen('deadbeef');
      const states = conditions.map(({ state }) => state);
      assert.ok(!observations.includes('none'), 'the card never left');
      assert.deepEqual(
        states.filter((state, index) => state !== states[index - 1]),
        ['online', 'offline', 'online'],
      );
    });

    it('starts while broken: that is a condition, not a failure to start', async (t) => {
      if (harness.fail === undefined) {
        t.diagnostic('this reader cannot break');
        return;
      }
      harness.fail();
      await reader.start(listener);
      await untilState('offline');
      await harness.until(() => reader.lastTurnAt() !== undefined);
      assert.equal(observations.join(), '');
    });
  });
};
