// What a reader shows and sounds for each outcome of a tap, and while a door is about to be held open too long. Pure.
//
// Each pattern differs from every other by its lights and, for who cannot see them, by its sound alone; both on is amber
// where the two LEDs share a lens.

import type { DenialReason } from './access-event.ts';
import { type Milliseconds, milliseconds } from './units.ts';

/** What a reader can show and sound with; the keys of `readers.<id>.feedback`. */
export type Signal = 'greenLed' | 'redLed' | 'buzzer';
export const SIGNALS: readonly Signal[] = ['greenLed', 'redLed', 'buzzer'];

/** These signals on, the others off, for so long. */
export interface FeedbackStep {
  readonly signals: readonly Signal[];
  readonly lasts: Milliseconds;
}

export type Feedback =
  | 'granted'
  /** For every reason that has no pattern of its own. */
  | 'denied'
  /** Lost, stolen or replaced. */
  | 'retired-card'
  /** Pending, or before its first day. */
  | 'not-yet-active'
  /** The first of two cards was taken; the second is awaited. */
  | 'second-card-required'
  /** An enrolment reader has taken the number. */
  | 'presented'
  /** A pending card is active now; it opens from the next tap on. */
  | 'activated'
  /** Played again and again until the door is closed or the alarm is raised. */
  | 'held-open-warning';

const SHORT = 120;
const LONG = 600;

const step = (lasts: number, ...signals: readonly Signal[]): FeedbackStep => ({
  signals,
  lasts: milliseconds(lasts),
});
const pause = step(SHORT);
const beeps = (lengths: readonly number[], ...leds: readonly Signal[]): readonly FeedbackStep[] =>
  lengths.flatMap((length) => [step(length, ...leds, 'buzzer'), pause]);

/** Each ends with everything off. */
export const FEEDBACK_PATTERNS: Readonly<Record<Feedback, readonly FeedbackStep[]>> = {
  granted: [step(SHORT, 'greenLed', 'buzzer'), step(2000, 'greenLed')],
  denied: [step(LONG, 'redLed', 'buzzer'), step(LONG, 'redLed')],
  'retired-card': beeps([LONG, LONG, LONG], 'redLed'),
  'not-yet-active': beeps([SHORT, LONG], 'redLed'),
  'second-card-required': beeps([SHORT, SHORT], 'greenLed'),
  presented: beeps([SHORT, SHORT, SHORT], 'greenLed', 'redLed'),
  activated: beeps([SHORT, SHORT, LONG], 'greenLed'),
  'held-open-warning': [step(250, 'redLed', 'buzzer'), step(250)],
};

/** What the person at the reader is shown of a denial. */
export const feedbackOfDenial = (reason: DenialReason): Feedback => {
  switch (reason) {
    case 'lost':
    case 'stolen':
    case 'replaced':
      return 'retired-card';
    case 'pending':
    case 'not-yet-valid':
      return 'not-yet-active';
    case 'second-card-required':
      return reason;
    default:
      return 'denied';
  }
};
