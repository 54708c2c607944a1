// Follows claimed input lines: every change once, in order, none lost. It looks from the main thread and never waits: a thread
// pool whose threads all hang (a stalled disk, a dead resolver) must not make an exit button dead.

import { CardeaError } from '../../errors.ts';
import type { ClaimedLines, GpioChip } from './gpio-chip.ts';
import { decodeLineEvents, LINE_EVENT_BYTES, type LineEvent } from './gpio-uapi.ts';
import { type KernelCalls, POLL } from './kernel-calls.ts';
import { type Every, every } from './look-timer.ts';
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
  readonly every?: Every | undefined;
}

/** Milliseconds between two looks. The kernel keeps the edges in between, in order. */
const LOOK_INTERVAL = 10;
/** After so many looks without an event the levels are read: a change that made no event, and a chip that is gone, still show. */
const LOOKS_UNTIL_COMPARISON = 25;
/** Events taken per read. */
const EVENTS_PER_READ = 64;
/** Reads per look: a line that oscillates must not keep the main thread from everything else. */
const READS_PER_LOOK = 16;

export class InputWatch {
  readonly #options: InputWatchOptions;
  readonly #levels = new Map<number, LineLevel>();
  readonly #sequences = new Map<number, number>();
  readonly #buffer = Buffer.alloc(EVENTS_PER_READ * LINE_EVENT_BYTES);
  #quietLooks = 0;
  #isStopped = true;
  #stopLooking = (): void => {};

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
    this.#isStopped = false;
    this.#stopLooking = (this.#options.every ?? every)(LOOK_INTERVAL, () => this.#look());
  }

  /** Nothing is reported any more once it returns, and the lines may be released. */
  stop(): void {
    this.#isStopped = true;
    this.#stopLooking();
  }

  #look(): void {
    if (this.#isStopped) return;
    try {
      if (this.#takeEvents()) this.#quietLooks = 0;
      else if (++this.#quietLooks >= LOOKS_UNTIL_COMPARISON) {
        this.#quietLooks = 0;
        this.#compare();
      }
    } catch (error) {
      if (this.#isStopped) return;
      this.stop();
      this.#options.onFailure(error instanceof Error ? error : new CardeaError('gpio-unavailable', String(error)));
    }
  }

  /** Whether there were any. */
  #takeEvents(): boolean {
    const { kernel, claimed, chip } = this.#options;
    for (let reads = 0; reads < READS_PER_LOOK; reads++) {
      const ready = kernel.poll(claimed.descriptor);
      if ((ready & (POLL.error | POLL.hangUp | POLL.invalid)) !== 0) {
        throw new CardeaError('gpio-unavailable', `GPIO chip ${chip.path} is gone`);
      }
      if ((ready & POLL.in) === 0) return reads > 0;
      const length = kernel.read(claimed.descriptor, this.#buffer);
      for (const event of decodeLineEvents(this.#buffer, length)) {
        // A listener may stop us in the middle of a batch.
        if (this.#isStopped) return true;
        this.#take(event);
      }
      if (this.#isStopped) return true;
    }
    return true;
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
      if (!this.#isStopped) this.#change(line, level);
    }
  }

  /** Nothing happened for a while: what we believe must be what is. */
  #compare(): void {
    const levels = this.#options.chip.read(this.#options.claimed);
    this.#options.lines.forEach((line, index) => {
      const level = levels[index];
      if (level !== undefined && level !== this.#levels.get(line) && !this.#isStopped) this.#change(line, level);
    });
  }

  #change(line: number, level: LineLevel): void {
    this.#levels.set(line, level);
    this.#options.onChange(line, level);
  }
}
