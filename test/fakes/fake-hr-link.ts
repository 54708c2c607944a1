// An HrLink without a network, for tests of the application: tests play the broker. It keeps the port's promises: messages handed
// out and acknowledged in order, delivered again until acknowledged; publishes rejected while offline, settled once acknowledged.

import { CardeaError } from '../../src/errors.ts';
import type { HrLink, HrLinkListener, InboundMessage } from '../../src/ports/hr-link.ts';

export interface PublishedMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

/** What the first handling of a delivered message came to; a refused one is delivered again after the next connect(). */
export type DeliveryOutcome = 'acknowledged' | 'refused';

interface Queued {
  readonly message: InboundMessage;
  readonly settle: (outcome: DeliveryOutcome) => void;
  /** By the handler, on the present connection. */
  isHandled: boolean;
}

/** Messages handed out and not acknowledged, at most. */
const UNACKNOWLEDGED = 256;

export class FakeHrLink implements HrLink {
  /** Everything that publish() took, in order. */
  readonly published: PublishedMessage[] = [];
  /** The reasons given to reconnect(). */
  readonly reconnects: string[] = [];
  /** What stop() said goodbye with, if it was connected. */
  farewell: PublishedMessage | undefined;
  isStarted = false;
  isStopped = false;
  /** What is not acknowledged, in order of arrival; the first #handedOut were handed out on this connection. */
  readonly #queue: Queued[] = [];
  #handedOut = 0;
  readonly #unacknowledged: (() => void)[] = [];
  #listener: HrLinkListener | undefined;
  #isConnected = false;
  /** Counts connections: a message handled across two of them is not acknowledged. */
  #connection = 0;
  /** Handlers under way, by the connection that they began on. */
  readonly #underWay: number[] = [];
  #onIdle: (() => void) | undefined;
  #isHolding = false;
  #nextFailure: Error | undefined;

  start(listener: HrLinkListener): void {
    this.#listener = listener;
    this.isStarted = true;
  }

  isConnected(): boolean {
    return this.#isConnected && !this.isStopped;
  }

  publish(topic: string, payload: string, { retain = false }: { readonly retain?: boolean } = {}): Promise<void> {
    if (!this.isConnected())
      return Promise.reject(new CardeaError('link-offline', 'The fake broker is not connected.'));
    const failure = this.#nextFailure;
    this.#nextFailure = undefined;
    if (failure !== undefined) return Promise.reject(failure);
    this.published.push({ topic, payload, retain });
    if (!this.#isHolding) return Promise.resolve();
    return new Promise((resolve) => this.#unacknowledged.push(resolve));
  }

  reconnect(reason: string): void {
    this.reconnects.push(reason);
    this.disconnect(reason);
  }

  async stop(farewell?: { readonly topic: string; readonly payload: string }): Promise<void> {
    if (this.isStopped) return;
    if (farewell !== undefined && this.isConnected()) this.farewell = { ...farewell, retain: true };
    this.isStopped = true;
    // What is under way may still be acknowledged, nothing more is handed out.
    await new Promise<void>((resolve) => {
      this.#onIdle = resolve;
      this.#tellIdle();
    });
    this.#isConnected = false;
  }

  /** The broker accepts us; what is unacknowledged is delivered. */
  connect(): void {
    if (this.isStopped || this.#isConnected) return;
    this.#isConnected = true;
    this.#connection += 1;
    this.#handedOut = 0;
    for (const queued of this.#queue) queued.isHandled = false;
    this.#listener?.onConnect();
    this.#handOut();
  }

  disconnect(reason = 'the fake broker went away'): void {
    if (!this.isConnected()) return;
    this.#isConnected = false;
    this.#listener?.onDisconnect(reason);
  }

  /** Queues a message for the gateway; it is handed out once connected, after the ones before it. */
  deliver(topic: string, payload: string | Uint8Array, { retained = false } = {}): Promise<DeliveryOutcome> {
    return new Promise((settle) => {
      const bytes = typeof payload === 'string' ? Buffer.from(payload) : payload;
      this.#queue.push({ message: { topic, payload: bytes, retained }, settle, isHandled: false });
      this.#handOut();
    });
  }

  /** The next publish() rejects with `error`. */
  failNextPublish(error: Error): void {
    this.#nextFailure = error;
  }

  /** From now on publishes stay unacknowledged until acknowledgePublishes(). */
  holdPublishes(): void {
    this.#isHolding = true;
  }

  /** Acknowledges what is held, in order, and holds no longer. */
  acknowledgePublishes(): void {
    this.#isHolding = false;
    for (const acknowledge of this.#unacknowledged.splice(0)) acknowledge();
  }

  /** What is held is never acknowledged, what comes from now on is. */
  forgetPublishes(): void {
    this.#isHolding = false;
    this.#unacknowledged.length = 0;
  }

  #handOut(): void {
    while (this.#mayHandOut()) {
      const next = this.#queue[this.#handedOut];
      if (next === undefined) return;
      this.#handedOut += 1;
      this.#underWay.push(this.#connection);
      void this.#handle(next, this.#connection);
    }
  }

  #mayHandOut(): boolean {
    const isAfterEarlierOnes = this.#underWay.every((connection) => connection === this.#connection);
    return this.#isConnected && !this.isStopped && isAfterEarlierOnes && this.#handedOut < UNACKNOWLEDGED;
  }

  async #handle(queued: Queued, connection: number): Promise<void> {
    const isAccepted = await this.#offer(queued.message);
    this.#underWay.splice(this.#underWay.indexOf(connection), 1);
    const isCurrent = this.#isConnected && connection === this.#connection;
    if (!isAccepted) queued.settle('refused');
    if (!isAccepted && isCurrent) this.disconnect('a message was refused');
    if (isAccepted && isCurrent) {
      queued.isHandled = true;
      this.#acknowledge();
    }
    this.#tellIdle();
    this.#handOut();
  }

  async #offer(message: InboundMessage): Promise<boolean> {
    try {
      await this.#listener?.onMessage(message);
      return true;
    } catch {
      return false;
    }
  }

  /** In order of arrival, as far as everything is handled. */
  #acknowledge(): void {
    while (this.#queue[0]?.isHandled) {
      this.#queue.shift()?.settle('acknowledged');
      this.#handedOut -= 1;
    }
  }

  #tellIdle(): void {
    if (this.#underWay.length === 0) this.#onIdle?.();
  }
}
