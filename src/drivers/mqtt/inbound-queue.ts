// Hands inbound messages to the handler and decides when each is acknowledged. Invariants:
// 1. Messages are handed out in order of arrival, without waiting for the ones before, so that they can share a synced batch;
//    those of a new connection only when no handler of an earlier one is under way: a redelivery is not overtaken by its past.
// 2. They are acknowledged in order of arrival (MQTT 3.1.1 and 5.0, 4.6.0-2), each only after its own handler and all before it
//    have fulfilled, and on the connection it came by: on the next one the same packet id means another message.
// 3. Bounded: past the limits the sender of more is made to wait, down to the broker.

import type { InboundMessage } from '../../ports/hr-link.ts';

/** One connection to the broker. */
export interface InboundConnection {
  isUp(): boolean;
  /** Acknowledges these packets, in this order, in one go. */
  acknowledge(packetIds: readonly number[]): void;
}

export interface InboundQueueOptions {
  readonly handle: (message: InboundMessage) => Promise<void>;
  /** A message could not be handled: its connection must go, so that the broker delivers anew. */
  readonly onRefused: (message: InboundMessage, error: unknown) => void;
}

interface Delivery {
  readonly message: InboundMessage;
  /** Undefined at QoS 0, where nothing is acknowledged. */
  readonly packetId: number | undefined;
  readonly connection: InboundConnection;
  isHandled: boolean;
}

/** Unacknowledged messages and payload bytes beyond which push() makes its caller wait. The one that passes a limit is taken. */
export const UNACKNOWLEDGED_MESSAGES = 256;
const UNACKNOWLEDGED_BYTES = 4 * 1024 * 1024;
/** A stretch of messages that came in one piece is taken so many at a time: a tap must not wait for all of them. */
const MESSAGES_PER_TURN = 16;

export class InboundQueue {
  readonly #options: InboundQueueOptions;
  #connection: InboundConnection | undefined;
  /** What came by the present connection and is not acknowledged, in order of arrival; the first #handedOut were handed out. */
  #deliveries: Delivery[] = [];
  #handedOut = 0;
  #bytes = 0;
  #taken = 0;
  /** Packet ids to acknowledge at the end of this turn of the event loop. */
  #due: number[] = [];
  #pushers: (() => void)[] = [];
  /** Handlers that have not settled, and those of them whose connection has ended. */
  #underWay = 0;
  #stragglers = 0;
  #isClosed = false;
  #onIdle: (() => void) | undefined;

  constructor(options: InboundQueueOptions) {
    this.#options = options;
  }

  /** Whether push() makes its caller wait. */
  get isFull(): boolean {
    return this.#deliveries.length > UNACKNOWLEDGED_MESSAGES || this.#bytes > UNACKNOWLEDGED_BYTES;
  }

  /** From now on messages come by `connection`. What came by the one before and is not acknowledged is forgotten: the broker has it. */
  open(connection: InboundConnection): void {
    this.#forget();
    this.#connection = connection;
  }

  /** Takes a message in; calls `onRoom`, perhaps at once, when there is room for the next one. */
  push(message: InboundMessage, packetId: number | undefined, onRoom: () => void): void {
    const connection = this.#connection;
    // What an ended connection had still to say must not take room from the next one.
    if (this.#isClosed || connection === undefined || !connection.isUp()) {
      onRoom();
      return;
    }
    this.#deliveries.push({ message, packetId, connection, isHandled: false });
    this.#bytes += message.payload.length;
    this.#handOut();
    this.#taken += 1;
    if (this.isFull) this.#pushers.push(onRoom);
    else if (this.#taken % MESSAGES_PER_TURN === 0) setImmediate(onRoom);
    else onRoom();
  }

  /** The present connection has ended. */
  disconnected(): void {
    this.#forget();
    this.#connection = undefined;
  }

  /** Hands out no more messages; resolves when those under way have settled and what is due is acknowledged. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#admitPushers();
    if (this.#underWay > 0) {
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
      });
    }
    this.#acknowledgeDue();
  }

  #forget(): void {
    this.#stragglers = this.#underWay;
    this.#deliveries = [];
    this.#handedOut = 0;
    this.#bytes = 0;
    this.#due = [];
    this.#admitPushers();
  }

  #handOut(): void {
    while (this.#stragglers === 0 && !this.#isClosed) {
      const next = this.#deliveries[this.#handedOut];
      if (next === undefined) return;
      this.#handedOut += 1;
      this.#underWay += 1;
      this.#options.handle(next.message).then(
        () => this.#fulfilled(next),
        (error: unknown) => this.#rejected(next, error),
      );
    }
  }

  #fulfilled(delivery: Delivery): void {
    delivery.isHandled = true;
    this.#settled(delivery);
    while (this.#deliveries[0]?.isHandled) this.#takeFirst();
    if (this.#pushers.length > 0 && !this.isFull) this.#admitPushers();
  }

  #rejected(delivery: Delivery, error: unknown): void {
    this.#settled(delivery);
    // It stays where it is, so that nothing from it on is acknowledged on this connection.
    if (delivery.connection !== this.#connection || !delivery.connection.isUp()) return;
    this.#acknowledgeDue();
    this.#options.onRefused(delivery.message, error);
  }

  #settled({ connection }: Delivery): void {
    this.#underWay -= 1;
    if (this.#underWay === 0) this.#onIdle?.();
    if (connection === this.#connection) return;
    this.#stragglers -= 1;
    this.#handOut();
  }

  #takeFirst(): void {
    const first = this.#deliveries.shift();
    if (first === undefined) return;
    this.#handedOut -= 1;
    this.#bytes -= first.message.payload.length;
    if (first.packetId === undefined) return;
    // Runs when all promises that settled together have been heard.
    if (this.#due.length === 0) process.nextTick(() => this.#acknowledgeDue());
    this.#due.push(first.packetId);
  }

  #acknowledgeDue(): void {
    const due = this.#due;
    this.#due = [];
    if (due.length > 0 && this.#connection?.isUp()) this.#connection.acknowledge(due);
  }

  #admitPushers(): void {
    for (const admit of this.#pushers.splice(0)) admit();
  }
}
