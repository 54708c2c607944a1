// Answers that wait for something to happen. Bounded: so many at once, so long each; and nobody waits for whoever has hung up.

import type { ServerResponse } from 'node:http';
import { seconds } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import { RefusedRequest } from './problems.ts';

const MOST = 500;

/** Calls `give` with what is waited for; returns how to stop. */
export type Listen<Value> = (give: (value: Value) => void) => () => void;

export class LongPolls {
  readonly #clock: Clock;
  readonly #ends = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** What comes first; undefined when `wait` seconds are over, the other side has hung up, or the server closes. */
  first<Value>(wait: number, response: ServerResponse, listen: Listen<Value>): Promise<Value | undefined> {
    if (this.#ends.size >= MOST) {
      throw new RefusedRequest({
        code: 'overloaded',
        detail: 'too many requests wait already; ask again without waiting',
      });
    }
    return new Promise((resolve) => {
      // It may come while it is begun to listen for it.
      let stop: (() => void) | undefined;
      let isOver = false;
      const end = (value?: Value): void => {
        if (isOver) return;
        isOver = true;
        this.#ends.delete(end);
        timer.cancel();
        stop?.();
        response.off('close', hungUp);
        resolve(value);
      };
      const hungUp = (): void => end();
      const timer = this.#clock.schedule(seconds(wait), end);
      this.#ends.add(end);
      response.on('close', hungUp);
      stop = listen(end);
      if (isOver) stop();
    });
  }

  /** Whoever waits is answered now. */
  close(): void {
    for (const end of this.#ends) end();
  }
}
