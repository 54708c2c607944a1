// Decides which inbound message is handled when, and whether it is acknowledged. Invariants:
// 1. One message is with the handler at a time, across reconnects too: a handler that outlives its connection is waited for.
// 2. A message is acknowledged only if its handler fulfilled AND the connection it came by is still up: packet ids belong to
//    a connection, and on the next one the same id means another message.
// 3. Bounded: past the limits the sender of more is made to wait, down to the broker.

import type { InboundMessage } from '../../ports/hr-link.ts';

export interface InboundDelivery {
  readonly message: InboundMessage;
  /** Whether the connection it came by is up. */
  isCurrent(): boolean;
  acknowledge(): void;
}

export interface InboundQueueOptions {
  readonly handle: (message: InboundMessage) => Promise<void>;
  /** A message could not be handled: its connection must go, so that the broker delivers anew. */
  readonly onRefused: (message: InboundMessage, error: unknown) => void;
}

/** Waiting messages and payload bytes at which push() makes its caller wait. */
const FULL_AT_MESSAGES = 256;
const FULL_AT_BYTES = 4 * 1024 * 1024;

export class InboundQueue {
  readonly #options: InboundQueueOptions;
  #waiting: InboundDelivery[] = [];
  #waitingBytes = 0;
  #pushers: (() => void)[] = [];
  #isBusy = false;
  /** The run of the handler over all that waits; it never rejects. */
  #work: Promise<void> = Promise.resolve();
  #isClosed = false;

  constructor(options: InboundQueueOptions) {
    this.#options = options;
  }

  /** Whether push() makes its caller wait. */
  get isFull(): boolean {
    return this.#waiting.length >= FULL_AT_MESSAGES || this.#waitingBytes >= FULL_AT_BYTES;
  }

  /** Resolves when there is room for the next one. */
  async push(delivery: InboundDelivery): Promise<void> {
    // What an ended connection had still to say must not take room from the next one.
    if (this.#isClosed || !delivery.isCurrent()) return;
    this.#waiting.push(delivery);
    this.#waitingBytes += delivery.message.payload.length;
    if (!this.#isBusy) this.#work = this.#handleAll();
    while (this.isFull) await new Promise<void>((resolve) => this.#pushers.push(resolve));
  }

  /** Forgets what has not been begun; the broker still has it. */
  clear(): void {
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#admitPushers();
  }

  /** Hands out no more messages; resolves when the one in hand, if any, is done. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.clear();
    await this.#work;
  }

  async #handleAll(): Promise<void> {
    this.#isBusy = true;
    for (let next = this.#take(); next !== undefined; next = this.#take()) {
      if (next.isCurrent()) await this.#handle(next);
    }
    this.#isBusy = false;
  }

  #take(): InboundDelivery | undefined {
    const next = this.#waiting.shift();
    if (next !== undefined) this.#waitingBytes -= next.message.payload.length;
    this.#admitPushers();
    return next;
  }

  async #handle(delivery: InboundDelivery): Promise<void> {
    try {
      await this.#options.handle(delivery.message);
    } catch (error) {
      if (delivery.isCurrent()) this.#options.onRefused(delivery.message, error);
      return;
    }
    if (delivery.isCurrent()) delivery.acknowledge();
  }

  #admitPushers(): void {
    if (this.isFull) return;
    for (const admit of this.#pushers.splice(0)) admit();
  }
}
