// A lost card at the door: what the tap, the event and the status say, and when that is over.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ALARM_LIFE, AlarmRegister, CLEAR_ALARMS, MOST_ALARMS } from '../../src/app/alarm-register.ts';
import { EMPTY_LOG } from '../../src/domain/access-event.ts';
import { type CardRecord, REVOCATION_REASONS } from '../../src/domain/credential.ts';
import { batchOf } from '../contracts/store.contract.ts';
import { bindingOf, cardholderId, cardNumber, originOf, revision, tombstoneOf } from '../domain/samples.ts';
import { logOf } from '../fixtures/random-log.ts';
import { type BenchOptions, makeDoorBench, settle } from './door-bench.ts';

const UID = '04A2B3C4D5E680';
const AT = '2026-01-05T08:00:00.000Z';
const lost = { cards: { [UID]: tombstoneOf({ reason: 'lost', origin: originOf(7) }) } };

const makeBench = (options: BenchOptions = lost) => makeDoorBench(options);
type Bench = Awaited<ReturnType<typeof makeBench>>;

/** The register of a gateway that starts on what this one has left. */
const restarted = async ({ store, clock, log, writer }: Bench): Promise<AlarmRegister> => {
  await writer.idle();
  const alarms = new AlarmRegister({ store, clock, log, onChange: () => {} });
  await alarms.restore();
  return alarms;
};

const put = ({ writer }: Bench, uid: string, record: CardRecord): Promise<void> =>
  writer.write((tx) =>
    tx.putChange({ cards: new Map([[cardNumber(uid), record]]), cardholders: new Map(), revision: revision(9) }),
  );

for (const reason of REVOCATION_REASONS) {
  const isAlarming = reason === 'lost' || reason === 'stolen' || reason === 'replaced';
  test(`a card that HR revoked as ${reason} raises ${isAlarming ? 'an' : 'no'} alarm when it is held to a reader`, async () => {
    const bench = await makeBench({ cards: { [UID]: tombstoneOf({ reason, origin: originOf(7) }) } });
    bench.tap(UID);
    const [event] = await bench.events();
    assert.equal(event?.event, 'access-denied');
    const retiredBy = { messageId: 'message-7', revision: 7, appliedAt: AT };
    assert.deepEqual(event.detail, isAlarming ? { alarm: true, retiredBy } : null);
    const line = `card 04**********80 (${reason}) was held to front-in at ${AT}`;
    assert.deepEqual(bench.alarms.lines(), isAlarming ? [line] : []);
    assert.equal(
      bench.log.lines.some((text) => text.includes('"warn"')),
      isAlarming,
    );
    assert.equal(bench.changes() > 0, isAlarming, 'status is told');
    assert.deepEqual(bench.strikes(), []);
  });
}

test('further taps of the card are counted, and the line tells of the last one', async () => {
  const bench = await makeBench();
  for (let tap = 0; tap < 3; tap++) {
    bench.tap(UID);
    bench.clock.advance(60_000);
  }
  assert.deepEqual(bench.alarms.lines(), [
    'card 04**********80 (lost) was held to front-in at 2026-01-05T08:02:00.000Z, 3 times',
  ]);
});

test('an alarm is over when its day has passed, and not a moment before', async () => {
  const bench = await makeBench();
  bench.tap(UID);
  bench.clock.advance(ALARM_LIFE - 1);
  assert.equal(bench.alarms.lines().length, 1);
  bench.clock.advance(1);
  assert.deepEqual(bench.alarms.lines(), []);
});

test('an alarm is over when HR binds the card anew', async () => {
  const bench = await makeBench();
  bench.tap(UID);
  await put(bench, UID, bindingOf({ revision: revision(9) }));
  assert.deepEqual(bench.alarms.lines(), []);
});

test('the register holds the cards that were held last, however many there are', async () => {
  const uids = Array.from({ length: MOST_ALARMS + 5 }, (_, index) => `F000${String(index).padStart(4, '0')}`);
  const bench = await makeBench({ cards: Object.fromEntries(uids.map((uid) => [uid, tombstoneOf()])) });
  for (const uid of uids) bench.tap(uid);
  assert.deepEqual(
    bench.alarms.standing().map(({ card }) => card),
    uids.slice(5),
  );
});

