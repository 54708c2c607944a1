// From a card in a simulated reader's field to the call that drives the strike, on a real store.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DoorController } from '../../src/app/door-controller.ts';
import { TapHandler } from '../../src/app/handle-tap.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { type DoorId, parseDoorId, parseGatewayId, parseReaderId } from '../../src/domain/ids.ts';
import { SystemClock } from '../../src/drivers/clock/system-clock.ts';
import { SimulatedCardReader } from '../../src/drivers/simulated/simulated-card-reader.ts';
import { SimulatedDoorIo } from '../../src/drivers/simulated/simulated-door-io.ts';
import { createLog } from '../../src/log.ts';
import type { StrikeState } from '../../src/ports/door-io.ts';
import { judgeOf } from '../fixtures/access-judge.ts';
import { timingsOf } from '../fixtures/door-timings.ts';
import { openTestStore } from '../fixtures/test-store.ts';
import { type Figure, micro, spread } from './figures.ts';
import { cardAt, fillStore } from './roster-fixture.ts';

const CARDS = 10_000;
const TAPS = 2_000;

/** Notes when the strike is first told to unlock. */
class TimedDoorIo extends SimulatedDoorIo {
  unlockedAt = 0;

  override setStrike(door: DoorId, state: StrikeState): void {
    if (state === 'unlocked') this.unlockedAt = performance.now();
    super.setStrike(door, state);
  }
}

export const measureTaps = async (): Promise<Figure> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const [door, gateway, reader] = [parseDoorId('front'), parseGatewayId('bench'), parseReaderId('front-in')];
  if (door === undefined || gateway === undefined || reader === undefined) throw new TypeError('ids');
  const store = await openTestStore(join(folder, 'store'));
  await fillStore(store, CARDS);
  const clock = new SystemClock({ trust: 'always' });
  const log = createLog('silent');
  const writer = new SerialWriter({ store, gateway, clock, log });
  const io = new TimedDoorIo({ doors: [{ door, strike: { line: 1, activeLow: false, failMode: 'secure' } }] });
  await io.open({ onInput: () => {}, onFailure: () => {} });
  const timings = timingsOf();
  const controller = new DoorController({ door, timings, io, writer, clock, log, onChange: () => {} }, 'normal');
  const simulated = new SimulatedCardReader({ clock });
  const handler = new TapHandler({
    place: { reader, direction: 'in', role: 'access', door },
    doorAtReader: { controller, recordBeforeRelease: false },
    cardNumberFormat: 'hex',
    judge: judgeOf({ clock }),
    store,
    writer,
    alarms: { raise: () => {} },
    clock,
    log,
    onChange: () => {},
  });
  await simulated.start(handler);
  const samples: number[] = [];
  for (let i = 0; i < TAPS; i++) {
    const uid = Uint8Array.from(Buffer.from(cardAt(i), 'hex'));
    controller.setMode('blocked');
    controller.setMode('normal');
    const start = performance.now();
    simulated.present(uid);
    samples.push(io.unlockedAt - start);
    simulated.remove();
    if (i % 100 === 0) await writer.idle();
  }
  await writer.idle();
  controller.stop();
  await simulated.stop();
  await store.close();
  rmSync(folder, { recursive: true });
  return {
    what: `simulated tap -> strike call, ${CARDS.toLocaleString('en')} cards`,
    ...spread(samples, micro),
    baseline: '',
    aim: '',
  };
};
