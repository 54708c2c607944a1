// Plays the patterns of domain/feedback.ts on the LEDs and the buzzer of one reader. It never waits and never throws: a line
// that cannot be driven is logged once, and nothing else notices. What is played is replaced by what comes next.

import { FEEDBACK_PATTERNS, type Feedback, feedbackOfDenial, type Signal } from '../domain/feedback.ts';
import type { ReaderId } from '../domain/ids.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { SignalLines } from '../ports/signal-lines.ts';
import type { TapOutcome } from './handle-tap.ts';

interface Dependencies {
  readonly reader: ReaderId;
  /** The signals that this reader has, and what their lines are called. */
  readonly signals: ReadonlyMap<Signal, string>;
  readonly lines: SignalLines;
  readonly clock: Clock;
  readonly log: Log;
}

export class ReaderFeedback {
  readonly #deps: Dependencies;
  /** On, or possibly on. */
  readonly #on = new Set<Signal>();
  readonly #reported = new Set<Signal>();
  #current: Feedback | undefined;
  #timer: Timer | undefined;
  #isWarning = false;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  onOutcome(outcome: TapOutcome): void {
    this.#play(feedbackOf(outcome));
  }

  /** Whether the door stands open and is about to be reported; between taps the reader says so again and again. */
  onWarning(isActive: boolean): void {
    if (this.#isWarning === isActive) return;
    this.#isWarning = isActive;
    // What a tap is told goes on to its end; the warning has to begin or end at once.
    if (this.#current === 'held-open-warning' || this.#current === undefined) this.#finish();
  }

  /** Everything off, for good. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#show([]);
  }

  #play(feedback: Feedback): void {
    const { signals, log, reader } = this.#deps;
    if (this.#isStopped || signals.size === 0) return;
    if (this.#current !== feedback) log.debug({ reader, feedback }, 'feedback');
    this.#current = feedback;
    this.#step(feedback, 0);
  }

  #step(feedback: Feedback, index: number): void {
    this.#timer?.cancel();
    const step = FEEDBACK_PATTERNS[feedback][index];
    if (step === undefined) return this.#finish();
    this.#show(step.signals);
    this.#timer = this.#deps.clock.schedule(step.lasts, () => this.#step(feedback, index + 1));
  }

  #finish(): void {
    this.#timer?.cancel();
    if (this.#isWarning) return this.#play('held-open-warning');
    this.#current = undefined;
    this.#show([]);
  }

  #show(wanted: readonly Signal[]): void {
    for (const signal of this.#deps.signals.keys()) {
      const isOn = wanted.includes(signal);
      if (isOn !== this.#on.has(signal)) this.#switch(signal, isOn);
    }
  }

  #switch(signal: Signal, isOn: boolean): void {
    const { signals, lines, log, reader } = this.#deps;
    const name = signals.get(signal);
    if (name === undefined) return;
    if (isOn) this.#on.add(signal);
    try {
      lines.setOutput(name, isOn);
      if (!isOn) this.#on.delete(signal);
    } catch (error) {
      if (this.#reported.has(signal)) return;
      this.#reported.add(signal);
      log.error({ reader, signal, err: errorMessage(error) }, 'reader feedback could not be switched');
    }
  }
}

const feedbackOf = (outcome: TapOutcome): Feedback =>
  outcome.kind === 'denied' ? feedbackOfDenial(outcome.reason) : outcome.kind;
