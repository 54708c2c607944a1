// What every implementation of SignalLines keeps; all of them are the outputs of a DoorIo. Run where its contract is run.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { LineLevel } from '../../src/drivers/gpio/strike-level.ts';
import { CardeaError, type ErrorCode } from '../../src/errors.ts';
import type { DoorIoHarness } from './door-io.contract.ts';
import { CONTRACT_OUTPUTS, FRONT } from './door-io.doors.ts';

/** Levels per output: [off, on]; written out, so that it does not lean on the code under test. */
const LEVELS: readonly (readonly [string, LineLevel, LineLevel])[] = [
  ['reset of reader front-in', 1, 0],
  ['buzzer of reader front-in', 0, 1],
];

const hasCode = (code: ErrorCode) => (error: unknown) => error instanceof CardeaError && error.code === code;

export const signalLinesContract = (name: string, makeHarness: () => Promise<DoorIoHarness>): void => {
  describe(`${name} keeps the SignalLines contract`, () => {
    let harness: DoorIoHarness;
    let io: DoorIoHarness['io'];
    const listener = { onInput: () => {}, onFailure: assert.ifError };
    const allAreOff = (): void => {
      for (const [output, off] of LEVELS) assert.equal(harness.outputLevel(output), off, output);
    };

    beforeEach(async () => {
      harness = await makeHarness();
      io = harness.io;
    });
    afterEach(async () => {
      await io.close();
      await harness.close();
    });

    it('is about all outputs', () => {
      assert.deepEqual(
        LEVELS.map(([output]) => output),
        CONTRACT_OUTPUTS.map((output) => output.name),
      );
    });

    it('begins with every output off', async () => {
      await io.open(listener);
      allAreOff();
    });

    it('has switched the output, and no other, when setOutput returns', async () => {
      await io.open(listener);
      for (const [output, off, on] of LEVELS) {
        io.setOutput(output, true);
        io.setOutput(output, true);
        assert.equal(harness.outputLevel(output), on, output);
        for (const [other, otherOff] of LEVELS) {
          if (other !== output) assert.equal(harness.outputLevel(other), otherOff, other);
        }
        assert.equal(harness.strikeLevel(FRONT), 0);
        io.setOutput(output, false);
        assert.equal(harness.outputLevel(output), off, output);
      }
    });

    it('refuses an output that is not configured', async () => {
      await io.open(listener);
      assert.throws(() => io.setOutput('siren', true), hasCode('unknown-line'));
    });

    it('has switched every output off when makeSafe returns, and keeps it so', async () => {
      await io.open(listener);
      for (const [output] of LEVELS) io.setOutput(output, true);
      io.makeSafe();
      allAreOff();
      for (const [output] of LEVELS) assert.throws(() => io.setOutput(output, true), hasCode('gpio-write-failed'));
      allAreOff();
    });

    it('leaves every output off on close, and takes no orders before open and after close', async () => {
      for (const [output] of LEVELS) assert.throws(() => io.setOutput(output, true), hasCode('gpio-write-failed'));
      await io.open(listener);
      for (const [output] of LEVELS) io.setOutput(output, true);
      await io.close();
      allAreOff();
      for (const [output] of LEVELS) assert.throws(() => io.setOutput(output, true), hasCode('gpio-write-failed'));
    });
  });
};