test('what is cleared is what was seen: a tap after that stands', async () => {
  const bench = await makeBench({ cards: { [UID]: tombstoneOf(), DEADBEEF: tombstoneOf() } });
  bench.tap(UID);
  bench.tap('DEADBEEF');
  const seen = bench.alarms.standing();
  bench.tap(UID);
  bench.alarms.clear(seen);
  assert.deepEqual(
    bench.alarms.standing().map(({ card, times }) => [card, times]),
    [[UID, 2]],
  );
});

test('alarms outlive a restart, with their count and what is left of their day', async () => {
  const bench = await makeBench();
  bench.tap(UID);
  bench.tap(UID);
  bench.clock.advance(ALARM_LIFE - 60_000);
  const alarms = await restarted(bench);
  assert.deepEqual(alarms.lines(), bench.alarms.lines());
  assert.equal(alarms.standing()[0]?.times, 2);
  bench.clock.advance(60_000);
  assert.deepEqual(alarms.lines(), []);
  assert.deepEqual((await restarted(bench)).lines(), []);
});

test('what was cleared, or bound anew, before a restart does not come back by it', async () => {
  const bench = await makeBench({ cards: { [UID]: tombstoneOf(), DEADBEEF: tombstoneOf() } });
  bench.tap(UID);
  const time = { at: bench.clock.now(), clockSynchronized: true };
  bench.writer.record({ event: 'operator-action', ...time, detail: { action: CLEAR_ALARMS } });
  bench.tap('DEADBEEF');
  await put(bench, 'DEADBEEF', bindingOf({ revision: revision(9) }));
  assert.deepEqual((await restarted(bench)).lines(), []);
});

test('an alarm that ended when HR bound the card anew stays so over a restart, whatever became of the card since', async () => {
  const bench = await makeBench();
  bench.tap(UID);
  const change = {
    event: 'card-change',
    at: bench.clock.now(),
    clockSynchronized: true,
    card: cardNumber(UID),
  } as const;
  bench.writer.record({ ...change, detail: { messageType: 'card-bound', result: 'stale' } });
  assert.equal((await restarted(bench)).lines().length, 1, 'a binding that had no effect ends nothing');
  bench.writer.record({ ...change, detail: { messageType: 'card-bound', result: 'applied' } });
  assert.deepEqual((await restarted(bench)).lines(), [], 'the card is retired again, and was held to no reader since');
});

test('a log that cannot be read costs the alarms of the past, not the start', async () => {
  const bench = await makeBench();
  bench.tap(UID);
  await settle();
  bench.store.garbleEntry(1);
  assert.deepEqual((await restarted(bench)).lines(), []);
});

test('a record that cannot be read costs no alarm but its own, nor do numbers that no event has', async () => {
  const bench = await makeBench();
  const at = bench.clock.now();
  bench.writer.record({ event: 'door-opened', at, clockSynchronized: true });
  bench.tap(UID);
  await settle();
  bench.store.garbleEntry(1);
  assert.equal((await restarted(bench)).lines().length, 1);
  const { sequence: last, hash } = bench.store.tail();
  const gap = { from: last + 1, to: 1_000_000 };
  await bench.store.commit({
    ...batchOf({}),
    history: { entries: [...bench.store.entries], trimmed: EMPTY_LOG, replacing: { acknowledgedUpTo: 0, gap } },
    entries: logOf(1, { tail: { sequence: gap.to, hash } }).map((event) => ({ event })),
  });
  assert.equal((await restarted(bench)).lines().length, 1);
});

test('recordBeforeRelease: a card that is lost while its grant is written raises the alarm too', async () => {
  const bench = await makeBench({ cards: { [UID]: bindingOf() }, recordBeforeRelease: true });
  bench.store.holdCommits();
  bench.tap(UID);
  void put(bench, UID, tombstoneOf({ cardholder: cardholderId('E1001'), origin: originOf(7) }));
  await settle();
  bench.store.releaseCommits();
  assert.deepEqual(await bench.eventNames(), ['access-granted', 'access-not-taken: lost']);
  assert.equal(bench.alarms.lines().length, 1);
  assert.deepEqual(bench.strikes(), []);
});

test('no full card number gets into status or the log of lines', async () => {
  const bench = await makeBench();
  bench.tap(UID);
  await settle();
  for (const text of [...bench.alarms.lines(), ...bench.log.lines]) assert.doesNotMatch(text, /04A2B3C4D5E680/);
});
