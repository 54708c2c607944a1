// Doors on the GPIO character device (uAPI v2): one request for all outputs, one for all inputs. Strikes are claimed at the
// level that means locked, and their pins pulled to the level without power, should the kernel ever release them to inputs.

import type { DoorId } from '../../domain/ids.ts';
import { CardeaError } from '../../errors.ts';
import type { DoorIo, DoorIoListener, DoorPosition, DoorWiring, StrikeState } from '../../ports/door-io.ts';
import type { SignalLine, SignalLines } from '../../ports/signal-lines.ts';
import {
  type DoorLinesOptions,
  type InputLine,
  inactivePull,
  inputLines,
  inputPull,
  linePurposes,
  madeSafeMeanwhile,
  toDoorInput,
  unknownDoor,
  unknownOutput,
  warnOfPressedButtons,
} from './door-lines.ts';
import { type ClaimedLines, GpioChip } from './gpio-chip.ts';
import type { OutputRequest } from './gpio-uapi.ts';
import { InputWatch } from './input-watch.ts';
import { type KernelCalls, loadKernelCalls } from './kernel-calls.ts';
import type { Every } from './look-timer.ts';
import { removeSafeStateFile, writeSafeStateFile } from './safe-state-file.ts';
import { isActive, type LineLevel, levelOf, safeStrikeLevel, safeStrikeState, strikeLevel } from './strike-level.ts';

export interface GpiochipDoorIoOptions extends DoorLinesOptions {
  /** Default: libc. */
  readonly kernel?: KernelCalls;
  /** When to look at the inputs; default setInterval. */
  readonly every?: Every;
}

interface Claims {
  readonly chip: GpioChip;
  readonly outputs: ClaimedLines | undefined;
  readonly inputs: ClaimedLines | undefined;
  readonly watch: InputWatch | undefined;
}

const DEFAULT_DEBOUNCE = 10;

export class GpiochipDoorIo implements DoorIo, SignalLines {
  readonly #options: GpiochipDoorIoOptions;
  readonly #doors: ReadonlyMap<DoorId, DoorWiring>;
  readonly #inputs: readonly InputLine[];
  readonly #auxiliary: ReadonlyMap<string, SignalLine>;
  /** Line -> its place in the request for outputs: strikes first, in the order of the doors. */
  readonly #outputIndex: ReadonlyMap<number, number>;
  readonly #strikes = new Map<DoorId, StrikeState>();
  #claims: Claims | undefined;
  #madeSafe = false;

  constructor(options: GpiochipDoorIoOptions) {
    this.#options = options;
    this.#doors = new Map(options.doors.map((wiring) => [wiring.door, wiring]));
    this.#inputs = inputLines(options.doors);
    this.#auxiliary = new Map((options.outputs ?? []).map((output) => [output.name, output]));
    this.#outputIndex = new Map(this.#outputRequests().map(({ line }, index) => [line, index]));
  }

