// Keeps no more publishes unacknowledged than the broker said it takes (MQTT 5.0, 3.3.4 Flow control: a client that sends
// more is disconnected); the others wait here in order. Bounded: past its capacity a publish is refused, not queued.

import { CardeaError } from '../../errors.ts';

export interface OutgoingMessage {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
}

export interface PublishWindowOptions {
  /** Hands one message to the client; calls `onSettled` once, when the broker has acknowledged it or it has failed. */
  readonly send: (message: OutgoingMessage, onSettled: (error?: CardeaError) => void) => void;
  /** Most messages sent and waiting together. */
  readonly capacity: number;
}

interface Waiting {
  readonly message: OutgoingMessage;
  readonly resolve: () => void;
  readonly reject: (error: CardeaError) => void;
}

export class PublishWindow {
  readonly #send: PublishWindowOptions['send'];
  readonly #capacity: number;
  readonly #waiting: Waiting[] = [];
  #unacknowledged = 0;
  #limit = 0;

  constructor({ send, capacity }: PublishWindowOptions) {
    this.#send = send;
    this.#capacity = capacity;
  }

  /** Rejects with `overloaded` when the window and the queue are full, else settles as `send` does. */
  submit(message: OutgoingMessage): Promise<void> {
    const outstanding = this.#unacknowledged + this.#waiting.length;
    if (outstanding >= this.#capacity) {
      const text = `${outstanding} messages are already waiting for the broker; publish again when some are acknowledged.`;
      return Promise.reject(new CardeaError('overloaded', text, { context: { topic: message.topic } }));
    }
    return new Promise((resolve, reject) => {
      this.#waiting.push({ message, resolve, reject });
      this.#fill();
    });
  }

  /** The link is up and takes `limit` unacknowledged messages. */
  open(limit: number): void {
    this.#limit = limit;
    this.#fill();
  }

  /** The link is down; what waits goes out after the next open. */
  close(): void {
    this.#limit = 0;
  }

  /** Rejects what has not been sent yet. */
  abandonWaiting(error: CardeaError): void {
    for (const { reject } of this.#waiting.splice(0)) reject(error);
  }

  #fill(): void {
    while (this.#unacknowledged < this.#limit) {
      const next = this.#waiting.shift();
      if (next === undefined) return;
      this.#unacknowledged += 1;
      this.#send(next.message, (error) => {
        this.#unacknowledged -= 1;
        if (error === undefined) next.resolve();
        else next.reject(error);
        this.#fill();
      });
    }
  }
}
