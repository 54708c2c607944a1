// An HrLink without a network, for tests of the application: tests play the broker. It keeps the port's promises: one message
// at a time, in order, delivered again until acknowledged; publishes rejected while offline, settled once acknowledged.

import { CardeaError } from '../../src/errors.ts';
import type { HrLink, HrLinkListener } from '../../src/ports/hr-link.ts';

export interface PublishedMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

/** What the first handling of a delivered message came to; a refused one is delivered again after the next connect(). */
export type DeliveryOutcome = 'acknowledged' | 'refused';

interface Queued {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retained: boolean;
  readonly settle: (outcome: DeliveryOutcome) => void;
}

export class FakeHrLink implements HrLink {
  /** Everything that publish() took, in order. */
  readonly published: PublishedMessage[] = [];
  /** The reasons given to reconnect(). */
  readonly reconnects: string[] = [];
  /** What stop() said goodbye with, if it was connected. */
  farewell: PublishedMessage | undefined;
  isStarted = false;
  isStopped = false;
  readonly #queue: Queued[] = [];
  readonly #unacknowledged: (() => void)[] = [];
  #listener: HrLinkListener | undefined;
  #isConnected = false;
  /** Counts connections: a message handled across two of them is not acknowledged. */
  #connection = 0;
  #isHolding = false;
  #nextFailure: Error | undefined;
  #handling: Promise<void> | undefined;

  start(listener: HrLinkListener): void {
    this.#listener = listener;
    this.isStarted = true;
  }

  isConnected(): boolean {
    return this.#isConnected;
  }

  publish(topic: string, payload: string, { retain = false }: { readonly retain?: boolean } = {}): Promise<void> {
    if (!this.#isConnected) return Promise.reject(new CardeaError('link-offline', 'The fake broker is not connected.'));
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
    this.isStopped = true;
    if (farewell !== undefined && this.#isConnected) this.farewell = { ...farewell, retain: true };
    this.#isConnected = false;
    await this.#handling;
  }

  /** The broker accepts us; what is unacknowledged is delivered. */
  connect(): void {
    if (this.isStopped || this.#isConnected) return;
    this.#isConnected = true;
    this.#connection += 1;
    this.#listener?.onConnect();
    this.#pump();
  }

  disconnect(reason = 'the fake broker went away'): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#listener?.onDisconnect(reason);
  }

  /** Queues a message for the gateway; it is handled once connected and the ones before it are acknowledged. */
  deliver(topic: string, payload: string | Uint8Array, { retained = false } = {}): Promise<DeliveryOutcome> {
    return new Promise((settle) => {
      this.#queue.push({
        topic,
        payload: typeof payload === 'string' ? Buffer.from(payload) : payload,
        retained,
        settle,
      });
      this.#pump();
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

  #pump(): void {
    this.#handling ??= this.#work().finally(() => {
      this.#handling = undefined;
      if (this.#isConnected && this.#queue.length > 0) this.#pump();
    });
  }

  async #work(): Promise<void> {
    for (let next = this.#queue[0]; next !== undefined && this.#isConnected; next = this.#queue[0]) {
      const connection = this.#connection;
      const isAccepted = await this.#handle(next);
      const isCurrent = this.#isConnected && connection === this.#connection;
      if (!isAccepted) next.settle('refused');
      if (!isAccepted && isCurrent) this.disconnect('a message was refused');
      if (isAccepted && isCurrent) {
        this.#queue.shift();
        next.settle('acknowledged');
      }
    }
  }

  async #handle({ topic, payload, retained }: Queued): Promise<boolean> {
    try {
      await this.#listener?.onMessage({ topic, payload, retained });
      return true;
    } catch {
      return false;
    }
  }
}
