// The rpi-gpio driver against a folder that looks like /sys/class/gpio and an rpi-gpio that writes there; test/board/gpio
// runs the same contract with the package itself on a real kernel.

import assert from 'node:assert/strict';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { InputLooks } from '../../../src/drivers/gpio/input-looks.ts';
import type { InputThreadOptions, RunningInputs } from '../../../src/drivers/gpio/input-thread.ts';
import { type RpiGpio, RpiGpioDoorIo, type RpiGpioDoorIoOptions } from '../../../src/drivers/gpio/rpi-gpio-door-io.ts';
import { type LineLevel, levelOf } from '../../../src/drivers/gpio/strike-level.ts';
import { findSysfsChip, SysfsLine } from '../../../src/drivers/gpio/sysfs-gpio.ts';
import { CardeaError, type ErrorCode } from '../../../src/errors.ts';
import type { DoorInput } from '../../../src/ports/door-io.ts';
import { type DoorIoHarness, doorIoContract } from '../../contracts/door-io.contract.ts';
import { CONTRACT_DOORS, CONTRACT_OUTPUTS, inputOf, lineOf, wiringOf } from '../../contracts/door-io.doors.ts';
import { signalLinesContract } from '../../contracts/signal-lines.contract.ts';
import { RecordingLog } from '../../fixtures/recording-log.ts';

const makeSysfs = ({ label = 'pinctrl-bcm2835', base = 0 } = {}): string => {
  const root = mkdtempSync(join(tmpdir(), 'cardea-sysfs-'));
  const chip = join(root, `gpiochip${base}`);
  mkdirSync(chip);
  writeFileSync(join(chip, 'label'), `${label}\n`);
  writeFileSync(join(chip, 'base'), `${base}\n`);
  writeFileSync(join(chip, 'ngpio'), '54\n');
  return root;
};

