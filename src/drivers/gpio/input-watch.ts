// Follows claimed input lines: every change once, in order, none lost. The wait happens on another thread and ends by itself
// several times a second, so that stop() is prompt and a change that made no event is still noticed.

import { CardeaError } from '../../errors.ts';
import type { ClaimedLines, GpioChip } from './gpio-chip.ts';
import { decodeLineEvents, LINE_EVENT_BYTES, type LineEvent } from './gpio-uapi.ts';
import { type KernelCalls, POLL } from './kernel-calls.ts';
import type { LineLevel } from './strike-level.ts';

export interface InputWatchOptions {
  readonly kernel: KernelCalls;
  readonly chip: GpioChip;
  readonly claimed: ClaimedLines;
  /** In the order of the request. */
  readonly lines: readonly number[];
  readonly onChange: (line: number, level: LineLevel) => void;
  /** Called once; nothing is followed any more. */
  readonly onFailure: (error: Error) => void;
}

/** Milliseconds of one wait. */
const WAIT = 250;
/** Events taken per read; more are taken by the next one. */
const EVENTS_PER_READ = 64;

export class InputWatch {
  readonly #options: InputWatchOptions;
  readonly #levels = new Map<number, LineLevel>();
  readonly #sequences = new Map<number, number>();
  readonly #buffer = Buffer.alloc(EVENTS_PER_READ * LINE_EVENT_BYTES);
  #stopping = false;
  #ended: Promise<void> = Promise.resolve();

  /** Reads the levels at once; throws CardeaError `gpio-unavailable`. */
  constructor(options: InputWatchOptions) {
    this.#options = options;
    const levels = options.chip.read(options.claimed);
    options.lines.forEach((line, index) => {
      this.#levels.set(line, levels[index] ?? 0);
    });
  }

  /** Undefined for a line that is not watched. */
  level(line: number): LineLevel | undefined {
    return this.#levels.get(line);
  }

  start(): void {
    this.#ended = this.#run();
  }

  /** Resolves when the other thread is out of the kernel; only then may the lines be released. */
  async stop(): Promise<void> {
    this.#stopping = true;
    await this.#ended;
  }

  async #run(): Promise<void> {
    try {
      while (!this.#stopping) {
        const result = await this.#options.kernel.poll(this.#options.claimed.descriptor, WAIT);
        if (this.#stopping) return;
        if ((result & (POLL.error | POLL.hangUp | POLL.invalid)) !== 0) {
          throw new CardeaError('gpio-unavailable', `GPIO chip ${this.#options.chip.path} is gone`);
        }
        if ((result & POLL.in) !== 0) this.#takeEvents();
        else this.#compare();
      }
    } catch (error) {
      const failure = error instanceof Error ? error : new CardeaError('gpio-unavailable', String(error));
      if (!this.#stopping) this.#options.onFailure(failure);
    }
  }

  #takeEvents(): void {
    const length = this.#options.kernel.read(this.#options.claimed.descriptor, this.#buffer);
    for (const event of decodeLineEvents(this.#buffer, length)) {
      // A listener may stop us in the middle of a batch.
      if (this.#stopping) return;
      this.#take(event);
    }
  }

  #take({ line, level, lineSequence }: LineEvent): void {
    const known = this.#levels.get(line);
    if (known === undefined) return;
    const expected = ((this.#sequences.get(line) ?? 0) + 1) >>> 0;
    this.#sequences.set(line, lineSequence);
    if (known !== level) this.#change(line, level);
    else if (lineSequence !== expected) {
      // Events were lost and the line is back where we knew it: it was away in between, and a short press must count.
      this.#change(line, known === 1 ? 0 : 1);
      if (!this.#stopping) this.#change(line, level);
    }
  }

  /** Nothing happened for a while: what we believe must be what is. */
  #compare(): void {
    const levels = this.#options.chip.read(this.#options.claimed);
    this.#options.lines.forEach((line, index) => {
      const level = levels[index];
      if (level !== undefined && level !== this.#levels.get(line) && !this.#stopping) this.#change(line, level);
    });
  }

  #change(line: number, level: LineLevel): void {
    this.#levels.set(line, level);
    this.#options.onChange(line, level);
  }
}
