// Brings the messages of durable operations to the broker, in the order of their revisions, until the broker has taken each.
//
// 1. Nothing is sent before it is durable, and nothing that is durable stays unsent: what a crash or an outage has kept back goes out
//    at the next connection. A gateway that hears it twice answers that it has it.
// 2. Bounded: IN_FLIGHT messages are unacknowledged at a time, however many wait.

import { seconds } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { HrMessage } from '../wire/change-messages.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import type { SigningRole } from './permissions.ts';
import type { Operation } from './records.ts';

export const IN_FLIGHT = 200;
/** After the broker has refused one, or the signature could not be made. */
export const AFTER_FAILURE = seconds(30);
/** Gateways answer within seconds: who has not answered by then hears it again, once after each of its returns. */
export const ANSWER_TIME = seconds(30);
/** Messages that are sent again together. */
const MOST_REPEATED = 200;

interface Dependencies {
  readonly publish: (messageType: HrMessage['messageType'], payload: string | Promise<string>) => Promise<void>;
  readonly seals: Readonly<Record<SigningRole, MessageSeal>>;
  readonly isConnected: () => boolean;
  readonly clock: Clock;
  /** Operations that are open, the oldest first. */
  readonly open: () => Iterable<Operation>;
  /** Gateways that have not confirmed it and are online. */
  readonly silentGateways: (operation: Operation) => readonly string[];
  readonly onSent: (operation: string) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

export class OperationSender {
  readonly #deps: Dependencies;
  /** By id, in order. */
  readonly #waiting = new Map<string, Operation>();
  readonly #inFlight = new Set<string>();
  #timer: Timer | undefined;
  #answerTimer: Timer | undefined;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    for (const operation of deps.open()) if (operation.sentAt === undefined) this.#waiting.set(operation.id, operation);
  }

  /** Operations whose messages the broker has not taken. */
  get unsent(): number {
    return this.#waiting.size + this.#inFlight.size;
  }

  /** It is durable. */
  send(operation: Operation): void {
    this.#waiting.set(operation.id, operation);
    this.#pump();
  }

  onConnect(): void {
    this.#pump();
    this.askAgain();
  }

  /** A while from now, gateways that are online and have not answered hear again what they should have answered. */
  askAgain(): void {
    if (this.#answerTimer !== undefined || this.#isStopped) return;
    this.#answerTimer = this.#deps.clock.schedule(ANSWER_TIME, () => {
      this.#answerTimer = undefined;
      this.#repeat();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#answerTimer?.cancel();
  }

  #repeat(): void {
    const { open, silentGateways, clock } = this.#deps;
    let count = 0;
    for (const operation of open()) {
      if (operation.sentAt === undefined || this.#waiting.has(operation.id) || this.#inFlight.has(operation.id))
        continue;
      if (clock.now() - Date.parse(operation.sentAt) < ANSWER_TIME) continue;
      if (silentGateways(operation).length === 0) continue;
      this.#waiting.set(operation.id, operation);
      count += 1;
      if (count === MOST_REPEATED) break;
    }
    this.#pump();
  }

  #pump(): void {
    const { isConnected } = this.#deps;
    if (this.#timer !== undefined || this.#isStopped) return;
    for (const operation of this.#waiting.values()) {
      if (this.#inFlight.size >= IN_FLIGHT || !isConnected()) return;
      this.#waiting.delete(operation.id);
      this.#inFlight.add(operation.id);
      void this.#publish(operation);
    }
  }

  async #publish(operation: Operation): Promise<void> {
    const { publish, seals, onSent } = this.#deps;
    const { id, message, signedAs } = operation;
    try {
      await publish(message.type, Promise.resolve(seals[signedAs](message.json)));
      this.#inFlight.delete(id);
      await onSent(id);
    } catch (error) {
      this.#inFlight.delete(id);
      this.#onFailure(operation, error);
    }
    this.#pump();
  }

  #onFailure(operation: Operation, error: unknown): void {
    const { clock, onFault } = this.#deps;
    if (this.#isStopped) return;
    this.#waiting.set(operation.id, operation);
    // The next connection takes it up.
    if (error instanceof CardeaError && error.code === 'link-offline') return;
    onFault(error);
    this.#timer ??= clock.schedule(AFTER_FAILURE, () => {
      this.#timer = undefined;
      this.#pump();
    });
  }
}
