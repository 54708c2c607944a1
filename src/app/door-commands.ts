// Commands to a door, whoever gives them: unlock, block, hold-open, normal.
//
// 1. What locks takes effect at once, whatever the disk does, and is recorded then; the operator is told if it could not be.
// 2. What opens, or allows to open, is recorded first, and does not happen while the store fails.
// 3. A command that opens never undoes one that locked the door after it was given, however late it arrives.
// 4. A command that opens takes effect soon or never: after OPENING_LIMIT it is refused, whatever the disk does later.

import type { NewEvent } from '../domain/access-event.ts';
import type { DoorAction } from '../domain/door-command.ts';
import { type DoorMode, type DoorOrders, NO_ORDERS } from '../domain/door-mode.ts';
import type { DoorId, MessageId } from '../domain/ids.ts';
import { type Milliseconds, type MonotonicTime, milliseconds, monotonicTime } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { DoorController } from './door-controller.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { StoreTransaction } from './store-transaction.ts';

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
  /** Of a command that came as a message; they go into its event. */
  readonly message?: { readonly messageId: MessageId; readonly reason: string };
  /** How long ago it was given; a technician's is given now. */
  readonly age?: Milliseconds;
  /** How long the command is good for, where that may be less than OPENING_LIMIT. */
  readonly goodFor?: Milliseconds;
  /** What else is to be in the batch that records the command. */
  readonly alongside?: (tx: StoreTransaction) => void;
}

export interface DoorCommandAnswer {
  readonly door: DoorId;
  readonly action: DoorAction;
  /** refused: the door's mode forbids it, or it was too late. failed: the strike could not be driven. */
  readonly result: 'done' | 'refused' | 'failed';
  /** The mode that the door is in now. */
  readonly mode: DoorMode;
  /** Number of the event that holds the command; null while it could not be written. */
  readonly sequence: number | null;
  /** What the operator should know, in words; null when all is well. */
  readonly detail: string | null;
}

type Result = DoorCommandAnswer['result'];

const MODES: Readonly<Record<Exclude<DoorAction, 'unlock'>, DoorMode>> = {
  block: 'blocked',
  'hold-open': 'held-open',
  normal: 'normal',
};

/** How long after it was given a command may still open: whoever looked at the door then may have gone. */
export const OPENING_LIMIT = milliseconds(3000);

/** The times in messages may be whole seconds: what was given so close together counts as given in the order of arrival. */
const SAME_TIME = milliseconds(1000);

const BLOCKED = 'the door is blocked; lift that first with the command normal';
const OVERTAKEN = 'the door was locked by another command meanwhile';
/** The `detail` of a command that opens and was refused because it was too late. */
export const TIMED_OUT = 'timed out: it was not recorded in time, so the door stays as it is; see cardea status';
const STRIKE_FAILED = 'the strike could not be driven: look at the door, its relay and its wiring';

