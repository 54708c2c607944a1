// A clock that nobody can rely on: set back by a day, forward by ten years, to 1970 at a start, in step with a time server and out
// of it again, while taps and changes go on. What is numbered, kept or repeated must not depend on it, what opens a door may only
// where the clock is trusted.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { BackupSchedule } from '../../src/app/backup-schedule.ts';
import { CheckpointKeeper } from '../../src/app/checkpoints.ts';
import { EventRetention, KEPT } from '../../src/app/event-retention.ts';
import { ClockWatch } from '../../src/app/watch-clock.ts';
import { milliseconds } from '../../src/domain/units.ts';
import type { BackupFolder } from '../../src/ports/backup-files.ts';
import { settle } from '../app/door-bench.ts';
import { bindingOf, time } from '../domain/samples.ts';
import { LogCheck } from '../fixtures/log-check.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { GATEWAY, SITE } from './change-flow.ts';
import { makeGateway } from './joined-flows.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 365 * DAY;
/** When the virtual clock starts. */
const NOW = time('2026-01-05T08:00:00Z');
const CHECKPOINT_EVERY = milliseconds(6 * HOUR);
const BACKUP_EVERY = milliseconds(12 * HOUR);
const MAX_AGE = milliseconds(YEAR);
/** More events than are kept whatever their age. */
const MUCH = KEPT + 500;

/** Opens at any time; from a day before to thirty days after the start. */
const CARDS = {
  ALWAYS: '04A2B3C4D5E680',
  WINDOW: 'DEADBEEF',
};

class MemoryFolder implements BackupFolder {
  readonly files: string[] = [];
  names = async (): Promise<readonly string[]> => [...this.files];
  sizeOf = async (): Promise<number> => 1;

  async write(name: string): Promise<{ readonly bytes: number }> {
    this.files.push(name);
    return { bytes: 1 };
  }

  async remove(name: string): Promise<void> {
    this.files.splice(this.files.indexOf(name), 1);
  }
}

const makeSite = async (t: TestContext, { synchronized = true, now = NOW as number, past = 0 } = {}) => {
  const window = { validFrom: time('2026-01-04T08:00:00Z'), validUntil: time('2026-02-04T08:00:00Z') };
  const gateway = await makeGateway({
    cards: { [CARDS.ALWAYS]: bindingOf(), [CARDS.WINDOW]: bindingOf(window) },
    synchronized,
  });
  const { clock, store, writer, log, link } = gateway;
  clock.setNow(now);
  link.connect();
  const folder = new MemoryFolder();
  const backups = new BackupSchedule({
    site: SITE,
    gateway: GATEWAY,
    folder,
    recipients: ['age1'],
    interval: BACKUP_EVERY,
    keep: 3,
    records: async function* () {},
    eventLog: store,
    hasRoom: () => true,
    clock,
    log,
    onChange: () => {},
  });
  const retention = new EventRetention({ eventLog: store, maxAge: MAX_AGE, maxEvents: 1_000_000, clock, log });
  const checkpoints = new CheckpointKeeper({
    site: SITE,
    gateway: GATEWAY,
    writer,
    eventLog: store,
    signer: undefined,
    interval: CHECKPOINT_EVERY,
    configuration: () => null,
    clock,
    log,
  });
  const watch = new ClockWatch({ clock, untrustedPolicy: 'deny-windowed', writer, log, onChange: () => {} });
  // History that HR has acknowledged long ago.
  for (let left = past; left > 0; left--) {
    writer.record({ event: 'door-closed', at: clock.now(), clockSynchronized: clock.isSynchronized() });
  }
  await writer.idle();
  await store.saveAcknowledgedUpTo(store.tail().sequence);
  watch.start();
  checkpoints.start();
  retention.start();
  backups.start();
  t.after(() => {
    watch.stop();
    checkpoints.stop();
  });
  return {
    ...gateway,
    folder,
    /** Lets the time pass by the clock that nobody can set. */
    pass: async (duration: number): Promise<void> => {
      for (let left = duration; left > 0; left -= HOUR) {
        clock.advance(Math.min(left, HOUR));
        await settle();
      }
      await writer.idle();
    },
    checkpoints: (): number =>
      store.entries.filter(({ event }) => event.event === 'checkpoint' && event.reason === 'time').length,
    assertWhole: async (): Promise<void> => {
      await writer.idle();
      const log = new LogCheck();
      await log.read(store);
      assert.deepEqual(log.faults, []);
    },
  };
};

const JUMPS: readonly (readonly [string, (now: number) => number])[] = [
  ['back by a day', (now) => now - DAY],
  ['forward by ten years', (now) => now + 10 * YEAR],
  ['back to 1970', () => 0],
];

