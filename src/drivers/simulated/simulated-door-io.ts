// Doors without hardware: strikes are remembered, contacts and exit buttons are set by a technician's command or a test.
// Keeps the contract of ports/door-io.ts. There are no line levels here, hence no polarity.

import type { DoorId } from '../../domain/ids.ts';
import { CardeaError } from '../../errors.ts';
import type { DoorInput, DoorIo, DoorIoListener, DoorPosition, DoorWiring, StrikeState } from '../../ports/door-io.ts';

export type SimulatedLine = 'contact' | 'exit-button';

interface SimulatedDoor {
  readonly wiring: DoorWiring;
  strike: StrikeState;
  /** Active while the door is closed. */
  contact: boolean;
  exitButton: boolean;
}

export class SimulatedDoorIo implements DoorIo {
  readonly #doors: ReadonlyMap<DoorId, SimulatedDoor>;
  #listener: DoorIoListener | undefined;
  #madeSafe = false;

  /** Every door starts closed, with its button not pressed. */
  constructor({ doors }: { readonly doors: readonly DoorWiring[] }) {
    this.#doors = new Map(
      doors.map((wiring) => [wiring.door, { wiring, strike: 'locked', contact: true, exitButton: false }]),
    );
  }

  async open(listener: DoorIoListener): Promise<void> {
    for (const door of this.#doors.values()) door.strike = 'locked';
    this.#madeSafe = false;
    this.#listener = listener;
  }

  setStrike(door: DoorId, state: StrikeState): void {
    const simulated = this.#door(door);
    if (this.#listener === undefined || this.#madeSafe) {
      throw new CardeaError(
        'gpio-write-failed',
        `strike of door ${door}: the simulated lines are not open, or made safe`,
        {
          context: { door },
        },
      );
    }
    simulated.strike = state;
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

  /**
   * Makes a line active (contact: door closed; exit button: pressed) or inactive, as the world would. Setting what is already
   * so reports nothing. Throws CardeaError `unknown-door` for a door that is not here and `unknown-line` for one without that line.
   */
  setLine(door: DoorId, line: SimulatedLine, active: boolean): void {
    const simulated = this.#door(door);
    const wired = line === 'contact' ? simulated.wiring.contact : simulated.wiring.exitButton;
    if (wired === undefined) {
      throw new CardeaError('unknown-line', `door ${door} has no ${line}; add one to its configuration`, {
        context: { door, line },
      });
    }
    const key = line === 'contact' ? 'contact' : 'exitButton';
    if (simulated[key] === active) return;
    simulated[key] = active;
    const input: DoorInput =
      line === 'contact' ? { kind: 'contact', position: positionOf(active) } : { kind: 'exit-button', pressed: active };
    this.#listener?.onInput(door, input);
  }

  makeSafe(): void {
    if (this.#listener === undefined) return;
    this.#madeSafe = true;
    for (const door of this.#doors.values()) {
      door.strike = door.wiring.strike.failMode === 'secure' ? 'locked' : 'unlocked';
    }
  }

  async close(): Promise<void> {
    this.makeSafe();
    this.#listener = undefined;
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