/** Levels survive unexporting, as on kernels that keep released outputs. */
class FakeRpiGpio implements RpiGpio {
  readonly MODE_BCM = 'mode_bcm';
  readonly #root: string;
  readonly #exported = new Set<number>();
  readonly levels = new Map<number, LineLevel>();
  readonly calls: string[] = [];
  readonly busy = new Set<number>();
  mode: string | undefined;
  readonly promise = {
    setup: async (channel: number, direction: 'in' | 'low' | 'high', edge: 'none'): Promise<void> => {
      assert.equal(this.mode, this.MODE_BCM);
      assert.equal(edge, 'none');
      this.calls.push(`${channel} ${direction}`);
      if (this.busy.has(channel))
        throw Object.assign(new Error('EBUSY: resource busy or locked, write'), { code: 'EBUSY' });
      this.#exported.add(channel);
      mkdirSync(join(this.#root, `gpio${channel}`), { recursive: true });
      this.set(channel, direction === 'in' ? (this.levels.get(channel) ?? 0) : direction === 'high' ? 1 : 0);
    },
    destroy: async (): Promise<void> => {
      for (const channel of this.#exported) {
        this.levels.set(channel, this.level(channel));
        rmSync(join(this.#root, `gpio${channel}`), { recursive: true });
      }
      this.#exported.clear();
    },
  };

  constructor(root: string) {
    this.#root = root;
  }

  setMode(mode: string): void {
    this.mode = mode;
  }

  reset(): void {
    this.mode = undefined;
  }

  get exported(): number {
    return this.#exported.size;
  }

  set(channel: number, level: LineLevel): void {
    this.levels.set(channel, level);
    if (this.#exported.has(channel)) writeFileSync(this.#value(channel), `${level}\n`);
  }

  level(channel: number): LineLevel {
    if (!existsSync(this.#value(channel))) return this.levels.get(channel) ?? 0;
    return readFileSync(this.#value(channel), 'utf8').startsWith('1') ? 1 : 0;
  }

  #value(channel: number): string {
    return join(this.#root, `gpio${channel}`, 'value');
  }
}

/** Looks when it is told to, on this thread, and reports at once. */
class InputsByHand implements RunningInputs {
  readonly #options: InputThreadOptions;
  readonly #lines: ReadonlyMap<number, SysfsLine>;
  readonly #looks: InputLooks;
  #isReporting = false;

  constructor(options: InputThreadOptions) {
    const { root, levels, debounce } = options;
    this.#options = options;
    this.#lines = new Map([...levels.keys()].map((line) => [line, new SysfsLine(root, line)] as const));
    this.#looks = new InputLooks({ lines: this.#lines, levels, debounce });
  }

  report(): void {
    this.#isReporting = true;
  }

  async stop(): Promise<void> {
    this.#isReporting = false;
    for (const line of this.#lines.values()) line.close();
  }

  look(): void {
    if (!this.#isReporting) return;
    for (const change of this.#looks.look().changes) if (this.#isReporting) this.#options.onChange(change);
  }
}

interface Setup {
  readonly gpio: FakeRpiGpio;
  readonly io: RpiGpioDoorIo;
  readonly root: string;
  /** What the thread does every 20 ms. */
  look(): void;
}

const setUp = (options: Partial<RpiGpioDoorIoOptions> = {}, root = makeSysfs()): Setup => {
  const gpio = new FakeRpiGpio(root);
  let inputs: InputsByHand | undefined;
  const io = new RpiGpioDoorIo({
    doors: CONTRACT_DOORS,
    gpio,
    sysfsRoot: root,
    startInputs: async (inputOptions) => {
      inputs = new InputsByHand(inputOptions);
      return inputs;
    },
    ...options,
  });
  return {
    gpio,
    io,
    root,
    look: () => inputs?.look(),
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

const silent = { onInput: () => {}, onFailure: assert.ifError };

const removeAfter = (t: TestContext, { root, io }: Setup): void =>
  t.after(async () => {
    await io.close();
    rmSync(root, { recursive: true });
  });

const makeHarness = async (): Promise<DoorIoHarness> => {
  const { gpio, io, root, look } = setUp({ outputs: CONTRACT_OUTPUTS });
  return {
    io,
    setInput: (door, kind, active) => {
      const input = inputOf(door, kind);
      gpio.set(input.line, levelOf(input, active));
    },
    strikeLevel: (door) => gpio.level(wiringOf(door).strike.line),
    outputLevel: (name) => gpio.level(lineOf(name)),
    until: async (condition) => {
      look();
      look();
      assert.ok(condition());
    },
    settle: async () => {
      look();
      look();
    },
    close: async () => {
      assert.equal(gpio.exported, 0);
      rmSync(root, { recursive: true });
    },
  };
};

doorIoContract('RpiGpioDoorIo on a folder', makeHarness);
signalLinesContract('RpiGpioDoorIo on a folder', makeHarness);

describe('RpiGpioDoorIo', () => {
  it('sets inputs up first, and each strike straight at the level that means locked', async (t) => {
    const setup = setUp();
    removeAfter(t, setup);
    await setup.io.open(silent);
    assert.deepEqual(setup.gpio.calls, ['27 in', '22 in', '24 in', '26 in', '17 low', '23 high', '25 low']);
  });

  it('gives everything back and names the line when one is held', async (t) => {
    const setup = setUp();
    removeAfter(t, setup);
    setup.gpio.busy.add(25);
    await assert.rejects(setup.io.open(silent), hasCode('gpio-line-busy', /line 25 \(strike of door gate\)/));
    assert.equal(setup.gpio.exported, 0);
    assert.equal(setup.gpio.level(23), 1);
  });

  it('drives outputs that are no strikes', async (t) => {
    const setup = setUp({ outputs: [{ name: 'reset', line: 5, activeLow: true }] });
    removeAfter(t, setup);
    await setup.io.open(silent);
    assert.equal(setup.gpio.level(5), 1);
    setup.io.setOutput('reset', true);
    assert.equal(setup.gpio.level(5), 0);
    await setup.io.close();
    assert.equal(setup.gpio.level(5), 1);
  });

  it('writes the file for the safe-state helper with the chip’s label', async (t) => {
    const root = makeSysfs();
    const safeStatePath = join(root, 'safe-state');
    const setup = setUp({ safeStatePath }, root);
    removeAfter(t, setup);
    await setup.io.open(silent);
    assert.match(readFileSync(safeStatePath, 'utf8'), /^pinctrl-bcm2835 23 1 back$/m);
    await setup.io.close();
    assert.equal(existsSync(safeStatePath), false);
  });

  it('is made safe at once and closed within a second where giving lines back hangs', async (t) => {
    const setup = setUp();
    const [front] = CONTRACT_DOORS;
    assert.ok(front !== undefined);
    t.after(() => rmSync(setup.root, { recursive: true }));
    await setup.io.open(silent);
    setup.io.setStrike(front.door, 'unlocked');
    setup.gpio.promise.destroy = () => new Promise(() => {});
    t.mock.timers.enable({ apis: ['setTimeout'] });
    const closed = assert.rejects(setup.io.close(), hasCode('gpio-unavailable', /doors are safe/));
    assert.equal(setup.gpio.level(17), 0);
    t.mock.timers.tick(1000);
    await closed;
  });

  it('counts a level only once it was steady for the debouncing, in whole looks', async (t) => {
    const setup = setUp({ debounce: 50 });
    removeAfter(t, setup);
    const seen: DoorInput[] = [];
    setup.gpio.set(22, 1);
    await setup.io.open({ onInput: (_door, input) => seen.push(input), onFailure: assert.ifError });
    const looks = (...levels: readonly LineLevel[]): void => {
      for (const level of levels) {
        setup.gpio.set(22, level);
        setup.look();
      }
    };
    looks(0, 0, 0, 1, 0, 0, 0);
    assert.deepEqual(seen, []);
    looks(0);
    assert.deepEqual(seen, [{ kind: 'exit-button', pressed: true }]);
    looks(1, 0, 1, 1, 1);
    assert.equal(seen.length, 1);
    looks(1);
    assert.deepEqual(seen[1], { kind: 'exit-button', pressed: false });
  });

  it('warns at start of inputs without a pull and of an exit button that reads pressed', async (t) => {
    const log = new RecordingLog();
    const setup = setUp({ log });
    removeAfter(t, setup);
    setup.gpio.set(22, 0);
    await setup.io.open(silent);
    const [pulls, pressed] = log.at('warn');
    assert.match(pulls?.message ?? '', /pull resistors/);
    assert.deepEqual(pulls?.fields, { inputs: [27, 22, 24, 26] });
    assert.match(pressed?.message ?? '', /exit button reads pressed/);
    assert.deepEqual(pressed?.fields, { door: 'front', line: 22, activeLow: true });
  });

  it('stops looking once a listener closed it', async (t) => {
    const setup = setUp();
    removeAfter(t, setup);
    let seen = 0;
    const closed: Promise<void>[] = [];
    const onInput = (): void => {
      seen++;
      closed.push(setup.io.close());
    };
    await setup.io.open({ onInput, onFailure: assert.ifError });
    setup.gpio.set(27, 1);
    setup.gpio.set(22, 1);
    setup.look();
    setup.look();
    await Promise.all(closed);
    assert.equal(seen, 1);
  });
});

describe('the sysfs chip for rpi-gpio', () => {
  it('is the Pi’s, or the one with the configured label, when it is numbered from 0', (t) => {
    const root = makeSysfs({ label: 'other' });
    t.after(() => rmSync(root, { recursive: true }));
    assert.deepEqual(findSysfsChip(root, 'other'), { label: 'other', base: 0, lines: 54 });
    assert.throws(() => findSysfsChip(root), hasCode('gpio-unavailable', /pinctrl-bcm2835.*gpiochip/));
  });

  it('is refused with advice when it is numbered from elsewhere', (t) => {
    const root = makeSysfs({ base: 512 });
    t.after(() => rmSync(root, { recursive: true }));
    assert.throws(() => findSysfsChip(root), hasCode('gpio-unavailable', /from 512.*gpio\.driver: gpiochip/));
  });

  it('is missing where there is no sysfs GPIO at all', () => {
    assert.throws(() => findSysfsChip('/nonexistent'), hasCode('gpio-unavailable', /no GPIO chip/));
  });
});
