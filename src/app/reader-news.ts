// Which conditions of a reader become events. A loose wire must not fill a log that is kept for ever.
//
// 1. Only a change between online and offline is an event; what is merely described otherwise is for status and the log of lines.
// 2. At most NEWS_LIMIT events in NEWS_WINDOW. Changes beyond are counted, and the count is in the next event's detail.
// 3. The last state always gets recorded: once it has held for NEWS_CALM, or else when the window has room again.

import { type MonotonicTime, milliseconds } from '../domain/units.ts';
import type { ReaderCondition } from '../ports/card-reader.ts';
import type { Clock, Timer } from '../ports/clock.ts';

export const NEWS_LIMIT = 20;
export const NEWS_WINDOW = milliseconds(600_000);
export const NEWS_CALM = milliseconds(60_000);

interface Dependencies {
  readonly clock: Clock;
  readonly record: (event: 'reader-offline' | 'reader-online', detail: string) => void;
}

export class ReaderNews {
  readonly #deps: Dependencies;
  #condition: ReaderCondition | undefined;
  /** Times of the events that count against the limit, oldest first. */
  #recorded: readonly MonotonicTime[] = [];
  /** Changes since the last event. */
  #unrecorded = 0;
  #timer: Timer | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  onCondition(condition: ReaderCondition): void {
    const before = this.#condition;
    this.#condition = condition;
    if (before?.state === condition.state) return;
    // A reader that starts as it should is not news.
    if (before === undefined && condition.state === 'online') return;
    this.#unrecorded += 1;
    // The last place in the window is for the state that remains.
    if (this.#unrecorded === 1 && this.#recent().length < NEWS_LIMIT - 1) this.#record();
    else this.#recordLater();
  }

  /** Records what is still to be told, and waits for nothing more. */
  stop(): void {
    if (this.#unrecorded > 0) this.#record();
  }

  #recordLater(): void {
    const { clock } = this.#deps;
    const recent = this.#recent();
    const oldest = recent[0] ?? clock.monotonic();
    const untilRoom = oldest + NEWS_WINDOW - clock.monotonic();
    const delay = milliseconds(recent.length < NEWS_LIMIT ? Math.min(NEWS_CALM, untilRoom) : untilRoom);
    this.#timer?.cancel();
    this.#timer = clock.schedule(delay, () => this.#record());
  }

  #record(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#condition === undefined) return;
    const { state, detail } = this.#condition;
    const changes = this.#unrecorded;
    this.#unrecorded = 0;
    this.#recorded = [...this.#recent(), this.#deps.clock.monotonic()];
    const count = changes > 1 ? `; went offline or online ${changes} times since the event before` : '';
    this.#deps.record(state === 'offline' ? 'reader-offline' : 'reader-online', `${detail}${count}`);
  }

  #recent(): readonly MonotonicTime[] {
    const now = this.#deps.clock.monotonic();
    return this.#recorded.filter((at) => now - at < NEWS_WINDOW);
  }
}
