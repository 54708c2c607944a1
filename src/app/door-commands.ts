// Commands to a door, whoever gives them: one release, or an order that stands until another is given.
//
// 1. What locks takes effect at once, whatever the disk does, and is recorded then; the operator is told if it could not be.
// 2. What opens, or allows to open, is recorded first, and does not happen while the store fails.
// 3. A command that opens never undoes one that locked the door after it was given, however late it arrives.
// 4. A command that opens takes effect soon or never: after OPENING_LIMIT it is refused, whatever the disk does later.

import type { NewEvent } from '../domain/access-event.ts';
import type { DoorAction } from '../domain/door-command.ts';
import { type DoorMode, isOpenMode, type OrderAction, ordersAfter, type StandingOrder } from '../domain/door-mode.ts';
import type { DoorId, MessageId } from '../domain/ids.ts';
import {
  type Instant,
  instant,
  type Milliseconds,
  type MonotonicTime,
  milliseconds,
  monotonicTime,
} from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { DoorController } from './door-controller.ts';
import type { DoorModeKeeper } from './door-mode-keeper.ts';
import { LockTimes } from './lock-times.ts';
import { endText, orderEvent } from './order-events.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { StoreTransaction } from './store-transaction.ts';

interface Dependencies {
  /** The one that all orders to these doors go through. */
  readonly keeper: Pick<DoorModeKeeper, 'orders' | 'order' | 'storeLater'>;
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
  /** In the operator's words. */
  readonly reason?: string | undefined;
  /** When the order is over by itself; checked (domain/door-command.ts, endFault). */
  readonly until?: Instant | undefined;
  /** Of a command that came as a message. */
  readonly messageId?: MessageId;
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

interface Told {
  readonly result: Result;
  /** What stood in the way. */
  readonly found?: string | undefined;
  /** There was nothing to end. */
  readonly isIdle?: boolean;
}

/** How long after it was given a command may still open: whoever looked at the door then may have gone. */
export const OPENING_LIMIT = milliseconds(3000);

const BLOCKED = 'the door is blocked; lift that first with the command normal';
const AFTER_LOCKDOWN = 'not before the lockdown ends, for which there is the command end-lockdown';
const IN_LOCKDOWN = 'the door is in lockdown; end that first with the command end-lockdown';
const NO_LOCKDOWN = 'the door was not in lockdown';
const TIMELESS = 'this gateway does not know the time, and could not end it; give the command without an end';
const ENDLESS = 'without an end, because this gateway does not know the time: it stays until it is lifted';
const OVERTAKEN = 'the door was locked by another command meanwhile';
/** The `detail` of a command that opens and was refused because it was too late. */
export const TIMED_OUT = 'timed out: it was not recorded in time, so the door stays as it is; see cardea status';
const STRIKE_FAILED = 'the strike could not be driven: look at the door, its relay and its wiring';

export class DoorCommands {
  readonly #deps: Dependencies;
  readonly #lockTimes: LockTimes;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#lockTimes = new LockTimes(deps);
  }

  /** Rejects with CardeaError `store-write-failed` or `overloaded` when an opening command cannot be recorded. */
  run(command: DoorCommand): Promise<DoorCommandAnswer> {
    const { door, action } = command;
    if (action === 'block' || action === 'lockdown') return this.#lock(command, action);
    const isHeldOpen = this.#deps.keeper.orders(door).mode?.mode === 'held-open';
    return action === 'normal' && isHeldOpen ? this.#lock(command, action) : this.#open(command);
  }