export class DoorCommands {
  readonly #deps: Dependencies;
  /** How often each door was locked by a command. */
  readonly #locked = new Map<DoorId, number>();
  /** When the latest of these was given. */
  readonly #lockedAt = new Map<DoorId, MonotonicTime>();

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
    const givenAt = this.#givenAt(command);
    this.#lockedAt.set(door, monotonicTime(Math.max(givenAt, this.#lockedAt.get(door) ?? givenAt)));
    controller.setMode(mode);
    const isFailed = hasStrikeFault(controller);
    const result = isFailed ? 'failed' : 'done';
    const fault = isFailed ? STRIKE_FAILED : null;
    try {
      const sequence = await this.#write(command, (tx) => {
        tx.putDoorOrders(door, this.#ordersOf(command, mode));
        return tx.append(this.#event(command, result)).sequence;
      });
      return this.#answer(command, { result, sequence, detail: fault });
    } catch (error) {
      this.#deps.writer.record(this.#event(command, result));
      const unrecorded = `in effect, but the store failed: recorded when it works again, and lost at a restart (${errorMessage(error)})`;
      return this.#answer(command, { result, sequence: null, detail: fault ?? unrecorded });
    }
  }

  /** Answers at the limit, also while the disk hangs; the record may come later, and then says that nothing was opened. */
  async #open(command: DoorCommand): Promise<DoorCommandAnswer> {
    const { clock } = this.#deps;
    const givenAt = clock.monotonic();
    const limit = milliseconds(Math.min(OPENING_LIMIT, command.goodFor ?? OPENING_LIMIT));
    let isAnswered = false;
    let timer: Timer | undefined;
    const late = new Promise<DoorCommandAnswer>((resolve) => {
      timer = clock.schedule(limit, () => {
        isAnswered = true;
        resolve(this.#answer(command, { result: 'refused', sequence: null, detail: TIMED_OUT }));
      });
    });
    const isLate = (): boolean => isAnswered || clock.monotonic() - givenAt >= limit;
    try {
      return await Promise.race([this.#recordThenOpen(command, isLate), late]);
    } finally {
      timer?.cancel();
    }
  }

  async #recordThenOpen(command: DoorCommand, isLate: () => boolean): Promise<DoorCommandAnswer> {
    const { door, controller, action } = command;
    const timesLocked = this.#timesLocked(door);
    const lockedAt = this.#lockedAt.get(door);
    const isOvertaken = lockedAt !== undefined && lockedAt - this.#givenAt(command) > SAME_TIME;
    const mode = action === 'unlock' ? undefined : MODES[action];
    /** What stands in the way of the command at this moment. */
    const obstacle = (): string | undefined => {
      if (isOvertaken || this.#timesLocked(door) !== timesLocked) return OVERTAKEN;
      return isLate() ? TIMED_OUT : undefined;
    };
    const recorded = await this.#write(command, (tx) => {
      const isBlocked = mode === undefined && controller.mode === 'blocked';
      const found = obstacle();
      const result = isBlocked || found !== undefined ? 'refused' : 'done';
      if (mode !== undefined && result === 'done') tx.putDoorOrders(door, this.#ordersOf(command, mode));
      return { result, sequence: tx.append(this.#event(command, result, found)).sequence } as const;
    });
    const { sequence } = recorded;
    const found = obstacle();
    if (found !== undefined) {
      if (recorded.result === 'done') this.#takeBack(command, found);
      return this.#answer(command, { result: 'refused', sequence, detail: found });
    }
    if (recorded.result === 'refused') return this.#answer(command, { result: 'refused', sequence, detail: BLOCKED });
    const outcome = this.#apply(command, mode);
    if (outcome.result !== 'done') this.#deps.writer.record(this.#event(command, outcome.result));
    return this.#answer(command, { ...outcome, sequence });
  }

  /** What the log says was done must not stand uncorrected, nor the mode that was stored with it. */
  #takeBack(command: DoorCommand, obstacle: string): void {
    const { door, action, controller } = command;
    const { writer, log } = this.#deps;
    const refusal = this.#event(command, 'refused', obstacle);
    if (action === 'unlock') return writer.record(refusal);
    const corrected = writer.write((tx) => {
      tx.putDoorOrders(door, this.#ordersOf(command, controller.mode));
      tx.append(refusal);
    });
    corrected.catch((error: unknown) => {
      log.error(
        { door, action, err: errorMessage(error) },
        'mode of a refused command is stored and could not be taken back',
      );
      writer.record(refusal);
    });
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

  async #write<T>({ door, action, alongside }: DoorCommand, work: (tx: StoreTransaction) => T): Promise<T> {
    try {
      return await this.#deps.writer.write((tx) => {
        alongside?.(tx);
        return work(tx);
      });
    } catch (error) {
      const code = error instanceof CardeaError ? error.code : 'store-write-failed';
      const message = `door ${door} stays as it is: ${action} could not be recorded: ${errorMessage(error)}`;
      throw new CardeaError(code, message, { cause: error });
    }
  }

  #event({ door, action, operator, message }: DoorCommand, result: Result, obstacle?: string): NewEvent {
    const { clock } = this.#deps;
    const detail = { action, operator, result, ...message, ...(obstacle === TIMED_OUT && { cause: 'timed-out' }) };
    return { event: 'door-command', at: clock.now(), clockSynchronized: clock.isSynchronized(), door, detail };
  }

  #answer(
    { door, action, controller, operator, message }: DoorCommand,
    outcome: Pick<DoorCommandAnswer, 'result' | 'sequence' | 'detail'>,
  ): DoorCommandAnswer {
    const { log } = this.#deps;
    const fields = { door, action, operator, messageId: message?.messageId, ...outcome };
    if (outcome.result === 'done' && outcome.sequence !== null) log.info(fields, 'door command');
    else log.warn(fields, 'door command');
    return { door, action, mode: controller.mode, ...outcome };
  }

  #ordersOf({ operator, message }: DoorCommand, mode: DoorMode): DoorOrders {
    if (mode !== 'blocked' && mode !== 'held-open') return NO_ORDERS;
    return { mode: { mode, operator, reason: message?.reason ?? null, at: this.#deps.clock.now() } };
  }

  #givenAt({ age = milliseconds(0) }: DoorCommand): MonotonicTime {
    return monotonicTime(this.#deps.clock.monotonic() - age);
  }

  #timesLocked(door: DoorId): number {
    return this.#locked.get(door) ?? 0;
  }
}

const hasStrikeFault = (controller: DoorController): boolean => controller.view().alarms.includes('strike-failed');
