// What every DoorIo keeps, whatever it drives: run on the fake, on the simulated driver and, on the virtual board, on the real ones.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import type { DoorId } from '../../src/domain/ids.ts';
import type { LineLevel } from '../../src/drivers/gpio/strike-level.ts';
import { CardeaError } from '../../src/errors.ts';
import type { DoorInput, DoorIo } from '../../src/ports/door-io.ts';
import type { SignalLines } from '../../src/ports/signal-lines.ts';
import { BACK, FRONT, GATE, NOWHERE } from './door-io.doors.ts';

export interface DoorIoHarness {
  /** Of CONTRACT_DOORS and CONTRACT_OUTPUTS. */
  readonly io: DoorIo & SignalLines;
  /** What the world does to an input; contact active means closed, exit button pressed, tamper tampered with. Also before open. */
  setInput(door: DoorId, kind: DoorInput['kind'], active: boolean): void;
  /** The level on the strike's line. */
  strikeLevel(door: DoorId): LineLevel | undefined;
  /** The level on the line of one of CONTRACT_OUTPUTS. */
  outputLevel(name: string): LineLevel | undefined;
  /** Resolves when the condition holds; rejects when it does not come true. Drivers without delay need not wait. */
  until(condition: () => boolean): Promise<void>;
  /** Resolves when every input set so far has been reported, if it is going to be. */
  settle(): Promise<void>;
  /** Frees what the harness holds; `io` is closed already. */
  close(): Promise<void>;
}

/** Level per door: [locked, unlocked, safe]; written out, so that it does not lean on the code under test. */
const LEVELS: readonly (readonly [DoorId, LineLevel, LineLevel, LineLevel])[] = [
  [FRONT, 0, 1, 0],
  [BACK, 1, 0, 1],
  [GATE, 0, 1, 1],
];

const stateOf = (io: DoorIo, door: DoorId, kind: DoorInput['kind']): string | boolean | undefined => {
  switch (kind) {
    case 'contact':
      return io.position(door);
    case 'exit-button':
      return io.isExitPressed(door);
    case 'tamper':
      return io.isTampered(door);
  }
};

