// DoorIo in memory with a hand on every wire: inputs are set, strike levels read, failures called for.

import type { DoorId } from '../../src/domain/ids.ts';
import {
  type LineLevel,
  levelOf,
  safeStrikeLevel,
  safeStrikeState,
  strikeLevel,
} from '../../src/drivers/gpio/strike-level.ts';
import { CardeaError } from '../../src/errors.ts';
import type {
  DoorInput,
  DoorIo,
  DoorIoListener,
  DoorPosition,
  DoorWiring,
  StrikeState,
} from '../../src/ports/door-io.ts';
import type { SignalLine, SignalLines } from '../../src/ports/signal-lines.ts';

export class FakeDoorIo implements DoorIo, SignalLines {
  readonly #wirings: ReadonlyMap<DoorId, DoorWiring>;
  readonly #strikes = new Map<DoorId, StrikeState>();
  readonly #levels = new Map<DoorId, LineLevel>();
  readonly #outputs: ReadonlyMap<string, SignalLine>;
  readonly #outputsOn = new Set<string>();
  /** Closed contacts, pressed buttons and housings tampered with, as `door/kind`. */
  readonly #active = new Set<string>();
  #listener: DoorIoListener | undefined;
  #madeSafe = false;

  /** Every call of setStrike that succeeded, in order. */
  readonly strikeCalls: { readonly door: DoorId; readonly state: StrikeState }[] = [];
  /** Every call of setOutput that succeeded, in order. */
  readonly outputCalls: { readonly name: string; readonly active: boolean }[] = [];
  /** While set, setStrike and setOutput throw it. */
  writeFailure: CardeaError | undefined;
  /** While set, open rejects with it. */
  openFailure: CardeaError | undefined;

  /** Every door starts closed, with its button not pressed. */
  constructor(wirings: readonly DoorWiring[], outputs: readonly SignalLine[] = []) {
    this.#outputs = new Map(outputs.map((output) => [output.name, output]));
    this.#wirings = new Map(wirings.map((wiring) => [wiring.door, wiring]));
    for (const { door, contact } of wirings) if (contact !== undefined) this.#active.add(`${door}/contact`);
  }

  async open(listener: DoorIoListener): Promise<void> {
    if (this.openFailure !== undefined) throw this.openFailure;
    this.#listener = listener;
    this.#madeSafe = false;
    for (const door of this.#wirings.keys()) this.#drive(door, 'locked');
  }

  setStrike(door: DoorId, state: StrikeState): void {
    if (this.writeFailure !== undefined) throw this.writeFailure;
    this.#refuseUnlessOpen(`strike of door ${door}`);
    this.#drive(door, state);
    this.strikeCalls.push({ door, state });
  }

  setOutput(name: string, active: boolean): void {
    if (this.writeFailure !== undefined) throw this.writeFailure;
    if (!this.#outputs.has(name)) throw new CardeaError('unknown-line', `no output ${name} here`);
    this.#refuseUnlessOpen(name);
    if (active) this.#outputsOn.add(name);
    else this.#outputsOn.delete(name);
    this.outputCalls.push({ name, active });
  }

  strike(door: DoorId): StrikeState {
    return this.#strikes.get(door) ?? 'locked';
  }

  position(door: DoorId): DoorPosition | undefined {
    if (this.#wirings.get(door)?.contact === undefined) return undefined;
    return this.#active.has(`${door}/contact`) ? 'closed' : 'open';
  }

  isExitPressed(door: DoorId): boolean {
    return this.#active.has(`${door}/exit-button`);
  }

  isTampered(door: DoorId): boolean {
    return this.#active.has(`${door}/tamper`);
  }

  makeSafe(): void {
    this.#madeSafe = true;
    this.#outputsOn.clear();
    for (const [door, { strike }] of this.#wirings) {
      if (!this.#levels.has(door)) continue;
      this.#levels.set(door, safeStrikeLevel(strike));
      this.#strikes.set(door, safeStrikeState(strike));
    }
  }

  async close(): Promise<void> {
    this.makeSafe();
    this.#listener = undefined;
  }

  /** What the world does to an input: contact active means closed, exit button pressed, tamper that somebody tampers. */
  setInput(door: DoorId, kind: DoorInput['kind'], active: boolean): void {
    const key = `${door}/${kind}`;
    if (this.#active.has(key) === active) return;
    if (active) this.#active.add(key);
    else this.#active.delete(key);
    this.#listener?.onInput(door, inputOf(kind, active));
  }

  /** The level on an output's line. */
  outputLevel(name: string): LineLevel | undefined {
    const output = this.#outputs.get(name);
    return output && levelOf(output, this.#outputsOn.has(name));
  }

  /** The level on the strike's line; undefined before the first open. */
  strikeLevel(door: DoorId): LineLevel | undefined {
    return this.#levels.get(door);
  }

  /** Whether makeSafe or close was called after the last open. */
  get isMadeSafe(): boolean {
    return this.#madeSafe;
  }

  /** Whether open was called and close was not. */
  get isOpen(): boolean {
    return this.#listener !== undefined;
  }

  /** Calls the listener as a driver does that lost its lines. */
  fail(error: CardeaError = new CardeaError('gpio-unavailable', 'the GPIO chip is gone')): void {
    this.#listener?.onFailure(error);
  }

  #refuseUnlessOpen(purpose: string): void {
    if (this.#listener !== undefined && !this.#madeSafe) return;
    throw new CardeaError('gpio-write-failed', `${purpose}: not open`);
  }

  #drive(door: DoorId, state: StrikeState): void {
    const wiring = this.#wirings.get(door);
    if (wiring === undefined) throw new CardeaError('unknown-door', `no door ${door} here`);
    this.#strikes.set(door, state);
    this.#levels.set(door, strikeLevel(wiring.strike, state));
  }
}

const inputOf = (kind: DoorInput['kind'], active: boolean): DoorInput => {
  switch (kind) {
    case 'contact':
      return { kind, position: active ? 'closed' : 'open' };
    case 'exit-button':
      return { kind, pressed: active };
    case 'tamper':
      return { kind, active };
  }
};
