// Changes of the inputs that wait until the main thread has time for them, in order. Bounded: of a line that flaps for longer than
// that, changes are left out in pairs, there and back, so that its last level is right and that it was away is still told.

import type { LineChange } from './input-looks.ts';

/**
 * Changes of one line that wait at most. At the fastest that debouncing lets through, two looks each, they are 40 seconds of a main
 * thread that stands still: longer than the watchdog of systemd/cardea.service leaves it alive. Pulses of 400 ms: minutes.
 */
export const CHANGES_PER_LINE = 1000;

export class ChangeBacklog {
  #waiting: LineChange[] = [];
  readonly #counts = new Map<number, number>();
  #leftOut = 0;

  get isEmpty(): boolean {
    return this.#waiting.length === 0;
  }

  /** `change` leads away from the line's level after its last change. */
  add(change: LineChange): void {
    const count = this.#counts.get(change.line) ?? 0;
    if (count < CHANGES_PER_LINE) {
      this.#waiting.push(change);
      this.#counts.set(change.line, count + 1);
      return;
    }
    this.#waiting.splice(
      this.#waiting.findLastIndex(({ line }) => line === change.line),
      1,
    );
    this.#counts.set(change.line, count - 1);
    this.#leftOut += 2;
  }

  /** Everything that waits, and how many changes were left out since it was asked last. */
  take(): { readonly changes: readonly LineChange[]; readonly leftOut: number } {
    const taken = { changes: this.#waiting, leftOut: this.#leftOut };
    this.#waiting = [];
    this.#counts.clear();
    this.#leftOut = 0;
    return taken;
  }
}
