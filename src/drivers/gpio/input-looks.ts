// What looks at the inputs tell: a level counts once enough looks in a row have found it. Counts looks, so that it needs no clock.

import { errorMessage } from '../../errors.ts';
import type { LineLevel } from './strike-level.ts';

/** Milliseconds between two looks. A pulse is seen that lasts one look longer than the debouncing. */
export const LOOK_INTERVAL = 20;

export interface LineChange {
  readonly line: number;
  readonly level: LineLevel;
}

export interface Look {
  /** In the order of the lines. */
  readonly changes: readonly LineChange[];
  /** The line that could not be read, where there was one; those after it were not looked at. */
  readonly unreadable: { readonly line: number; readonly reason: string } | undefined;
}

export interface InputLooksOptions {
  /** To look at, in this order. */
  readonly lines: ReadonlyMap<number, { read(): LineLevel }>;
  /** What the lines are taken to be before the first look. */
  readonly levels: ReadonlyMap<number, LineLevel>;
  /** Milliseconds that a level must be steady; rounded up to whole looks. */
  readonly debounce: number;
}

export class InputLooks {
  readonly #lines: InputLooksOptions['lines'];
  readonly #levels: Map<number, LineLevel>;
  /** Looks in a row that found a line at another level than the one in `#levels`. */
  readonly #looksAway = new Map<number, number>();
  readonly #looksUntilSteady: number;

  constructor({ lines, levels, debounce }: InputLooksOptions) {
    this.#lines = lines;
    this.#levels = new Map(levels);
    this.#looksUntilSteady = Math.ceil(debounce / LOOK_INTERVAL);
  }

  look(): Look {
    const changes: LineChange[] = [];
    for (const [line, input] of this.#lines) {
      let level: LineLevel;
      try {
        level = input.read();
      } catch (error) {
        return { changes, unreadable: { line, reason: errorMessage(error) } };
      }
      const looksAway = level === this.#levels.get(line) ? 0 : (this.#looksAway.get(line) ?? 0) + 1;
      const isSteady = looksAway > this.#looksUntilSteady;
      this.#looksAway.set(line, isSteady ? 0 : looksAway);
      if (!isSteady) continue;
      this.#levels.set(line, level);
      changes.push({ line, level });
    }
    return { changes, unreadable: undefined };
  }
}
