import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DenialReason } from '../../src/domain/access-event.ts';
import {
  FEEDBACK_PATTERNS,
  type Feedback,
  type FeedbackStep,
  feedbackOfDenial,
  type Signal,
} from '../../src/domain/feedback.ts';

const PATTERNS = Object.entries(FEEDBACK_PATTERNS);

/** Lengths of time of equal state, silence at the end left out: what is heard of the buzzer, or seen of the LEDs. */
const perceived = (steps: readonly FeedbackStep[], senses: readonly Signal[]): string => {
  const states: { what: string; lasts: number }[] = [];
  for (const { signals, lasts } of steps) {
    const what = signals.filter((signal) => senses.includes(signal)).join('+') || '-';
    const last = states.at(-1);
    if (last?.what === what) last.lasts += lasts;
    else states.push({ what, lasts });
  }
  if (states.at(-1)?.what === '-') states.pop();
  return states.map(({ what, lasts }) => `${what} ${lasts}`).join(', ');
};

const areDistinct = (senses: readonly Signal[], label: string): void => {
  const seen = new Map<string, string>();
  for (const [feedback, steps] of PATTERNS) {
    const impression = perceived(steps, senses);
    assert.notEqual(impression, '', `${feedback} ${label}`);
    assert.equal(seen.get(impression), undefined, `${feedback} ${label}`);
    seen.set(impression, feedback);
  }
};

describe('feedback patterns', () => {
  it('differ by ear alone', () => areDistinct(['buzzer'], 'by ear'));

  it('differ by eye alone', () => areDistinct(['greenLed', 'redLed'], 'by eye'));

  it('are short: nobody waits for a reader, and what is heard is over within two and a half seconds', () => {
    for (const [feedback, steps] of PATTERNS) {
      const lasts = steps.reduce((sum, step) => sum + step.lasts, 0);
      assert.ok(lasts > 0 && lasts <= 2500, `${feedback} lasts ${lasts} ms`);
    }
  });

  it('show green alone for what HR allows only', () => {
    const green = PATTERNS.filter(([, steps]) => steps.every(({ signals }) => !signals.includes('redLed')));
    assert.deepEqual(
      green.map(([feedback]) => feedback),
      ['granted', 'second-card-required', 'activated'],
    );
  });

  const denials: Readonly<Record<Feedback, readonly DenialReason[]>> = {
    granted: [],
    denied: ['unknown-card', 'revoked', 'suspended', 'left', 'expired', 'door-not-permitted', 'outside-schedule'],
    'retired-card': ['lost', 'stolen', 'replaced'],
    'not-yet-active': ['pending', 'not-yet-valid'],
    'second-card-required': ['second-card-required'],
    presented: [],
    activated: [],
    'held-open-warning': [],
  };
  const others: readonly DenialReason[] = [
    ...(['door-blocked', 'lockdown', 'passback', 'random-uid', 'ambiguous-read'] as const),
    ...(['clock-untrusted', 'roster-stale', 'store-failure'] as const),
  ];
  for (const reason of others) {
    it(`shows ${reason} as denied`, () => assert.equal(feedbackOfDenial(reason), 'denied'));
  }
  for (const [feedback, reasons] of Object.entries(denials)) {
    for (const reason of reasons) {
      it(`shows ${reason} as ${feedback}`, () => assert.equal(feedbackOfDenial(reason), feedback));
    }
  }
});
