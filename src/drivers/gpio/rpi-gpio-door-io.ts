// Doors on the npm package rpi-gpio, for kernels that number the lines of /sys/class/gpio from 0. rpi-gpio exports lines, sets
// their directions and gives them back; levels go through the value files it set up, because its own write is still queued
// when it returns (fs.writeFile) and a strike must have moved by then. Inputs are looked at by a thread of their own, so that no
// pulse is missed while this one is busy.

import type { DoorId } from '../../domain/ids.ts';
import { CardeaError } from '../../errors.ts';
import type { DoorIo, DoorIoListener, DoorPosition, DoorWiring, StrikeState } from '../../ports/door-io.ts';
import type { SignalLine, SignalLines } from '../../ports/signal-lines.ts';
import {
  type DoorLinesOptions,
  type InputLine,
  inputLines,
  linePurposes,
  madeSafeMeanwhile,
  toDoorInput,
  unknownDoor,
  unknownOutput,
  warnOfPressedButtons,
} from './door-lines.ts';
import type { LineChange } from './input-looks.ts';
import { InputThread, type InputThreadOptions, type RunningInputs } from './input-thread.ts';
import { removeSafeStateFile, writeSafeStateFile } from './safe-state-file.ts';
import { isActive, type LineLevel, levelOf, safeStrikeLevel, safeStrikeState, strikeLevel } from './strike-level.ts';
import { findSysfsChip, SYSFS_GPIO_ROOT, SysfsLine } from './sysfs-gpio.ts';
import { within } from './time-limit.ts';

/** What is used of rpi-gpio. */
export interface RpiGpio {
  readonly MODE_BCM: string;
  setMode(mode: string): void;
  reset(): void;
  readonly promise: {
    setup(channel: number, direction: 'in' | 'low' | 'high', edge: 'none'): Promise<void>;
    destroy(): Promise<void>;
  };
}

export interface RpiGpioDoorIoOptions extends DoorLinesOptions {
  /** Default: the package. It is one object for the whole process: only one RpiGpioDoorIo may be open at a time. */
  readonly gpio?: RpiGpio;
  /** Default /sys/class/gpio. */
  readonly sysfsRoot?: string;
  /** Starts looking at the inputs; default: in a thread. */
  readonly startInputs?: (options: InputThreadOptions) => Promise<RunningInputs>;
}

interface OpenLines {
  readonly gpio: RpiGpio;
  readonly lines: ReadonlyMap<number, SysfsLine>;
  /** As last reported. */
  readonly levels: Map<number, LineLevel>;
  /** Undefined where there are no inputs. */
  readonly inputs: RunningInputs | undefined;
}

const DEFAULT_DEBOUNCE = 10;
/** Milliseconds that rpi-gpio gets to give the lines back. Its calls go through the thread pool, where others may hang. */
const GIVE_BACK_LIMIT = 1000;

export class RpiGpioDoorIo implements DoorIo, SignalLines {
  readonly #options: RpiGpioDoorIoOptions;
  readonly #doors: ReadonlyMap<DoorId, DoorWiring>;
  readonly #inputs: readonly InputLine[];
  readonly #auxiliary: ReadonlyMap<string, SignalLine>;
  readonly #purposes: ReadonlyMap<number, string>;
  readonly #strikes = new Map<DoorId, StrikeState>();
  #open: OpenLines | undefined;
  /** Value files of the lines claimed so far; while open() runs it has some already. */
  #lines: ReadonlyMap<number, SysfsLine> = new Map();
  #madeSafe = false;

  constructor(options: RpiGpioDoorIoOptions) {
    this.#options = options;
    this.#doors = new Map(options.doors.map((wiring) => [wiring.door, wiring]));
    this.#inputs = inputLines(options.doors);
    this.#auxiliary = new Map((options.outputs ?? []).map((output) => [output.name, output]));
    this.#purposes = linePurposes(options.doors, options.outputs ?? []);
  }

