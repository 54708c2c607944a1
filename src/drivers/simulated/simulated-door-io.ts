// Doors without hardware: strikes and outputs are remembered, inputs are set by a technician's command or a test.
// Keeps the contract of ports/door-io.ts. There are no line levels here, hence no polarity.

import type { DoorId } from '../../domain/ids.ts';
import { CardeaError } from '../../errors.ts';
import type { DoorInput, DoorIo, DoorIoListener, DoorPosition, DoorWiring, StrikeState } from '../../ports/door-io.ts';
import type { SignalLine, SignalLines } from '../../ports/signal-lines.ts';

export type SimulatedLine = DoorInput['kind'];

/** An output that was switched. */
export interface OutputChange {
  readonly name: string;
  readonly active: boolean;
}

/** How many changes of outputs are kept. */
const OUTPUT_CHANGES = 100;

interface SimulatedDoor {
  readonly wiring: DoorWiring;
  strike: StrikeState;
  /** Active while the door is closed. */
  contact: boolean;
  exitButton: boolean;
  tamper: boolean;
}

export class SimulatedDoorIo implements DoorIo, SignalLines {
  readonly #doors: ReadonlyMap<DoorId, SimulatedDoor>;
  #listener: DoorIoListener | undefined;
  #madeSafe = false;
  /** Name -> whether it is on. */
  readonly #outputs: Map<string, boolean>;
  #outputChanges: readonly OutputChange[] = [];

  /** Every door starts closed, with its button not pressed and nobody tampering. */
  constructor({
    doors,
    outputs = [],
  }: { readonly doors: readonly DoorWiring[]; readonly outputs?: readonly SignalLine[] }) {
    this.#doors = new Map(
      doors.map((wiring) => [
        wiring.door,
        { wiring, strike: 'locked', contact: true, exitButton: false, tamper: false },
      ]),
    );
    this.#outputs = new Map(outputs.map(({ name }) => [name, false]));
  }

  /** The last hundred changes of outputs, oldest first. */
  get outputChanges(): readonly OutputChange[] {
    return this.#outputChanges;
  }

  /** Whether the output is on; undefined for a name that is not configured. */
  output(name: string): boolean | undefined {
    return this.#outputs.get(name);
  }

  async open(listener: DoorIoListener): Promise<void> {
    for (const door of this.#doors.values()) door.strike = 'locked';
    this.#madeSafe = false;
    this.#listener = listener;
  }

  setStrike(door: DoorId, state: StrikeState): void {
    const simulated = this.#door(door);
    this.#refuseUnlessOpen(`strike of door ${door}`);
    simulated.strike = state;
  }

  setOutput(name: string, active: boolean): void {
    if (!this.#outputs.has(name)) throw new CardeaError('unknown-line', `no output ${name} among the configured lines`);
    this.#refuseUnlessOpen(name);
    this.#switchOutput(name, active);
  }

  strike(door: DoorId): StrikeState {
    return this.#door(door).strike;
  }

  position(door: DoorId): DoorPosition | undefined {
    const simulated = this.#doors.get(door);
    return simulated?.wiring.contact === undefined ? undefined : positionOf(simulated.contact);
  }

  isExitPressed(door: DoorId): boolean {
    return this.#doors.get(door)?.exitButton ?? false;
  }

  isTampered(door: DoorId): boolean {
    return this.#doors.get(door)?.tamper ?? false;
  }

  /**
   * Makes a line active (contact: door closed; exit button: pressed; tamper: somebody tampers) or inactive, as the world would.
   * Setting what is already so reports nothing. Throws CardeaError `unknown-door` for a door that is not here and `unknown-line` for one without that line.
   */
  setLine(door: DoorId, line: SimulatedLine, active: boolean): void {
    const simulated = this.#door(door);
    const part = line === 'exit-button' ? 'exitButton' : line;
    if (simulated.wiring[part] === undefined) {
      throw new CardeaError('unknown-line', `door ${door} has no such line; add ${part}: {} to its configuration`, {
        context: { door, line },
      });
    }
    if (simulated[part] === active) return;
    simulated[part] = active;
    this.#listener?.onInput(door, inputOf(line, active));
  }

  makeSafe(): void {
    if (this.#listener === undefined) return;
    this.#madeSafe = true;
    for (const door of this.#doors.values()) {
      door.strike = door.wiring.strike.failMode === 'secure' ? 'locked' : 'unlocked';
    }
    for (const name of this.#outputs.keys()) this.#switchOutput(name, false);
  }

  async close(): Promise<void> {
    this.makeSafe();
    this.#listener = undefined;
  }

  #refuseUnlessOpen(purpose: string): void {
    if (this.#listener !== undefined && !this.#madeSafe) return;
    throw new CardeaError('gpio-write-failed', `${purpose}: the simulated lines are not open, or made safe`);
  }

  #switchOutput(name: string, active: boolean): void {
    if (this.#outputs.get(name) === active) return;
    this.#outputs.set(name, active);
    this.#outputChanges = [...this.#outputChanges, { name, active }].slice(-OUTPUT_CHANGES);
  }

  #door(door: DoorId): SimulatedDoor {
    const simulated = this.#doors.get(door);
    if (simulated === undefined) {
      throw new CardeaError(
        'unknown-door',
        `no door ${door} here; the configuration names ${[...this.#doors.keys()].join(', ')}`,
        {
          context: { door },
        },
      );
    }
    return simulated;
  }
}

const positionOf = (active: boolean): DoorPosition => (active ? 'closed' : 'open');

const inputOf = (line: SimulatedLine, active: boolean): DoorInput => {
  switch (line) {
    case 'contact':
      return { kind: line, position: positionOf(active) };
    case 'exit-button':
      return { kind: line, pressed: active };
    case 'tamper':
      return { kind: line, active };
  }
};
