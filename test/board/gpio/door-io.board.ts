// Runs in the virtual board: the DoorIo contract on a real kernel's lines, and what only a real kernel can show.
// CARDEA_GPIO_DRIVER chooses the backend.

import assert from 'node:assert/strict';
import { execFile, execFileSync, spawn } from 'node:child_process';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { createGpioDoorIo, selectGpioBackend } from '../../../src/drivers/gpio/select-gpio-backend.ts';
import { type LineLevel, levelOf } from '../../../src/drivers/gpio/strike-level.ts';
import { CardeaError } from '../../../src/errors.ts';
import type { DoorInput } from '../../../src/ports/door-io.ts';
import { type DoorIoHarness, doorIoContract } from '../../contracts/door-io.contract.ts';
import { CONTRACT_DOORS, CONTRACT_OUTPUTS, inputOf, lineOf, wiringOf } from '../../contracts/door-io.doors.ts';
import { signalLinesContract } from '../../contracts/signal-lines.contract.ts';

const { CARDEA_GPIO_DRIVER, BOARD_CHIP = 'gpiochip0' } = process.env;
const driver = CARDEA_GPIO_DRIVER === 'rpi-gpio' ? 'rpi-gpio' : 'gpiochip';

const board = (...argv: string[]): string => execFileSync('board-ctl', argv, { encoding: 'utf8' }).trim();
const wireLevel = (line: number): LineLevel => (board('line', 'get', String(line)) === '1' ? 1 : 0);
const pull = (line: number, level: LineLevel): string => board('line', 'pull', String(line), String(level));

const until = async (condition: () => boolean): Promise<void> => {
  for (let waits = 0; waits < 500 && !condition(); waits++) await sleep(10);
  assert.ok(condition(), 'the condition did not come true within 5 s');
};

/** A pulse made by another process, so that this one's event loop turns meanwhile. */
const pulse = async (milliseconds: number): Promise<void> => {
  await promisify(execFile)('bash', [
    '-c',
    `board-ctl line pull 22 0; sleep ${milliseconds / 1000}; board-ctl line pull 22 1`,
  ]);
};

const outputs = CONTRACT_OUTPUTS;

/** sysfs knows no bias: there resistors outside hold what hangs on the outputs inactive once the lines are given back. */
const wireRelayBoard = (): void => {
  for (const output of [...CONTRACT_DOORS.map(({ strike }) => strike), ...outputs]) {
    pull(output.line, levelOf(output, false));
  }
};

const makeHarness = async (): Promise<DoorIoHarness> => {
  if (driver === 'rpi-gpio') wireRelayBoard();
  return {
    io: await createGpioDoorIo({ driver, doors: CONTRACT_DOORS, outputs }),
    setInput: (door, kind, active) => {
      const input = inputOf(door, kind);
      pull(input.line, levelOf(input, active));
    },
    strikeLevel: (door) => wireLevel(wiringOf(door).strike.line),
    outputLevel: (name) => wireLevel(lineOf(name)),
    until,
    settle: () => sleep(400),
    close: async () => {},
  };
};

doorIoContract(`${driver} on a real kernel`, makeHarness);
signalLinesContract(`${driver} on a real kernel`, makeHarness);

describe(`${driver} on a real kernel`, () => {
  const [front] = CONTRACT_DOORS;
  assert.ok(front !== undefined);

  it('counts with auto choosing the character device where it works', async () => {
    assert.equal((await selectGpioBackend({ driver: 'auto' })).backend, 'gpiochip');
  });

  it('claims an active-low strike without a glitch to the other level', async (t) => {
    board('line', 'pull', '23', '1');
    const watch = spawn('board-ctl', ['line', 'watch', '23']);
    t.after(() => watch.kill());
    const seen: string[] = [];
    watch.stdout.setEncoding('utf8').on('data', (text: string) => void seen.push(text));
    await until(() => seen.length > 0);
    const io = await createGpioDoorIo({ driver, doors: CONTRACT_DOORS, outputs });
    t.after(() => io.close());
    await io.open({ onInput: () => {}, onFailure: assert.ifError });
    await sleep(200);
    await io.close();
    await sleep(200);
    console.log(`line 23 from before open until after close: ${seen.join('').trim().replaceAll('\n', '; ')}`);
    assert.doesNotMatch(seen.join(''), /falling/);
  });

  it('leaves nothing claimed when a line is held by somebody else, and names the holder', async (t) => {
    const holder = spawn('gpioset', ['-m', 'signal', BOARD_CHIP, '25=1']);
    t.after(() => holder.kill());
    // By its level the line could still be as somebody before has left it.
    await until(() => /line\s+25:.*gpioset/.test(execFileSync('gpioinfo', { encoding: 'utf8' })));
    const io = await createGpioDoorIo({ driver, doors: CONTRACT_DOORS, outputs });
    t.after(() => io.close());
    await assert.rejects(io.open({ onInput: () => {}, onFailure: assert.ifError }), (error: unknown) => {
      console.log(String(error));
      return error instanceof CardeaError && error.code === 'gpio-line-busy';
    });
    assert.equal(execFileSync('gpioinfo', { encoding: 'utf8' }).match(/cardea|sysfs/), null);
  });

  it('sees pulses of 100 ms in their order', async (t) => {
    const seen: DoorInput[] = [];
    const io = await createGpioDoorIo({ driver, doors: CONTRACT_DOORS, outputs });
    t.after(() => io.close());
    pull(22, 1);
    await io.open({ onInput: (_door, input) => void seen.push(input), onFailure: assert.ifError });
    for (let press = 0; press < 5; press++) {
      await pulse(100);
      await sleep(100);
    }
    await until(() => seen.length >= 10);
    await io.close();
    assert.deepEqual(
      seen,
      Array.from({ length: 10 }, (_, index) => ({ kind: 'exit-button', pressed: index % 2 === 0 })),
    );
  });

  it('gives its lines back on close', async (t) => {
    const io = await createGpioDoorIo({ driver, doors: CONTRACT_DOORS, outputs });
    t.after(() => io.close());
    await io.open({ onInput: () => {}, onFailure: assert.ifError });
    io.setStrike(front.door, 'unlocked');
    const start = performance.now();
    await io.close();
    console.log(`close took ${Math.round(performance.now() - start)} ms`);
    assert.equal(execFileSync('gpioinfo', { encoding: 'utf8' }).match(/cardea|sysfs/), null);
    assert.equal(wireLevel(17), 0);
  });
});
