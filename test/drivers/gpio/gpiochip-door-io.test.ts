// The character device driver against a kernel in memory; test/board/gpio runs the same contract against a real one.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { open, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { DoorId } from '../../../src/domain/ids.ts';
import { GpiochipDoorIo, type GpiochipDoorIoOptions } from '../../../src/drivers/gpio/gpiochip-door-io.ts';
import { loadKernelCalls } from '../../../src/drivers/gpio/kernel-calls.ts';
import type { Every } from '../../../src/drivers/gpio/look-timer.ts';
import { levelOf } from '../../../src/drivers/gpio/strike-level.ts';
import { CardeaError, type ErrorCode } from '../../../src/errors.ts';
import type { DoorInput } from '../../../src/ports/door-io.ts';
import { type DoorIoHarness, doorIoContract } from '../../contracts/door-io.contract.ts';
import { CONTRACT_DOORS, CONTRACT_OUTPUTS, inputOf, lineOf, wiringOf } from '../../contracts/door-io.doors.ts';
import { signalLinesContract } from '../../contracts/signal-lines.contract.ts';
import { RecordingLog } from '../../fixtures/recording-log.ts';
import { waitFor } from '../../fixtures/wait-for.ts';
import { FakeKernel } from './fake-kernel.ts';

const [FRONT, BACK, GATE] = CONTRACT_DOORS.map(({ door }) => door);

/** Stands in for the timer: looks at the inputs when told. */
class Looks {
  readonly #looks = new Set<() => void>();
  readonly every: Every = (interval, look) => {
    assert.equal(interval, 10);
    this.#looks.add(look);
    return () => void this.#looks.delete(look);
  };

  get running(): boolean {
    return this.#looks.size > 0;
  }

