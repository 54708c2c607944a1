import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { milliseconds } from '../../../src/domain/units.ts';
import {
  kernelProbe,
  loadSynchronizationProbes,
  timesyncProbe,
} from '../../../src/drivers/clock/synchronization-probes.ts';
import { SystemClock } from '../../../src/drivers/clock/system-clock.ts';

describe('SystemClock', () => {
  it('counts forward on the monotonic clock and tells the wall time', () => {
    const clock = new SystemClock();
    const first = clock.monotonic();
    assert.ok(clock.monotonic() >= first);
    assert.ok(Math.abs(clock.now() - Date.now()) < 1000);
  });

  it('never fires a timer before its time', async () => {
    const clock = new SystemClock();
    for (const delay of [0, 0.4, 1, 1.5, 3, 7.9]) {
      const start = clock.monotonic();
      await new Promise<void>((resolve) => clock.schedule(milliseconds(delay), resolve));
      assert.ok(clock.monotonic() - start >= delay, `delay ${delay}`);
    }
  });

  it('re-arms a timer that the runtime fires early', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let monotonic = 0;
    const clock = new SystemClock({ readMonotonic: () => monotonic });
    let fired = 0;
    clock.schedule(milliseconds(100), () => fired++);
    monotonic = 99.4;
    t.mock.timers.tick(100);
    assert.equal(fired, 0);
    monotonic = 100.4;
    t.mock.timers.tick(1);
    assert.equal(fired, 1);
    t.mock.timers.tick(1000);
    assert.equal(fired, 1);
  });

  it('waits out delays longer than setTimeout can count', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let monotonic = 0;
    const clock = new SystemClock({ readMonotonic: () => monotonic });
    const delay = 40 * 24 * 3_600_000;
    let fired = 0;
    clock.schedule(milliseconds(delay), () => fired++);
    const hour = 3_600_000;
    for (let hours = 1; hours < 40 * 24; hours++) {
      monotonic = hours * hour;
      t.mock.timers.tick(hour);
    }
    assert.equal(fired, 0);
    monotonic = delay;
    t.mock.timers.tick(hour);
    assert.equal(fired, 1);
  });

  it('does not run a cancelled timer, also after it was re-armed', (t) => {
    t.mock.timers.enable({ apis: ['setTimeout'] });
    let monotonic = 0;
    const clock = new SystemClock({ readMonotonic: () => monotonic });
    let fired = 0;
    const timer = clock.schedule(milliseconds(10), () => fired++);
    monotonic = 9.5;
    t.mock.timers.tick(10);
    timer.cancel();
    timer.cancel();
    monotonic = 50;
    t.mock.timers.tick(50);
    assert.equal(fired, 0);
  });

  it('treats a negative delay as none', async () => {
    const clock = new SystemClock();
    await new Promise<void>((resolve) => clock.schedule(milliseconds(-5), resolve));
  });

  it('is not synchronized before anybody says so', () => {
    assert.equal(new SystemClock().isSynchronized(), false);
    assert.equal(new SystemClock({ probes: [() => false, () => false] }).isSynchronized(), false);
  });

  it('is synchronized when one probe says so, and remains so', () => {
    let synchronized = true;
    const clock = new SystemClock({ probes: [() => false, () => synchronized] });
    assert.equal(clock.isSynchronized(), true);
    synchronized = false;
    assert.equal(clock.isSynchronized(), true);
  });

  it('asks the probes at most every ten seconds', () => {
    let monotonic = 1000;
    let asked = 0;
    let synchronized = false;
    const probe = (): boolean => {
      asked++;
      return synchronized;
    };
    const clock = new SystemClock({ readMonotonic: () => monotonic, probes: [probe] });
    for (let i = 0; i < 100; i++) assert.equal(clock.isSynchronized(), false);
    assert.equal(asked, 1);
    synchronized = true;
    monotonic += 9_999;
    assert.equal(clock.isSynchronized(), false);
    monotonic += 1;
    assert.equal(clock.isSynchronized(), true);
    assert.equal(asked, 2);
  });

  it('asks nobody when told to trust the clock always', () => {
    const clock = new SystemClock({ trust: 'always', probes: [() => assert.fail('asked')] });
    assert.equal(clock.isSynchronized(), true);
  });
});

describe('synchronization probes', () => {
  it('take timesyncd’s mark for a yes', (t) => {
    const folder = mkdtempSync(join(tmpdir(), 'cardea-clock-'));
    t.after(() => rmSync(folder, { recursive: true }));
    const mark = join(folder, 'synchronized');
    assert.equal(timesyncProbe(mark)(), false);
    writeFileSync(mark, '');
    assert.equal(timesyncProbe(mark)(), true);
  });

  it('take every kernel state but TIME_ERROR and a failed call for a yes', () => {
    const answers = [0, 1, 4, 5, -1];
    assert.deepEqual(
      answers.map((answer) => kernelProbe(() => answer)()),
      [true, true, true, false, false],
    );
  });

  it('only ever read the kernel’s clock state', () => {
    kernelProbe((timex) => {
      assert.ok(timex.every((byte) => byte === 0));
      return 0;
    })();
  });

  it('can be asked on this machine', async () => {
    const probes = await loadSynchronizationProbes();
    assert.ok(probes.length >= 1);
    for (const probe of probes) assert.equal(typeof probe(), 'boolean');
  });
});
