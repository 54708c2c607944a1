// What a running gateway does about damage that is found while it works.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { Level } from 'level';
import { SerialWriter } from '../src/app/serial-writer.ts';
import { DIGEST_BYTES, emptyRoster, toggleCard } from '../src/domain/roster-digest.ts';
import { milliseconds } from '../src/domain/units.ts';
import { guardStore } from '../src/gateway-store.ts';
import { batchOf } from './contracts/store.contract.ts';
import { bindingOf, cardholderId, cardNumber, gatewayId, revision } from './domain/samples.ts';
import { VirtualClock } from './fakes/virtual-clock.ts';
import { RecordingLog } from './fixtures/recording-log.ts';
import { simulatedConfig } from './fixtures/simulated-config.ts';
import { openDataDir } from './fixtures/test-store.ts';
import { waitFor } from './fixtures/wait-for.ts';

const CARD = cardNumber('04A2B3C4D5E680');

/** A gateway's store with one card, and the scrub that begins a minute later. */
const makeGuard = async (t: TestContext, damage: (directory: string) => Promise<void>, digested = CARD) => {
  const { config } = simulatedConfig(t);
  const filled = await openDataDir(config.dataDir);
  const buckets = new Uint8Array(DIGEST_BYTES);
  toggleCard(buckets, digested, revision(1));
  await filled.commit(
    batchOf({
      cards: new Map([[CARD, bindingOf({ revision: revision(1) })]]),
      cardholders: new Map([[cardholderId('E1001'), { cards: [CARD] }]]),
      roster: { ...emptyRoster(), revision: revision(1), cards: 1, buckets },
    }),
  );
  await filled.close();
  await damage(join(config.dataDir, 'store'));
  const store = await openDataDir(config.dataDir);
  t.after(() => store.close());
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log });
  const ends: string[] = [];
  const onDamage = (reason: string): void => void ends.push(reason);
  const guard = guardStore({ config, store, writer, clock, log, onChange: () => {}, onDamage });
  guard.scrub.start();
  clock.advance(milliseconds(60_000));
  t.after(async () => {
    await guard.scrub.stop();
    await writer.idle();
  });
  /** The next look is arranged when one has come to its end. */
  const isDone = (): boolean => clock.pendingTimers > 0;
  return { guard, ends, isDone };
};

test('cards that do not add up any more end the gateway, for a start sets such a store aside', async (t) => {
  const { guard, ends } = await makeGuard(t, async () => {}, cardNumber('DEADBEEF'));
  await waitFor(() => ends.length > 0, 'the end');
  assert.match(ends.join(), /the next start sets it aside: the cards do not add up/);
  assert.match(guard.alarms().join(), /is damaged/);
});

test("a person's record that is damaged is an alarm, and the gateway goes on", async (t) => {
  const garblePerson = async (directory: string): Promise<void> => {
    const database = new Level<string, Buffer>(directory, { valueEncoding: 'buffer' });
    for await (const key of database.keys({ gt: '!cardholder!', lt: '!cardholder~' })) {
      await database.put(key, Buffer.from('garbled'));
    }
    await database.close();
  };
  const { guard, ends, isDone } = await makeGuard(t, garblePerson);
  await waitFor(isDone, 'the end of the look');
  assert.match(guard.alarms().join(), /is damaged/);
  assert.deepEqual(ends, []);
});
