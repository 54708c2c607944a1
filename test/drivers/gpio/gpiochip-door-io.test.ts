// The character device driver against a kernel in memory; test/board/gpio runs the same contract against a real one.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DoorId } from '../../../src/domain/ids.ts';
import { GpiochipDoorIo, type GpiochipDoorIoOptions } from '../../../src/drivers/gpio/gpiochip-door-io.ts';
import { levelOf } from '../../../src/drivers/gpio/strike-level.ts';
import { CardeaError, type ErrorCode } from '../../../src/errors.ts';
import type { DoorInput } from '../../../src/ports/door-io.ts';
import { doorIoContract } from '../../contracts/door-io.contract.ts';
import { CONTRACT_DOORS } from '../../contracts/door-io.doors.ts';
import { FakeKernel } from './fake-kernel.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

const wiringOf = (door: DoorId): (typeof CONTRACT_DOORS)[number] => {
  const wiring = CONTRACT_DOORS.find((candidate) => candidate.door === door);
  assert.ok(wiring !== undefined);
  return wiring;
};

const [FRONT, BACK, GATE] = CONTRACT_DOORS.map(({ door }) => door);

/** close() waits for the thread that waits: time passes for it here. */
class ImpatientKernel extends FakeKernel {
  override poll(descriptor: number, timeout: number): Promise<number> {
    const result = super.poll(descriptor, timeout);
    setImmediate(() => this.timeOut());
    return result;
  }
}

doorIoContract('GpiochipDoorIo on a kernel in memory', async () => {
  const kernel = new ImpatientKernel();
  const io = new GpiochipDoorIo({ doors: CONTRACT_DOORS, kernel });
  return {
    io,
    setInput: (door, kind, active) => {
      const { contact, exitButton } = wiringOf(door);
      const input = kind === 'contact' ? contact : exitButton;
      assert.ok(input !== undefined);
      kernel.set(input.line, levelOf(input, active));
    },
    strikeLevel: (door) => kernel.line(wiringOf(door).strike.line).level,
    until: async (condition) => {
      for (let turns = 0; turns < 20 && !condition(); turns++) await turn();
      assert.ok(condition());
    },
    settle: async () => {
      for (let turns = 0; turns < 5; turns++) await turn();
    },
    close: async () => assert.equal(kernel.openDescriptors, 0),
  };
});

interface Setup {
  readonly kernel: FakeKernel;
  readonly io: GpiochipDoorIo;
  readonly inputs: (readonly [DoorId, DoorInput])[];
  readonly failures: Error[];
  open(): Promise<void>;
  close(): Promise<void>;
}

const setUp = (kernel = new FakeKernel(), options: Partial<GpiochipDoorIoOptions> = {}): Setup => {
  const io = new GpiochipDoorIo({ doors: CONTRACT_DOORS, kernel, ...options });
  const inputs: Setup['inputs'] = [];
  const failures: Error[] = [];
  return {
    kernel,
    io,
    inputs,
    failures,
    open: () =>
      io.open({ onInput: (door, input) => inputs.push([door, input]), onFailure: (error) => failures.push(error) }),
    close: async () => {
      const closed = io.close();
      kernel.timeOut();
      await closed;
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

  it('pulls every pin towards its inactive level, outputs too', async () => {
    const { kernel, open, close } = setUp();
    await open();
    const pulls = [17, 23, 25, 27, 22, 24].map((line) => kernel.line(line).pull);
    assert.deepEqual(pulls, ['down', 'up', 'up', 'up', 'up', 'down']);
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
    const { kernel, inputs, open, close } = setUp();
    kernel.set(22, 1);
    await open();
    kernel.set(22, 0, { lose: true });
    kernel.set(22, 1);
    await turn();
    assert.deepEqual(inputs, [
      [FRONT, { kind: 'exit-button', pressed: true }],
      [FRONT, { kind: 'exit-button', pressed: false }],
    ]);
    await close();
  });

  it('notices a change whose event never came at the next time-out', async () => {
    const { kernel, io, inputs, open, close } = setUp();
    await open();
    kernel.set(24, 1, { lose: true });
    kernel.timeOut();
    await turn();
    assert.deepEqual(inputs, [[BACK, { kind: 'contact', position: 'closed' }]]);
    assert.ok(BACK !== undefined);
    assert.equal(io.position(BACK), 'closed');
    await close();
  });

  it('does not report twice what it noticed before the event came', async () => {
    const { kernel, inputs, open, close } = setUp();
    await open();
    kernel.forcedPoll = 0;
    kernel.set(24, 1);
    await turn();
    await turn();
    assert.deepEqual(inputs, [[BACK, { kind: 'contact', position: 'closed' }]]);
    await close();
  });

  it('delivers a burst longer than one read completely and in order', async () => {
    const { kernel, inputs, open, close } = setUp();
    await open();
    for (let change = 0; change < 200; change++) kernel.set(24, change % 2 === 0 ? 1 : 0);
    for (let turns = 0; turns < 10; turns++) await turn();
    assert.equal(inputs.length, 200);
    assert.ok(
      inputs.every(
        ([, input], index) => input.kind === 'contact' && input.position === (index % 2 === 0 ? 'closed' : 'open'),
      ),
    );
    await close();
  });

  it('reports nothing more from a batch once it is closed', async () => {
    const { kernel, io, open } = setUp();
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
    await turn();
    await Promise.all(closing);
    assert.equal(seen, 1);
    assert.ok(open);
  });

  it('tells once that the chip is gone', async () => {
    const { kernel, failures, open, close } = setUp();
    await open();
    kernel.forcedPoll = 0x10;
    kernel.timeOut();
    await turn();
    assert.equal(failures.length, 1);
    assert.ok(hasCode('gpio-unavailable', /gone/)(failures[0]));
    await close();
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