for (const [what, jump] of JUMPS) {
  test(`a trusted clock that jumps ${what} removes no history, and checkpoints and backups are made as often as before`, async (t) => {
    const site = await makeSite(t, { past: MUCH });
    await site.pass(DAY);
    const before = { checkpoints: site.checkpoints(), first: site.store.firstSequence() };
    assert.deepEqual(before, { checkpoints: 4, first: 1 });
    assert.equal(site.folder.files.length, 2);
    site.clock.setNow(jump(site.clock.now()));
    await site.pass(2 * DAY);
    assert.equal(site.store.firstSequence(), 1, 'history was removed');
    assert.equal(site.checkpoints(), 12);
    assert.equal(site.folder.files.length, 3, 'of six backups the last three are kept');
    assert.equal(new Set(site.folder.files).size, 3);
    await site.assertWhole();
  });

  test(`a clock that jumps ${what} is judged by for windows of validity alone, and for them only while it is trusted`, async (t) => {
    const site = await makeSite(t);
    const outcomes = async () => [await site.tapped(CARDS.ALWAYS), await site.tapped(CARDS.WINDOW)];
    assert.deepEqual(await outcomes(), ['granted', 'granted']);
    const right = site.clock.now();
    site.clock.setNow(jump(right));
    const isLate = site.clock.now() > right;
    const isStillInside = site.clock.now() > time('2026-01-04T08:00:00Z') && !isLate;
    const expected = isStillInside ? 'granted' : isLate ? 'expired' : 'not-yet-valid';
    assert.deepEqual(await outcomes(), ['granted', expected]);
    site.clock.setSynchronized(false);
    assert.deepEqual(await outcomes(), ['granted', 'clock-untrusted']);
    site.clock.setNow(right);
    assert.deepEqual(await outcomes(), ['granted', 'clock-untrusted']);
    site.clock.setSynchronized(true);
    assert.deepEqual(await outcomes(), ['granted', 'granted']);
    await site.assertWhole();
  });
}

test('a gateway that starts in 1970 removes nothing then or when the clock is set, and says by how much it was set', async (t) => {
  const site = await makeSite(t, { synchronized: false, now: 5_000, past: MUCH });
  assert.equal(await site.tapped(CARDS.WINDOW), 'clock-untrusted');
  await site.pass(2 * DAY);
  const ahead = NOW - 5_000;
  site.clock.setNow(site.clock.now() + ahead);
  site.clock.setSynchronized(true);
  await site.pass(2 * DAY);
  assert.equal(site.store.firstSequence(), 1);
  const set = site.store.entries.find(({ event }) => event.event === 'clock-trusted')?.event;
  assert.deepEqual(set?.detail, { setByMilliseconds: ahead });
  assert.equal(await site.tapped(CARDS.WINDOW), 'granted');
  assert.equal(site.checkpoints(), 16);
  await site.assertWhole();
});

test('an alarm lasts as long as ever when the clock jumps', async (t) => {
  for (const [, jump] of JUMPS) {
    const site = await makeSite(t);
    await site.revoke(2, { card: CARDS.WINDOW });
    assert.equal(await site.tapped(CARDS.WINDOW), 'lost');
    site.clock.setNow(jump(site.clock.now()));
    await site.pass(DAY - 2 * HOUR);
    assert.equal(site.alarms.standing().length, 1);
    await site.pass(3 * HOUR);
    assert.deepEqual(site.alarms.standing(), []);
  }
});

for (const seed of [1, 2, 3]) {
  test(`whatever the clock does, the log stays whole, changes are ordered by revision, and no window opens by a guess (seed ${seed})`, async (t) => {
    const random = seededRandom(seed);
    const site = await makeSite(t);
    const { clock } = site;
    // That of the bindings at the start.
    let revision = 1;
    let isBound = true;
    for (let step = 0; step < 150; step++) {
      const what = random.below(8);
      if (what === 0) clock.setNow(random.pick([0, NOW - DAY, NOW, NOW + 20 * DAY, NOW + 10 * YEAR]));
      else if (what === 1) clock.setSynchronized(random.below(2) === 0);
      else if (what === 2) await site.pass(random.below(5 * HOUR));
      else if (what === 3) {
        revision += 1;
        isBound = random.below(2) === 0;
        await (isBound ? site.bind(revision, CARDS.ALWAYS) : site.revoke(revision, { card: CARDS.ALWAYS }));
        // A late copy of something older changes nothing, whatever time it is.
        await site.bind(revision - 1, CARDS.ALWAYS, { cardholder: { id: 'E9' } });
      } else if (what < 6) assert.equal(await site.tapped(CARDS.ALWAYS), isBound ? 'granted' : 'lost');
      else {
        const outcome = await site.tapped(CARDS.WINDOW);
        if (!clock.isSynchronized()) assert.equal(outcome, 'clock-untrusted');
      }
    }
    await site.assertWhole();
  });
}