export const doorIoContract = (name: string, makeHarness: () => Promise<DoorIoHarness>): void => {
  describe(`${name} keeps the DoorIo contract`, () => {
    let harness: DoorIoHarness;
    let io: DoorIo;
    let inputs: (readonly [DoorId, DoorInput])[];
    let failures: Error[];
    const listener = {
      onInput: (door: DoorId, input: DoorInput) => void inputs.push([door, input]),
      onFailure: (error: Error) => void failures.push(error),
    };

    beforeEach(async () => {
      inputs = [];
      failures = [];
      harness = await makeHarness();
      io = harness.io;
      harness.setInput(FRONT, 'contact', true);
      harness.setInput(FRONT, 'exit-button', false);
      harness.setInput(BACK, 'contact', true);
      harness.setInput(BACK, 'tamper', false);
    });
    afterEach(async () => {
      await io.close();
      await harness.close();
    });

    it('claims every strike at the level that means locked', async () => {
      await io.open(listener);
      for (const [door, locked] of LEVELS) {
        assert.equal(harness.strikeLevel(door), locked, door);
        assert.equal(io.strike(door), 'locked', door);
      }
    });

    it('has driven the line when setStrike returns', async () => {
      await io.open(listener);
      for (const [door, locked, unlocked] of LEVELS) {
        io.setStrike(door, 'unlocked');
        assert.equal(harness.strikeLevel(door), unlocked, door);
        assert.equal(io.strike(door), 'unlocked', door);
        io.setStrike(door, 'locked');
        assert.equal(harness.strikeLevel(door), locked, door);
        assert.equal(io.strike(door), 'locked', door);
      }
    });

    it('drives one strike without touching the others', async () => {
      await io.open(listener);
      io.setStrike(FRONT, 'unlocked');
      assert.equal(harness.strikeLevel(BACK), 1);
      assert.equal(harness.strikeLevel(GATE), 0);
      assert.equal(io.strike(BACK), 'locked');
    });

    it('knows the state of the inputs after open without reporting it as a change', async () => {
      harness.setInput(FRONT, 'contact', false);
      harness.setInput(FRONT, 'exit-button', true);
      harness.setInput(BACK, 'tamper', true);
      await io.open(listener);
      assert.equal(io.isTampered(BACK), true);
      assert.equal(io.position(FRONT), 'open');
      assert.equal(io.position(BACK), 'closed');
      assert.equal(io.isExitPressed(FRONT), true);
      await harness.settle();
      assert.deepEqual(inputs, []);
    });

    it('has no position, no pressed button and no tampering where a door has no such input, nor where there is no door', async () => {
      await io.open(listener);
      assert.equal(io.position(GATE), undefined);
      assert.equal(io.isExitPressed(GATE), false);
      assert.equal(io.isExitPressed(BACK), false);
      assert.equal(io.position(NOWHERE), undefined);
      assert.equal(io.isExitPressed(NOWHERE), false);
      assert.equal(io.isTampered(FRONT), false);
      assert.equal(io.isTampered(NOWHERE), false);
    });

    it('reports every change once, in order, and answers with the new state', async () => {
      await io.open(listener);
      const seen: (string | boolean | undefined)[] = [];
      const change = async (door: DoorId, kind: DoorInput['kind'], active: boolean): Promise<void> => {
        const count = inputs.length + 1;
        harness.setInput(door, kind, active);
        await harness.until(() => inputs.length >= count);
        seen.push(stateOf(io, door, kind));
      };
      await change(FRONT, 'exit-button', true);
      await change(FRONT, 'contact', false);
      await change(BACK, 'contact', false);
      await change(FRONT, 'exit-button', false);
      await change(FRONT, 'contact', true);
      await change(BACK, 'tamper', true);
      await change(BACK, 'tamper', false);
      await harness.settle();
      assert.deepEqual(inputs, [
        [FRONT, { kind: 'exit-button', pressed: true }],
        [FRONT, { kind: 'contact', position: 'open' }],
        [BACK, { kind: 'contact', position: 'open' }],
        [FRONT, { kind: 'exit-button', pressed: false }],
        [FRONT, { kind: 'contact', position: 'closed' }],
        [BACK, { kind: 'tamper', active: true }],
        [BACK, { kind: 'tamper', active: false }],
      ]);
      assert.deepEqual(seen, [true, 'open', 'open', false, 'closed', true, false]);
      assert.deepEqual(failures, []);
    });

    it('reports nothing when an input is set to what it is', async () => {
      await io.open(listener);
      harness.setInput(FRONT, 'contact', true);
      harness.setInput(FRONT, 'exit-button', false);
      await harness.settle();
      assert.deepEqual(inputs, []);
    });

    it('refuses to drive a door that is not here', async () => {
      await io.open(listener);
      assert.throws(
        () => io.setStrike(NOWHERE, 'unlocked'),
        (error) => error instanceof CardeaError && error.code === 'unknown-door',
      );
    });

    it('leaves every strike without power on close, whatever it was', async () => {
      await io.open(listener);
      for (const [door] of LEVELS) io.setStrike(door, 'unlocked');
      await io.close();
      for (const [door, , , safe] of LEVELS) assert.equal(harness.strikeLevel(door), safe, door);
    });

    it('leaves a locked fail-safe strike without power on close', async () => {
      await io.open(listener);
      await io.close();
      assert.equal(harness.strikeLevel(GATE), 1);
    });

    it('has taken every strike off power when makeSafe returns, and keeps it so', async () => {
      await io.open(listener);
      for (const [door] of LEVELS) io.setStrike(door, 'unlocked');
      io.makeSafe();
      io.makeSafe();
      for (const [door, locked, , safe] of LEVELS) {
        assert.equal(harness.strikeLevel(door), safe, door);
        assert.equal(io.strike(door), safe === locked ? 'locked' : 'unlocked', door);
        assert.throws(
          () => io.setStrike(door, 'unlocked'),
          (error) => error instanceof CardeaError && error.code === 'gpio-write-failed',
        );
        assert.throws(() => io.setStrike(door, 'locked'), CardeaError);
        assert.equal(harness.strikeLevel(door), safe, door);
      }
      await io.close();
      io.makeSafe();
      for (const [door, , , safe] of LEVELS) assert.equal(harness.strikeLevel(door), safe, door);
      assert.deepEqual(failures, []);
    });

    it('may be made safe without ever having been opened, and be opened afterwards', async () => {
      io.makeSafe();
      await io.open(listener);
      io.setStrike(FRONT, 'unlocked');
      assert.equal(harness.strikeLevel(FRONT), 1);
      io.makeSafe();
      await io.close();
      await io.open(listener);
      io.setStrike(FRONT, 'unlocked');
      assert.equal(io.strike(FRONT), 'unlocked');
      assert.equal(harness.strikeLevel(FRONT), 1);
    });

    it('energizes nothing when it is made safe while it is being opened', async () => {
      const opening = io.open(listener);
      io.makeSafe();
      await opening.catch((error: unknown) => assert.ok(error instanceof CardeaError));
      assert.throws(() => io.setStrike(FRONT, 'unlocked'), CardeaError);
      assert.notEqual(harness.strikeLevel(FRONT), 1);
    });

    it('reports nothing and drives nothing once closed', async () => {
      await io.open(listener);
      await io.close();
      await io.close();
      harness.setInput(FRONT, 'contact', false);
      await harness.settle();
      assert.deepEqual(inputs, []);
      assert.throws(
        () => io.setStrike(FRONT, 'unlocked'),
        (error) => error instanceof CardeaError && error.code === 'gpio-write-failed',
      );
      assert.equal(harness.strikeLevel(FRONT), 0);
      assert.deepEqual(failures, []);
    });

    it('may be closed without ever having been opened', async () => {
      await io.close();
      assert.deepEqual(failures, []);
    });

    it('can be opened again and then sees what changed in between', async () => {
      await io.open(listener);
      io.setStrike(FRONT, 'unlocked');
      await io.close();
      harness.setInput(FRONT, 'contact', false);
      await io.open(listener);
      assert.equal(io.strike(FRONT), 'locked');
      assert.equal(io.position(FRONT), 'open');
      harness.setInput(FRONT, 'contact', true);
      await harness.until(() => inputs.length > 0);
      assert.deepEqual(inputs, [[FRONT, { kind: 'contact', position: 'closed' }]]);
    });
  });
};