  /**
   * As the port says, but for lines that are exported already: sysfs does not tell whether a crashed gateway or somebody else
   * left them, and rpi-gpio takes them over.
   */
  async open(listener: DoorIoListener): Promise<void> {
    this.#madeSafe = false;
    const root = this.#options.sysfsRoot ?? SYSFS_GPIO_ROOT;
    const { label } = findSysfsChip(root, this.#options.chip);
    const gpio = this.#options.gpio ?? (await loadRpiGpio());
    gpio.reset();
    gpio.setMode(gpio.MODE_BCM);
    const lines = new Map<number, SysfsLine>();
    this.#lines = lines;
    let inputs: RunningInputs | undefined;
    try {
      for (const { line } of this.#inputs) await this.#setUp(gpio, line, 'in');
      for (const { line } of this.#inputs) lines.set(line, new SysfsLine(root, line));
      const levels = new Map(this.#inputs.map(({ line }) => [line, lines.get(line)?.read() ?? 0] as const));
      inputs = await this.#startInputs(root, levels, listener);
      const { safeStatePath, doors } = this.#options;
      if (safeStatePath !== undefined) writeSafeStateFile(safeStatePath, label, doors);
      for (const { line, level } of this.#outputLevels()) {
        // 'high' and 'low' set direction and level in one step; 'out' would go low first and fire an active-low relay.
        if (this.#madeSafe) throw madeSafeMeanwhile();
        await this.#setUp(gpio, line, level === 1 ? 'high' : 'low');
        lines.set(line, new SysfsLine(root, line));
        if (this.#madeSafe) throw madeSafeMeanwhile();
      }
      for (const door of this.#doors.keys()) this.#strikes.set(door, 'locked');
      inputs?.report();
      this.#open = { gpio, lines, levels, inputs };
    } catch (error) {
      this.#driveSafe();
      await inputs?.stop();
      this.#giveBack();
      await destroy(gpio).catch(() => {});
      throw error;
    }
    const { log } = this.#options;
    if (this.#inputs.length > 0) {
      log?.warn(
        { inputs: this.#inputs.map(({ line }) => line) },
        'rpi-gpio cannot switch pull resistors: every input needs one of its own outside',
      );
    }
    warnOfPressedButtons(this, this.#options);
  }

  setStrike(door: DoorId, state: StrikeState): void {
    const wiring = this.#doors.get(door);
    if (wiring === undefined) throw unknownDoor(door);
    this.#drive(wiring.strike.line, strikeLevel(wiring.strike, state));
    this.#strikes.set(door, state);
  }

  strike(door: DoorId): StrikeState {
    if (!this.#doors.has(door)) throw unknownDoor(door);
    return this.#strikes.get(door) ?? 'locked';
  }

  position(door: DoorId): DoorPosition | undefined {
    const contact = this.#doors.get(door)?.contact;
    const level = contact === undefined ? undefined : this.#open?.levels.get(contact.line);
    if (contact === undefined || level === undefined) return undefined;
    return isActive(contact, level) ? 'closed' : 'open';
  }

  isExitPressed(door: DoorId): boolean {
    return this.#isInputActive(this.#doors.get(door)?.exitButton);
  }

  isTampered(door: DoorId): boolean {
    return this.#isInputActive(this.#doors.get(door)?.tamper);
  }

  setOutput(name: string, active: boolean): void {
    const output = this.#auxiliary.get(name);
    if (output === undefined) throw unknownOutput(name);
    this.#drive(output.line, levelOf(output, active));
  }

  makeSafe(): void {
    this.#driveSafe();
  }

  async close(): Promise<void> {
    const failures = this.#driveSafe();
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    const stopped = open.inputs?.stop();
    this.#giveBack();
    const isSafe = failures.length === 0;
    if (isSafe && this.#options.safeStatePath !== undefined) removeSafeStateFile(this.#options.safeStatePath);
    const held = await destroy(open.gpio).then(
      () => undefined,
      (error: unknown) => error,
    );
    await stopped;
    if (!isSafe) {
      throw new CardeaError(
        'gpio-write-failed',
        `${failures.length} output lines could not be made safe on close; cut the strike supply`,
        { cause: failures[0] },
      );
    }
    if (held !== undefined) {
      throw new CardeaError('gpio-unavailable', 'the doors are safe, but rpi-gpio could not give the lines back', {
        cause: held,
      });
    }
  }

  #isInputActive(input: DoorWiring['exitButton']): boolean {
    const level = input === undefined ? undefined : this.#open?.levels.get(input.line);
    return input !== undefined && level !== undefined && isActive(input, level);
  }

  async #startInputs(
    root: string,
    levels: Map<number, LineLevel>,
    listener: DoorIoListener,
  ): Promise<RunningInputs | undefined> {
    if (this.#inputs.length === 0) return undefined;
    const { debounce = DEFAULT_DEBOUNCE, log, startInputs = InputThread.start } = this.#options;
    return await startInputs({
      root,
      levels,
      debounce,
      purposes: this.#purposes,
      onChange: (change) => this.#report(levels, change, listener),
      onFailure: (error) => listener.onFailure(error),
      log,
    });
  }

  #report(levels: Map<number, LineLevel>, { line, level }: LineChange, listener: DoorIoListener): void {
    levels.set(line, level);
    for (const input of this.#inputs) {
      if (input.line === line) listener.onInput(input.door, toDoorInput(input, level));
    }
  }

  #drive(line: number, level: LineLevel): void {
    const purpose = this.#purposes.get(line);
    const value = this.#open?.lines.get(line);
    if (value === undefined || this.#madeSafe) {
      const state = this.#madeSafe ? 'was made safe' : 'is not open';
      throw new CardeaError('gpio-write-failed', `GPIO line ${line} (${purpose}) ${state}`, { context: { line } });
    }
    try {
      value.write(level);
    } catch (cause) {
      throw new CardeaError('gpio-write-failed', `GPIO line ${line} (${purpose}) could not be driven to ${level}`, {
        cause,
        context: { line, level },
      });
    }
  }

  async #setUp(gpio: RpiGpio, line: number, direction: 'in' | 'low' | 'high'): Promise<void> {
    try {
      await gpio.promise.setup(line, direction, 'none');
    } catch (cause) {
      const isBusy = cause instanceof Error && 'code' in cause && cause.code === 'EBUSY';
      const purpose = this.#purposes.get(line);
      throw new CardeaError(
        isBusy ? 'gpio-line-busy' : 'gpio-unavailable',
        isBusy
          ? `GPIO line ${line} (${purpose}) is held by another program or an overlay; gpioinfo tells which`
          : `GPIO line ${line} (${purpose}) could not be set up by rpi-gpio: ${cause instanceof Error ? cause.message : cause}`,
        { cause },
      );
    }
  }

  #outputLevels(): readonly { readonly line: number; readonly level: LineLevel }[] {
    return [
      ...[...this.#doors.values()].map(({ strike }) => ({ line: strike.line, level: strikeLevel(strike, 'locked') })),
      ...[...this.#auxiliary.values()].map((output) => ({ line: output.line, level: levelOf(output, false) })),
    ];
  }

  /** Strikes first and every output for itself: one that fails must not keep the others energized. Returns what went wrong. */
  #driveSafe(): unknown[] {
    this.#madeSafe = true;
    const failures: unknown[] = [];
    const drive = (line: number, level: LineLevel): void => {
      try {
        this.#lines.get(line)?.write(level);
      } catch (error) {
        failures.push(error);
      }
    };
    for (const { door, strike } of this.#doors.values()) {
      drive(strike.line, safeStrikeLevel(strike));
      if (this.#open !== undefined) this.#strikes.set(door, safeStrikeState(strike));
    }
    for (const output of this.#auxiliary.values()) drive(output.line, levelOf(output, false));
    return failures;
  }

  #giveBack(): void {
    const lines = this.#lines;
    this.#lines = new Map();
    for (const line of lines.values()) line.close();
  }
}

/** Unexports every line and forgets it; rejects when that fails or takes longer than the limit. */
const destroy = async (gpio: RpiGpio): Promise<void> => {
  const message = `rpi-gpio did not give the lines back within ${GIVE_BACK_LIMIT} ms`;
  try {
    await within(GIVE_BACK_LIMIT, gpio.promise.destroy(), message);
  } finally {
    gpio.reset();
  }
};

const loadRpiGpio = async (): Promise<RpiGpio> => {
  try {
    const { default: gpio } = await import('rpi-gpio');
    return gpio;
  } catch (cause) {
    throw new CardeaError('gpio-unavailable', 'rpi-gpio did not load; run npm ci, or use gpio.driver: gpiochip', {
      cause,
    });
  }
};
