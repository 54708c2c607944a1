import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pulseOutput } from '../../../src/drivers/gpio/door-lines.ts';
import { CardeaError } from '../../../src/errors.ts';

/** Outputs of which the calls with these numbers fail. */
const outputs = (...failing: readonly number[]) => {
  const calls: boolean[] = [];
  let level = false;
  return {
    calls,
    level: () => level,
    setOutput: (_name: string, active: boolean): void => {
      calls.push(active);
      if (failing.includes(calls.length)) throw new CardeaError('gpio-write-failed', `call ${calls.length}`);
      level = active;
    },
  };
};

describe('a pulse on an output', () => {
  it('is active, then inactive', () => {
    const io = outputs();
    pulseOutput(io, 'reset');
    assert.deepEqual(io.calls, [true, false]);
  });

  it('ends inactive when the first attempt to end it fails', () => {
    const io = outputs(2);
    pulseOutput(io, 'reset');
    assert.deepEqual(io.calls, [true, false, false]);
    assert.equal(io.level(), false);
  });

  it('ends inactive when its beginning was reported as failed, and says so', () => {
    const io = outputs(1);
    assert.throws(() => pulseOutput(io, 'reset'), /call 1/);
    assert.deepEqual(io.calls, [true, false]);
  });

  it('says that the output stayed active when both attempts to end it fail', () => {
    assert.throws(() => pulseOutput(outputs(2, 3), 'reset'), /call 3/);
  });
});
