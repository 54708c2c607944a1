import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TapOutcome } from '../../src/app/handle-tap.ts';
import { ReaderFeedback } from '../../src/app/reader-feedback.ts';
import { FEEDBACK_PATTERNS, type Feedback, SIGNALS, type Signal } from '../../src/domain/feedback.ts';
import { CardeaError } from '../../src/errors.ts';
import type { SignalLine } from '../../src/ports/signal-lines.ts';
import { bindingOf, cardNumber, doorId, readerId } from '../domain/samples.ts';
import { FakeDoorIo } from '../fakes/fake-door-io.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';

const CARD = cardNumber('DEADBEEF');
const DENIED: TapOutcome = { kind: 'denied', card: CARD, reason: 'unknown-card' };
const GRANTED: TapOutcome = { kind: 'granted', card: CARD, binding: bindingOf(), door: doorId('front') };

const makeFeedback = async (has: readonly Signal[] = SIGNALS) => {
  const clock = new VirtualClock();
  const log = new RecordingLog();
  const outputs: readonly SignalLine[] = has.map((name, line) => ({ name, line, activeLow: false }));
  const lines = new FakeDoorIo([], outputs);
  await lines.open({ onInput: () => {}, onFailure: assert.ifError });
  const signals = new Map(has.map((signal) => [signal, signal]));
  const feedback = new ReaderFeedback({ reader: readerId('front-in'), signals, lines, clock, log });
  const lit = (): readonly Signal[] => has.filter((signal) => lines.outputLevel(signal) === 1);
  return { clock, log, lines, feedback, lit };
};

type Bench = Awaited<ReturnType<typeof makeFeedback>>;

/** Follows the clock through one whole pattern, looking at the lines in the middle of each step. */
const isPlayed = ({ clock, lit }: Bench, feedback: Feedback): void => {
  for (const { signals, lasts } of FEEDBACK_PATTERNS[feedback]) {
    clock.advance(lasts / 2);
    assert.deepEqual([...lit()].sort(), [...signals].sort(), feedback);
    clock.advance(lasts / 2);
  }
};

describe('feedback at a reader', () => {
  const outcomes: readonly (readonly [Feedback, TapOutcome])[] = [
    ['granted', GRANTED],
    ['denied', DENIED],
    ['retired-card', { kind: 'denied', card: CARD, reason: 'lost' }],
    ['not-yet-active', { kind: 'denied', card: CARD, reason: 'pending' }],
    ['second-card-required', { kind: 'denied', card: CARD, reason: 'second-card-required' }],
    ['presented', { kind: 'presented', card: CARD }],
    ['activated', { kind: 'activated', card: CARD }],
  ];
  for (const [feedback, outcome] of outcomes) {
    it(`plays ${feedback} step by step and ends with everything off`, async () => {
      const bench = await makeFeedback();
      bench.feedback.onOutcome(outcome);
      isPlayed(bench, feedback);
      assert.deepEqual(bench.lit(), []);
      assert.equal(bench.clock.pendingTimers, 0);
    });
  }

  it('drops what it plays for the outcome of the next tap', async () => {
    const bench = await makeFeedback();
    bench.feedback.onOutcome(GRANTED);
    bench.clock.advance(50);
    bench.feedback.onOutcome(DENIED);
    isPlayed(bench, 'denied');
    assert.deepEqual(bench.lit(), []);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('plays the same outcome from its beginning for the next tap', async () => {
    const bench = await makeFeedback();
    bench.feedback.onOutcome(DENIED);
    bench.clock.advance(700);
    bench.feedback.onOutcome(DENIED);
    isPlayed(bench, 'denied');
  });

  it('warns again and again until the warning is over, and then is silent at once', async () => {
    const bench = await makeFeedback();
    bench.feedback.onWarning(true);
    for (let round = 0; round < 5; round++) isPlayed(bench, 'held-open-warning');
    bench.clock.advance(10);
    bench.feedback.onWarning(false);
    assert.deepEqual(bench.lit(), []);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('lets a tap speak in the middle of a warning, and goes on warning afterwards', async () => {
    const bench = await makeFeedback();
    bench.feedback.onWarning(true);
    bench.clock.advance(100);
    bench.feedback.onOutcome(DENIED);
    isPlayed(bench, 'denied');
    isPlayed(bench, 'held-open-warning');
    bench.feedback.onWarning(false);
  });

  it('begins to warn when the pattern of a tap is over, unless the warning is over first', async () => {
    const bench = await makeFeedback();
    bench.feedback.onOutcome(DENIED);
    bench.feedback.onWarning(true);
    isPlayed(bench, 'denied');
    isPlayed(bench, 'held-open-warning');
    bench.feedback.onOutcome(DENIED);
    bench.feedback.onWarning(false);
    isPlayed(bench, 'denied');
    assert.deepEqual(bench.lit(), []);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('uses the signals that there are and leaves the rest alone', async () => {
    const bench = await makeFeedback(['buzzer']);
    bench.feedback.onOutcome(GRANTED);
    assert.deepEqual(bench.lit(), ['buzzer']);
    bench.clock.advance(5000);
    assert.deepEqual(bench.lines.outputCalls, [
      { name: 'buzzer', active: true },
      { name: 'buzzer', active: false },
    ]);
  });

  it('does nothing at a reader without signals', async () => {
    const bench = await makeFeedback([]);
    bench.feedback.onOutcome(GRANTED);
    bench.feedback.onWarning(true);
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('logs a line that fails once, throws nothing, and switches the others', async () => {
    const bench = await makeFeedback();
    const setOutput = bench.lines.setOutput.bind(bench.lines);
    bench.lines.setOutput = (name, active) => {
      if (name === 'redLed') throw new CardeaError('gpio-write-failed', 'the LED board is gone');
      setOutput(name, active);
    };
    for (let tap = 0; tap < 3; tap++) {
      bench.feedback.onOutcome(DENIED);
      assert.deepEqual(bench.lit(), ['buzzer']);
      bench.clock.advance(5000);
    }
    assert.deepEqual(
      bench.log.at('error').map(({ fields }) => fields['signal']),
      ['redLed'],
    );
    assert.equal(bench.clock.pendingTimers, 0);
  });

  it('goes on trying to switch off what it could not', async () => {
    const bench = await makeFeedback();
    bench.feedback.onOutcome(GRANTED);
    bench.lines.writeFailure = new CardeaError('gpio-write-failed', 'busy');
    bench.clock.advance(5000);
    assert.notDeepEqual(bench.lit(), []);
    bench.lines.writeFailure = undefined;
    bench.feedback.onOutcome({ kind: 'denied', card: CARD, reason: 'lost' });
    assert.deepEqual(bench.lit(), ['redLed', 'buzzer']);
  });

  it('is off for good once stopped', async () => {
    const bench = await makeFeedback();
    bench.feedback.onWarning(true);
    bench.feedback.stop();
    assert.deepEqual(bench.lit(), []);
    bench.feedback.onWarning(false);
    bench.feedback.onWarning(true);
    bench.feedback.onOutcome(GRANTED);
    assert.deepEqual(bench.lit(), []);
    assert.equal(bench.clock.pendingTimers, 0);
    assert.deepEqual(bench.log.at('error'), []);
  });
});
