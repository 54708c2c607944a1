// Brings the messages of durable operations to the broker, in the order of their revisions, until the broker has taken each.
//
// 1. Nothing is sent before it is durable, and nothing that is durable stays unsent: what a crash or an outage has kept back goes out
//    at the next connection. A gateway that hears it twice answers that it has it.
// 2. Bounded: IN_FLIGHT messages are unacknowledged at a time, however many wait.
// 3. What waits goes out in the order of revisions, whatever failed or is sent again; and nothing goes out before the broker has what
//    was done to the same card before: a card is never bound to somebody ahead of the message that has freed it.

import { milliseconds, seconds } from '../domain/units.ts';
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
/** Open operations that are looked at in one go, and how long others have their turn after that. */
const LOOKED_AT = 200;
const BETWEEN_LOOKS = milliseconds(50);

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
  /** In the order of their revisions. */
  readonly #waiting: Operation[] = [];
  readonly #inFlight = new Set<string>();
  /** Ids of those that wait or are in flight. */
  readonly #taken = new Set<string>();
  /** Cards that something in flight is about. */
  readonly #cards = new Set<string>();
  #timer: Timer | undefined;
  #answerTimer: Timer | undefined;
  #lookTimer: Timer | undefined;
  /** What is still to be looked at, of the open operations. */
  #unseen: Iterator<Operation> | undefined;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    for (const operation of deps.open()) {
      if (operation.sentAt === undefined && operation.restoredAt === undefined) this.#enqueue(operation);
    }
  }

  /** Operations whose messages the broker has not taken. */
  get unsent(): number {
    return this.#taken.size;
  }

  /** It is durable. */
  send(operation: Operation): void {
    this.#enqueue(operation);
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
      this.#lookTimer?.cancel();
      this.#unseen = this.#deps.open()[Symbol.iterator]();
      this.#repeat();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#answerTimer?.cancel();
    this.#lookTimer?.cancel();
  }

  /** The next of those that are open; the next connection begins anew with the first. */
  #repeat(): void {
    const { clock, isConnected } = this.#deps;
    if (!isConnected()) return;
    for (let count = 0; count < LOOKED_AT; count++) {
      const next = this.#unseen?.next();
      if (next === undefined || next.done === true) return this.#pump();
      if (this.#isToRepeat(next.value)) this.#enqueue(next.value);
    }
    this.#lookTimer = clock.schedule(BETWEEN_LOOKS, () => this.#repeat());
    this.#pump();
  }

  #isToRepeat(operation: Operation): boolean {
    const { clock, silentGateways } = this.#deps;
    const { sentAt, restoredAt, confirmedAt } = operation;
    if (sentAt === undefined || restoredAt !== undefined || confirmedAt !== undefined) return false;
    if (this.#taken.has(operation.id) || clock.now() - Date.parse(sentAt) < ANSWER_TIME) return false;
    return silentGateways(operation).length > 0;
  }

  #enqueue(operation: Operation): void {
    if (this.#taken.has(operation.id)) return;
    this.#taken.add(operation.id);
    // Nearly always at the end.
    const { revision } = operation.message;
    const before = this.#waiting.findLastIndex(({ message }) => message.revision < revision);
    this.#waiting.splice(before + 1, 0, operation);
  }

  #pump(): void {
    const { isConnected } = this.#deps;
    if (this.#timer !== undefined || this.#isStopped) return;
    while (this.#inFlight.size < IN_FLIGHT && isConnected()) {
      const [operation] = this.#waiting;
      // Invariant 3: what comes later waits with it.
      if (operation === undefined || cardsOf(operation).some((card) => this.#cards.has(card))) return;
      this.#waiting.shift();
      this.#inFlight.add(operation.id);
      for (const card of cardsOf(operation)) this.#cards.add(card);
      void this.#publish(operation);
    }
  }

  async #publish(operation: Operation): Promise<void> {
    const { publish, seals, onSent } = this.#deps;
    const { id, message, signedAs } = operation;
    try {
      await publish(message.type, Promise.resolve(seals[signedAs](message.json)));
      this.#land(operation);
      await onSent(id);
    } catch (error) {
      this.#land(operation);
      this.#onFailure(operation, error);
    }
    this.#pump();
  }

  #land(operation: Operation): void {
    // After a fault of the record it has landed already.
    if (!this.#inFlight.delete(operation.id)) return;
    this.#taken.delete(operation.id);
    for (const card of cardsOf(operation)) this.#cards.delete(card);
  }

  #onFailure(operation: Operation, error: unknown): void {
    const { clock, onFault } = this.#deps;
    if (this.#isStopped) return;
    this.#enqueue(operation);
    // The next connection takes it up.
    if (error instanceof CardeaError && error.code === 'link-offline') return;
    onFault(error);
    this.#timer ??= clock.schedule(AFTER_FAILURE, () => {
      this.#timer = undefined;
      this.#pump();
    });
  }
}

const cardsOf = ({ newCard, revokedCard, stoppedCards }: Operation): readonly string[] =>
  [...new Set([newCard, revokedCard, ...stoppedCards])].filter((card) => card !== undefined);