  async #lock(given: DoorCommand, action: OrderAction): Promise<DoorCommandAnswer> {
    const { keeper, writer, clock } = this.#deps;
    const { door, controller } = given;
    const isEndless = given.until !== undefined && !clock.isSynchronized();
    const command = isEndless ? { ...given, until: undefined } : given;
    const before = keeper.orders(door);
    const part = action === 'lockdown' ? 'lockdown' : 'mode';
    const isLockedSo = part === 'lockdown' ? before.lockdown !== undefined : before.mode?.mode === 'blocked';
    const givenAt = this.#givenAt(command);
    // A late one cuts nothing short that was ordered after it.
    const isSettled = isLockedSo && this.#lockTimes.isOvertaken(door, givenAt, part);
    this.#lockTimes.note(door, part, givenAt);
    if (!isSettled) keeper.order(door, ordersAfter(before, action, this.#orderOf(command)));
    const isFailed = controller.hasStrikeFault;
    const result = isFailed ? 'failed' : 'done';
    const note = isFailed ? STRIKE_FAILED : isEndless ? ENDLESS : null;
    try {
      const sequence = await this.#write(command, (tx) => {
        tx.putDoorOrders(door, keeper.orders(door));
        return tx.append(this.#event(command, { result })).sequence;
      });
      return this.#answer(command, { result, sequence, detail: note });
    } catch (error) {
      keeper.storeLater(door);
      writer.record(this.#event(command, { result }));
      const unrecorded = `in effect, but the store failed: recorded when it works again, and lost at a restart before (${errorMessage(error)})`;
      return this.#answer(command, { result, sequence: null, detail: note ?? unrecorded });
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
    const isLate = (): boolean => {
      const isOver = command.until !== undefined && clock.now() >= command.until;
      return isAnswered || isOver || clock.monotonic() - givenAt >= limit;
    };
    try {
      return await Promise.race([this.#recordThenOpen(command, isLate), late]);
    } finally {
      timer?.cancel();
    }
  }

  async #recordThenOpen(command: DoorCommand, isLate: () => boolean): Promise<DoorCommandAnswer> {
    const { keeper, writer } = this.#deps;
    const { door, action } = command;
    const timesLocked = this.#lockTimes.count(door);
    const isOvertaken = this.#lockTimes.isOvertaken(door, this.#givenAt(command));
    const order = this.#orderOf(command);
    /** What has come between at this moment. */
    const obstacle = (): string | undefined => {
      if (isOvertaken || this.#lockTimes.count(door) !== timesLocked) return OVERTAKEN;
      return isLate() ? TIMED_OUT : undefined;
    };
    const recorded = await this.#write(command, (tx) => {
      const found = obstacle() ?? this.#objection(command);
      const result = found === undefined ? 'done' : 'refused';
      const isIdle = action === 'end-lockdown' && keeper.orders(door).lockdown === undefined;
      if (action !== 'unlock' && result === 'done') {
        tx.putDoorOrders(door, ordersAfter(tx.doorOrders(door), action, order));
      }
      return { found, isIdle, sequence: tx.append(this.#event(command, { result, found, isIdle })).sequence };
    }).catch((error: unknown) => {
      throw this.#unrecorded(command, error);
    });
    const { sequence, isIdle } = recorded;
    const found = obstacle();
    if (found !== undefined && recorded.found === undefined) this.#takeBack(command, found);
    const refusal = recorded.found ?? found;
    if (refusal !== undefined) return this.#answer(command, { result: 'refused', sequence, detail: refusal });
    const outcome = this.#apply(command, order);
    if (outcome.result !== 'done') writer.record(this.#event(command, { result: outcome.result }));
    const detail = outcome.detail ?? (isIdle ? NO_LOCKDOWN : null);
    return this.#answer(command, { ...outcome, sequence, detail });
  }

  /** What stands against the command, however fast it was. */
  #objection({ controller, action, until }: DoorCommand): string | undefined {
    if (action !== 'unlock' && action !== 'hold-open') return undefined;
    if (controller.mode === 'lockdown') return IN_LOCKDOWN;
    if (action === 'unlock') return controller.mode === 'blocked' ? BLOCKED : undefined;
    return until !== undefined && !this.#deps.clock.isSynchronized() ? TIMELESS : undefined;
  }

  /** What the log says was done must not stand uncorrected, nor the orders that were stored with it. */
  #takeBack(command: DoorCommand, obstacle: string): void {
    const { door, action } = command;
    const { keeper, writer, log } = this.#deps;
    const refusal = this.#event(command, { result: 'refused', found: obstacle });
    if (action === 'unlock') return writer.record(refusal);
    const corrected = writer.write((tx) => {
      tx.putDoorOrders(door, keeper.orders(door));
      tx.append(refusal);
    });
    corrected
      .catch((error: unknown) => {
        log.error(
          { door, action, err: errorMessage(error) },
          'order of a refused command is stored and could not be taken back yet',
        );
        writer.record(refusal);
      })
      .finally(() => keeper.storeLater(door));
  }

  #apply({ door, controller, action }: DoorCommand, order: StandingOrder): { result: Result; detail: string | null } {
    const { keeper } = this.#deps;
    if (action === 'unlock') {
      const released = controller.releaseByOperator();
      if (released.kind === 'refused') {
        return { result: 'refused', detail: released.mode === 'lockdown' ? IN_LOCKDOWN : BLOCKED };
      }
      if (released.kind === 'failed') return { result: 'failed', detail: `${STRIKE_FAILED} (${released.detail})` };
      const isOpenAnyway = isOpenMode(controller.mode);
      return { result: 'done', detail: isOpenAnyway ? 'the door is open to everybody anyway' : null };
    }
    keeper.order(door, ordersAfter(keeper.orders(door), action, order));
    if (action === 'hold-open' && controller.hasStrikeFault) return { result: 'failed', detail: STRIKE_FAILED };
    // Normal is all that gets here in a lockdown: end-lockdown has ended it, and hold-open was refused.
    return { result: 'done', detail: controller.mode === 'lockdown' ? AFTER_LOCKDOWN : null };
  }

  async #write<T>({ alongside }: DoorCommand, work: (tx: StoreTransaction) => T): Promise<T> {
    return await this.#deps.writer.write((tx) => {
      alongside?.(tx);
      return work(tx);
    });
  }

  /** Of a command that opens: refused, and told so although it may have got to the disk. */
  #unrecorded(command: DoorCommand, error: unknown): CardeaError {
    const { keeper, writer } = this.#deps;
    const { door, action } = command;
    keeper.storeLater(door);
    writer.record(this.#event(command, { result: 'refused' }));
    const code = error instanceof CardeaError ? error.code : 'store-write-failed';
    const message = `door ${door} stays as it is: ${action} could not be recorded: ${errorMessage(error)}`;
    return new CardeaError(code, message, { cause: error });
  }

  #event(command: DoorCommand, { result, found, isIdle = false }: Told): NewEvent {
    const { clock } = this.#deps;
    const { door, action, operator, messageId, reason, until } = command;
    if (action === 'lockdown' && result !== 'refused') {
      const detail = { operator, reason: reason ?? null, until: endText(until), messageId };
      return orderEvent('lockdown-started', {
        door,
        detail: { ...detail, ...(result === 'failed' && { result }) },
        clock,
      });
    }
    if (action === 'end-lockdown' && result === 'done' && !isIdle) {
      const detail = { operator, reason: reason ?? null, until: null, messageId };
      return orderEvent('lockdown-ended', { door, detail, clock });
    }
    const cause = found === TIMED_OUT ? 'timed-out' : undefined;
    const end = until === undefined ? undefined : endText(until);
    const detail = { action, operator, result, messageId, reason, until: end, cause };
    return orderEvent('door-command', { door, detail, clock });
  }

  #answer(
    { door, action, controller, operator, messageId }: DoorCommand,
    outcome: Pick<DoorCommandAnswer, 'result' | 'sequence' | 'detail'>,
  ): DoorCommandAnswer {
    const { log } = this.#deps;
    const fields = { door, action, operator, messageId, ...outcome };
    if (outcome.result === 'done' && outcome.sequence !== null) log.info(fields, 'door command');
    else log.warn(fields, 'door command');
    return { door, action, mode: controller.mode, ...outcome };
  }

  #orderOf({ operator, reason, until, age = milliseconds(0) }: DoorCommand): StandingOrder {
    const at = instant(this.#deps.clock.now() - age);
    return { operator, reason: reason ?? null, at, ...(until !== undefined && { until }) };
  }

  #givenAt({ age = milliseconds(0) }: DoorCommand): MonotonicTime {
    return monotonicTime(this.#deps.clock.monotonic() - age);
  }
}