  pass(count = 1): void {
    for (let i = 0; i < count; i++) for (const look of this.#looks) look();
  }
}

/** Until levels are compared where no event comes. */
const QUIET = 25;

const makeHarness = async (): Promise<DoorIoHarness> => {
  const kernel = new FakeKernel();
  const looks = new Looks();
  const io = new GpiochipDoorIo({ doors: CONTRACT_DOORS, outputs: CONTRACT_OUTPUTS, kernel, every: looks.every });
  return {
    io,
    setInput: (door, kind, active) => {
      const input = inputOf(door, kind);
      kernel.set(input.line, levelOf(input, active));
    },
    strikeLevel: (door) => kernel.line(wiringOf(door).strike.line).level,
    outputLevel: (name) => kernel.line(lineOf(name)).level,
    until: async (condition) => {
      looks.pass();
      assert.ok(condition());
    },
    settle: async () => looks.pass(QUIET),
    close: async () => {
      assert.equal(looks.running, false);
      assert.equal(kernel.openDescriptors, 0);
    },
  };
};

doorIoContract('GpiochipDoorIo on a kernel in memory', makeHarness);
signalLinesContract('GpiochipDoorIo on a kernel in memory', makeHarness);

interface Setup {
  readonly kernel: FakeKernel;
  readonly io: GpiochipDoorIo;
  readonly looks: Looks;
  readonly inputs: (readonly [DoorId, DoorInput])[];
  readonly failures: Error[];
  open(): Promise<void>;
  close(): Promise<void>;
}

const setUp = (kernel = new FakeKernel(), options: Partial<GpiochipDoorIoOptions> = {}): Setup => {
  const looks = new Looks();
  const io = new GpiochipDoorIo({ doors: CONTRACT_DOORS, kernel, every: looks.every, ...options });
  const inputs: Setup['inputs'] = [];
  const failures: Error[] = [];
  return {
    kernel,
    io,
    looks,
    inputs,
    failures,
    open: () =>
      io.open({ onInput: (door, input) => inputs.push([door, input]), onFailure: (error) => failures.push(error) }),
    close: async () => {
      await io.close();
      assert.equal(looks.running, false);
      assert.equal(kernel.openDescriptors, 0);
    },
  };
};

const hasCode =
  (code: ErrorCode, message: RegExp) =>
  (error: unknown): boolean => {
    assert.ok(error instanceof CardeaError);
    assert.equal(error.code, code);
    assert.match(error.message, message);
    return true;
  };

describe('GpiochipDoorIo', () => {
  it('drives each strike once on open, to the level that means locked', async () => {
    const { kernel, open, close } = setUp();
    await open();
    assert.deepEqual(kernel.driven, [
      [17, 0],
      [23, 1],
      [25, 0],
    ]);
    await close();
  });

  it('pulls every pin towards its inactive level, outputs too; a tamper switch is to ground whatever its polarity', async () => {
    const { kernel, open, close } = setUp();
    await open();
    const pulls = [17, 23, 25, 27, 22, 24, 26].map((line) => kernel.line(line).pull);
    assert.deepEqual(pulls, ['down', 'up', 'up', 'up', 'up', 'down', 'up']);
    await close();
  });

  it('claims its lines by name and has the kernel debounce the inputs for 10 ms', async () => {
    const { kernel, open, close } = setUp();
    await open();
    assert.equal(kernel.line(17).consumer, 'cardea');
    assert.equal(kernel.line(27).consumer, 'cardea');
    assert.equal(kernel.debounceOf(27), 10_000);
    await close();
  });

  it('asks for no debouncing when it is switched off', async () => {
    const { kernel, open, close } = setUp(new FakeKernel(), { debounce: 0 });
    await open();
    assert.equal(kernel.debounceOf(27), 0);
    await close();
  });

  it('works without a single input', async () => {
    const { kernel, io, open } = setUp(new FakeKernel(), { doors: CONTRACT_DOORS.slice(2) });
    await open();
    assert.equal(kernel.openDescriptors, 2);
    await io.close();
    assert.equal(kernel.openDescriptors, 0);
  });

  it('finds the chip of a Pi by its label, wherever it stands', async () => {
    for (const label of ['pinctrl-rp1', 'pinctrl-bcm2711', 'pinctrl-bcm2835']) {
      const kernel = new FakeKernel([
        { label: 'raspberrypi-exp-gpio', lines: 8 },
        { label: 'gpio-brcmstb' },
        { label },
      ]);
      const { open, close } = setUp(kernel);
      await open();
      assert.equal(kernel.line(17, 2).consumer, 'cardea');
      await close();
    }
  });

  it('takes the chip that was configured, by label or by path', async () => {
    for (const chip of ['other', '/dev/gpiochip1']) {
      const kernel = new FakeKernel([{}, { label: 'other' }]);
      const { open, close } = setUp(kernel, { chip });
      await open();
      assert.equal(kernel.line(17, 1).consumer, 'cardea');
      assert.equal(kernel.line(17, 0).consumer, undefined);
      await close();
    }
  });

  it('names the chips there are when none fits', async () => {
    const kernel = new FakeKernel([{ label: 'gpio-mockup-A' }]);
    await assert.rejects(setUp(kernel).open(), hasCode('gpio-unavailable', /gpiochip0 \(gpio-mockup-A\).*simulated/));
    assert.equal(kernel.openDescriptors, 0);
    await assert.rejects(setUp(new FakeKernel([])).open(), hasCode('gpio-unavailable', /no \/dev\/gpiochip/));
  });

  it('says which group is missing when a chip may not be opened', async () => {
    const kernel = new FakeKernel([{ openFailure: 'EACCES' }]);
    await assert.rejects(setUp(kernel).open(), hasCode('gpio-unavailable', /EACCES.*group gpio/));
  });

  it('says that the kernel is too old when it does not know line requests', async () => {
    const kernel = new FakeKernel();
    kernel.lacksV2 = true;
    await assert.rejects(setUp(kernel).open(), hasCode('gpio-unavailable', /5\.10/));
    assert.equal(kernel.openDescriptors, 0);
  });

  it('names every held line, its purpose and its holder, and claims and drives nothing', async () => {
    const { kernel, open } = setUp();
    kernel.hold(23, 'gpioset');
    kernel.hold(27, 'sysfs');
    const message = /line 23 \(strike of door back\) by gpioset, line 27 \(contact of door front\) by sysfs/;
    await assert.rejects(open(), hasCode('gpio-line-busy', message));
    assert.deepEqual(kernel.driven, []);
    assert.equal(kernel.line(17).consumer, undefined);
    assert.equal(kernel.openDescriptors, 0);
  });

  it('claims nothing when the kernel refuses a request after all', async () => {
    const { kernel, open } = setUp();
    kernel.requestFailure = 'EBUSY';
    await assert.rejects(open(), hasCode('gpio-line-busy', /EBUSY/));
    assert.equal(kernel.openDescriptors, 0);
  });

  it('refuses a line that the chip does not have, by number and purpose', async () => {
    const kernel = new FakeKernel([{ lines: 20 }]);
    await assert.rejects(
      setUp(kernel).open(),
      hasCode('gpio-unavailable', /20 lines.*no line 23 \(strike of door back\)/),
    );
    assert.equal(kernel.openDescriptors, 0);
  });

  it('throws when a strike cannot be driven, and remembers what it was', async () => {
    const { kernel, io, open, close } = setUp();
    await open();
    assert.ok(FRONT !== undefined);
    kernel.writeFailure = 'EIO';
    assert.throws(
      () => io.setStrike(FRONT, 'unlocked'),
      hasCode('gpio-write-failed', /line 17 \(strike of door front\)/),
    );
    assert.equal(io.strike(FRONT), 'locked');
    kernel.writeFailure = undefined;
    await close();
  });

  it('says so when it could not make the outputs safe on close, and still gives the lines back', async () => {
    const { kernel, open, close } = setUp();
    await open();
    kernel.writeFailure = 'EIO';
    await assert.rejects(close(), hasCode('gpio-write-failed', /3 output lines.*supply/));
    assert.equal(kernel.openDescriptors, 0);
  });

  it('reports a press whose events the kernel dropped', async () => {
    const { kernel, looks, inputs, open, close } = setUp();
    kernel.set(22, 1);
    await open();
    kernel.set(22, 0, { lose: true });
    kernel.set(22, 1);
    looks.pass();
    assert.deepEqual(inputs, [
      [FRONT, { kind: 'exit-button', pressed: true }],
      [FRONT, { kind: 'exit-button', pressed: false }],
    ]);
    await close();
  });

  it('notices a change whose event never came', async () => {
    const { kernel, io, looks, inputs, open, close } = setUp();
    await open();
    kernel.set(24, 1, { lose: true });
    looks.pass(QUIET);
    assert.deepEqual(inputs, [[BACK, { kind: 'contact', position: 'closed' }]]);
    assert.ok(BACK !== undefined);
    assert.equal(io.position(BACK), 'closed');
    await close();
  });

  it('does not report twice what it noticed before the event came', async () => {
    const { kernel, looks, inputs, open, close } = setUp();
    await open();
    looks.pass(QUIET - 1);
    kernel.set(24, 1);
    kernel.forcedPoll = 0;
    looks.pass();
    assert.equal(inputs.length, 1);
    looks.pass();
    assert.deepEqual(inputs, [[BACK, { kind: 'contact', position: 'closed' }]]);
    await close();
  });

  it('delivers a burst longer than one read completely and in order', async () => {
    const { kernel, looks, inputs, open, close } = setUp();
    await open();
    for (let change = 0; change < 200; change++) kernel.set(24, change % 2 === 0 ? 1 : 0);
    looks.pass();
    assert.equal(inputs.length, 200);
    assert.ok(
      inputs.every(
        ([, input], index) => input.kind === 'contact' && input.position === (index % 2 === 0 ? 'closed' : 'open'),
      ),
    );
    await close();
  });

  it('reports nothing more from a batch once it is closed', async () => {
    const { kernel, io, looks } = setUp();
    let seen = 0;
    const closing: Promise<void>[] = [];
    await io.open({
      onInput: () => {
        seen++;
        closing.push(io.close());
      },
      onFailure: assert.ifError,
    });
    kernel.set(24, 1);
    kernel.set(24, 0);
    looks.pass();
    await Promise.all(closing);
    assert.equal(seen, 1);
  });

  it('tells once that the chip is gone', async () => {
    const { kernel, looks, failures, open, close } = setUp();
    await open();
    kernel.forcedPoll = 0x10;
    looks.pass(2);
    assert.equal(looks.running, false);
    assert.equal(failures.length, 1);
    assert.ok(hasCode('gpio-unavailable', /gone/)(failures[0]));
    await close();
  });

  it('warns at start of an exit button that reads pressed, and only then', async () => {
    for (const level of [0, 1] as const) {
      const log = new RecordingLog();
      const { kernel, open, close } = setUp(new FakeKernel(), { log });
      kernel.set(22, level);
      await open();
      const doors = log.at('warn').map(({ fields }) => fields['door']);
      assert.deepEqual(doors, level === 0 ? [FRONT] : []);
      await close();
    }
  });

  it('drives outputs that are no strikes, and leaves them inactive', async () => {
    const outputs = [{ name: 'reset of reader front-in', line: 5, activeLow: true }];
    const { kernel, io, open, close } = setUp(new FakeKernel(), { outputs });
    await open();
    assert.equal(kernel.line(5).level, 1);
    assert.equal(kernel.line(5).pull, 'up');
    io.setOutput('reset of reader front-in', true);
    assert.equal(kernel.line(5).level, 0);
    assert.throws(() => io.setOutput('buzzer', true), hasCode('unknown-line', /buzzer/));
    await close();
    assert.equal(kernel.line(5).level, 1);
  });

  it('leaves a fail-safe strike without power when it is closed while locked', async () => {
    const { kernel, io, open, close } = setUp();
    await open();
    assert.ok(GATE !== undefined);
    assert.equal(io.strike(GATE), 'locked');
    assert.equal(kernel.line(25).level, 0);
    await close();
    assert.equal(kernel.line(25).level, 1);
  });
});

describe('GpiochipDoorIo beside a thread pool that hangs', () => {
  it('still reports a press, and is closed at once', async (t) => {
    const libc = await loadKernelCalls();
    const directory = mkdtempSync(join(tmpdir(), 'cardea-pool-'));
    const [edges, stuck] = [join(directory, 'edges'), join(directory, 'stuck')];
    execFileSync('mkfifo', [edges, stuck]);
    // Opened for reading without a writer, as a file on a dead disk: every thread of the pool (4) and some in the queue.
    const hanging = Array.from({ length: 6 }, () => open(stuck, 'r'));
    let isPoolFree = false;
    const another = stat(directory).then(() => {
      isPoolFree = true;
    });
    const descriptor = openSync(edges, constants.O_RDWR | constants.O_NONBLOCK);
    t.after(async () => {
      const writer = openSync(stuck, constants.O_RDWR);
      for (const handle of await Promise.all(hanging)) await handle.close();
      await another;
      closeSync(writer);
      closeSync(descriptor);
      rmSync(directory, { recursive: true });
    });

    /** Events wait in a pipe, and are looked for and read by the real calls. */
    class PipeKernel extends FakeKernel {
      override poll(): number {
        return libc.poll(descriptor);
      }
      override read(_request: number, into: Buffer): number {
        return libc.read(descriptor, into);
      }
    }
    const io = new GpiochipDoorIo({ doors: CONTRACT_DOORS, kernel: new PipeKernel() });
    const inputs: DoorInput[] = [];
    await io.open({ onInput: (_door, input) => inputs.push(input), onFailure: assert.ifError });
    const rising = Buffer.alloc(48);
    rising.writeUInt32LE(1, 8);
    rising.writeUInt32LE(22, 12);
    rising.writeUInt32LE(1, 20);
    writeSync(descriptor, rising);
    await waitFor(() => inputs.length > 0, 'the exit button');
    assert.equal(isPoolFree, false);
    assert.deepEqual(inputs, [{ kind: 'exit-button', pressed: false }]);
    await io.close();
  });
});
