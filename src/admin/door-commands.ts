// A technician's commands to a door: unlock, block, hold-open, normal.
//
// 1. What locks takes effect at once, whatever the disk does, and is recorded then; the operator is told if it could not be.
// 2. What opens, or allows to open, is recorded first, and does not happen while the store fails.
// 3. A command that opens never undoes one that locked the door after it was given.

import type { DoorController } from '../app/door-controller.ts';
import type { SerialWriter } from '../app/serial-writer.ts';
import type { StoreTransaction } from '../app/store-transaction.ts';
import type { DoorMode } from '../domain/access-decision.ts';
import type { NewEvent } from '../domain/access-event.ts';
import type { DoorId } from '../domain/ids.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { DoorAction, DoorCommandAnswer } from './protocol.ts';

interface Dependencies {
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
}

/** One command, to one door that is here. */
export interface DoorCommand {
  readonly door: DoorId;
  readonly controller: DoorController;
  readonly action: DoorAction;
  readonly operator: string;
}

type Result = DoorCommandAnswer['result'];

const MODES: Readonly<Record<Exclude<DoorAction, 'unlock'>, DoorMode>> = {
  block: 'blocked',
  'hold-open': 'held-open',
  normal: 'normal',
};

const BLOCKED = 'the door is blocked; lift that first with the command normal';
const OVERTAKEN = 'the door was locked by another command meanwhile';
const STRIKE_FAILED = 'the strike could not be driven: look at the door, its relay and its wiring';

export class DoorCommands {
  readonly #deps: Dependencies;
  /** How often each door was locked by a command. */
  readonly #locked = new Map<DoorId, number>();

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Rejects with CardeaError `store-write-failed` or `overloaded` when an opening command cannot be recorded. */
  run(command: DoorCommand): Promise<DoorCommandAnswer> {
    const { action, controller } = command;
    const isLocking = action === 'block' || (action === 'normal' && controller.mode === 'held-open');
    return isLocking ? this.#lock(command, MODES[action]) : this.#open(command);
  }

  async #lock(command: DoorCommand, mode: DoorMode): Promise<DoorCommandAnswer> {
    const { door, controller } = command;
    this.#locked.set(door, this.#timesLocked(door) + 1);
    controller.setMode(mode);
    const isFailed = hasStrikeFault(controller);
    const result = isFailed ? 'failed' : 'done';
    const fault = isFailed ? STRIKE_FAILED : null;
    try {
      const sequence = await this.#write(command, (tx) => {
        tx.putDoorMode(door, mode);
        return tx.append(this.#event(command, result)).sequence;
      });
      return this.#answer(command, { result, sequence, detail: fault });
    } catch (error) {
      this.#deps.writer.record(this.#event(command, result));
      const unrecorded = `in effect, but the store failed: recorded when it works again, and lost at a restart (${errorMessage(error)})`;
      return this.#answer(command, { result, sequence: null, detail: fault ?? unrecorded });
    }
  }

  async #open(command: DoorCommand): Promise<DoorCommandAnswer> {
    const { door, controller, action } = command;
    const timesLocked = this.#timesLocked(door);
    const mode = action === 'unlock' ? undefined : MODES[action];
    const recorded = await this.#write(command, (tx) => {
      const isRefused = mode === undefined && controller.mode === 'blocked';
      const isOvertaken = this.#timesLocked(door) !== timesLocked;
      const result = isRefused || isOvertaken ? 'refused' : 'done';
      if (mode !== undefined && result === 'done') tx.putDoorMode(door, mode);
      return { result, sequence: tx.append(this.#event(command, result)).sequence } as const;
    });
    const { sequence } = recorded;
    if (this.#timesLocked(door) !== timesLocked) {
      // What the log says was done must not stand uncorrected.
      if (recorded.result === 'done') this.#deps.writer.record(this.#event(command, 'refused'));
      return this.#answer(command, { result: 'refused', sequence, detail: OVERTAKEN });
    }
    if (recorded.result === 'refused') return this.#answer(command, { result: 'refused', sequence, detail: BLOCKED });
    const outcome = this.#apply(command, mode);
    if (outcome.result !== 'done') this.#deps.writer.record(this.#event(command, outcome.result));
    return this.#answer(command, { ...outcome, sequence });
  }

  #apply({ controller }: DoorCommand, mode: DoorMode | undefined): { result: Result; detail: string | null } {
    if (mode === undefined) {
      const released = controller.releaseByOperator();
      if (released.kind === 'refused') return { result: 'refused', detail: BLOCKED };
      if (released.kind === 'failed') return { result: 'failed', detail: `${STRIKE_FAILED} (${released.detail})` };
      return { result: 'done', detail: controller.mode === 'held-open' ? 'the door is held open anyway' : null };
    }
    controller.setMode(mode);
    if (mode === 'held-open' && hasStrikeFault(controller)) return { result: 'failed', detail: STRIKE_FAILED };
    return { result: 'done', detail: null };
  }

  async #write<T>({ door, action }: DoorCommand, work: (tx: StoreTransaction) => T): Promise<T> {
    try {
      return await this.#deps.writer.write(work);
    } catch (error) {
      const code = error instanceof CardeaError ? error.code : 'store-write-failed';
      const message = `door ${door} stays as it is: ${action} could not be recorded: ${errorMessage(error)}`;
      throw new CardeaError(code, message, { cause: error });
    }
  }

  #event({ door, action, operator }: DoorCommand, result: Result): NewEvent {
    const { clock } = this.#deps;
    const detail = { action, operator, result };
    return { event: 'door-command', at: clock.now(), clockSynchronized: clock.isSynchronized(), door, detail };
  }

  #answer(
    { door, action, controller, operator }: DoorCommand,
    outcome: Pick<DoorCommandAnswer, 'result' | 'sequence' | 'detail'>,
  ): DoorCommandAnswer {
    const { log } = this.#deps;
    const fields = { door, action, operator, ...outcome };
    if (outcome.result === 'done' && outcome.sequence !== null) log.info(fields, 'door command');
    else log.warn(fields, 'door command');
    return { door, action, mode: controller.mode, ...outcome };
  }

  #timesLocked(door: DoorId): number {
    return this.#locked.get(door) ?? 0;
  }
}

const hasStrikeFault = (controller: DoorController): boolean => controller.view().alarms.includes('strike-failed');