  async open(listener: DoorIoListener): Promise<void> {
    this.#madeSafe = false;
    const kernel = this.#options.kernel ?? (await loadKernelCalls());
    if (this.#madeSafe) throw madeSafeMeanwhile();
    const chip = GpioChip.open(kernel, this.#options.chip);
    let inputs: ClaimedLines | undefined;
    let outputs: ClaimedLines | undefined;
    try {
      this.#checkLines(chip);
      const lines = this.#inputs.map(({ line }) => line);
      inputs = this.#claimInputs(chip);
      const watch =
        inputs === undefined
          ? undefined
          : new InputWatch({
              kernel,
              chip,
              claimed: inputs,
              lines,
              every: this.#options.every,
              onChange: (line, level) => this.#report(listener, line, level),
              onFailure: (error) => listener.onFailure(error),
            });
      // Last, so that nothing is energized for a gateway that cannot start.
      const requests = this.#outputRequests();
      const { safeStatePath, doors } = this.#options;
      if (safeStatePath !== undefined) writeSafeStateFile(safeStatePath, chip.info.label, doors);
      if (requests.length > 0) outputs = chip.claimOutputs(requests);
      for (const door of this.#doors.keys()) this.#strikes.set(door, 'locked');
      this.#claims = { chip, inputs, outputs, watch };
      watch?.start();
    } catch (error) {
      if (inputs !== undefined) chip.release(inputs);
      chip.close();
      throw error;
    }
    warnOfPressedButtons(this, this.#options);
  }

  setStrike(door: DoorId, state: StrikeState): void {
    const wiring = this.#doors.get(door);
    if (wiring === undefined) throw unknownDoor(door);
    this.#drive(wiring.strike.line, strikeLevel(wiring.strike, state), `strike of door ${door}`);
    this.#strikes.set(door, state);
  }

  strike(door: DoorId): StrikeState {
    if (!this.#doors.has(door)) throw unknownDoor(door);
    return this.#strikes.get(door) ?? 'locked';
  }

  position(door: DoorId): DoorPosition | undefined {
    const contact = this.#doors.get(door)?.contact;
    const level = contact === undefined ? undefined : this.#claims?.watch?.level(contact.line);
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
    this.#drive(output.line, levelOf(output, active), name);
  }

  makeSafe(): void {
    this.#driveSafe();
  }

  async close(): Promise<void> {
    const failures = this.#driveSafe();
    const claims = this.#claims;
    this.#claims = undefined;
    if (claims === undefined) return;
    claims.watch?.stop();
    if (claims.inputs !== undefined) claims.chip.release(claims.inputs);
    if (claims.outputs !== undefined) claims.chip.release(claims.outputs);
    claims.chip.close();
    if (failures.length > 0) {
      throw new CardeaError(
        'gpio-write-failed',
        `${failures.length} output lines could not be made safe on close; cut the strike supply`,
        {
          cause: failures[0],
        },
      );
    }
    if (this.#options.safeStatePath !== undefined) removeSafeStateFile(this.#options.safeStatePath);
  }

  #isInputActive(input: DoorWiring['exitButton']): boolean {
    const level = input === undefined ? undefined : this.#claims?.watch?.level(input.line);
    return input !== undefined && level !== undefined && isActive(input, level);
  }

  /** Strikes first and every output for itself: one that fails must not keep the others energized. Returns what went wrong. */
  #driveSafe(): readonly unknown[] {
    this.#madeSafe = true;
    const failures: unknown[] = [];
    const { chip, outputs } = this.#claims ?? {};
    if (chip === undefined || outputs === undefined) return failures;
    for (const { line, level } of this.#safeLevels()) {
      try {
        chip.write(outputs, this.#outputIndex.get(line) ?? 0, level);
      } catch (error) {
        failures.push(error);
      }
    }
    for (const { door, strike } of this.#doors.values()) this.#strikes.set(door, safeStrikeState(strike));
    return failures;
  }

  #drive(line: number, level: LineLevel, purpose: string): void {
    const index = this.#outputIndex.get(line);
    if (this.#claims?.outputs === undefined || index === undefined || this.#madeSafe) {
      const state = this.#madeSafe ? 'was made safe' : 'is not open';
      throw new CardeaError('gpio-write-failed', `GPIO line ${line} (${purpose}) ${state}`, { context: { line } });
    }
    try {
      this.#claims.chip.write(this.#claims.outputs, index, level);
    } catch (cause) {
      throw new CardeaError('gpio-write-failed', `GPIO line ${line} (${purpose}) could not be driven to ${level}`, {
        cause,
        context: { line, level },
      });
    }
  }

  #report(listener: DoorIoListener, line: number, level: LineLevel): void {
    for (const input of this.#inputs) {
      if (input.line === line) listener.onInput(input.door, toDoorInput(input, level));
    }
  }

  #claimInputs(chip: GpioChip): ClaimedLines | undefined {
    if (this.#inputs.length === 0) return undefined;
    const requests = this.#inputs.map((input) => ({ line: input.line, pull: inputPull(input) }));
    return chip.claimInputs(requests, this.#options.debounce ?? DEFAULT_DEBOUNCE);
  }

  #outputRequests(): readonly OutputRequest[] {
    return [
      ...[...this.#doors.values()].map(({ strike }) => ({
        line: strike.line,
        level: strikeLevel(strike, 'locked'),
        pull: inactivePull(strike),
      })),
      ...[...this.#auxiliary.values()].map((output) => ({
        line: output.line,
        level: levelOf(output, false),
        pull: inactivePull(output),
      })),
    ];
  }

  #safeLevels(): readonly { readonly line: number; readonly level: LineLevel }[] {
    return [
      ...[...this.#doors.values()].map(({ strike }) => ({ line: strike.line, level: safeStrikeLevel(strike) })),
      ...[...this.#auxiliary.values()].map((output) => ({ line: output.line, level: levelOf(output, false) })),
    ];
  }

  /** The kernel names neither the line nor its holder when it refuses a request; and refuses only after having driven some. */
  #checkLines(chip: GpioChip): void {
    const busy: string[] = [];
    for (const [line, purpose] of linePurposes(this.#options.doors, [...this.#auxiliary.values()])) {
      const info = chip.lineInfo(line);
      if (info === undefined) {
        throw new CardeaError(
          'gpio-unavailable',
          `${chip.path} (${chip.info.label}) has ${chip.info.lines} lines, and no line ${line} (${purpose})`,
        );
      }
      if (info.used)
        busy.push(
          `line ${line} (${purpose}) by ${info.consumer === '' ? 'a program that gave no name' : info.consumer}`,
        );
    }
    if (busy.length > 0) {
      throw new CardeaError(
        'gpio-line-busy',
        `GPIO lines are held: ${busy.join(', ')}; stop that program or overlay, or choose other lines`,
        {
          context: { chip: chip.info.label },
        },
      );
    }
  }
}
