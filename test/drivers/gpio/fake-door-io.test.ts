// The fake that the rest of the tests trust keeps the contract that the real drivers keep.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CardeaError } from '../../../src/errors.ts';
import { type DoorIoHarness, doorIoContract } from '../../contracts/door-io.contract.ts';
import { CONTRACT_DOORS, CONTRACT_OUTPUTS } from '../../contracts/door-io.doors.ts';
import { signalLinesContract } from '../../contracts/signal-lines.contract.ts';
import { FakeDoorIo } from '../../fakes/fake-door-io.ts';

const makeHarness = async (): Promise<DoorIoHarness> => {
  const io = new FakeDoorIo(CONTRACT_DOORS, CONTRACT_OUTPUTS);
  return {
    io,
    setInput: (door, kind, active) => io.setInput(door, kind, active),
    strikeLevel: (door) => io.strikeLevel(door),
    outputLevel: (name) => io.outputLevel(name),
    until: async (condition) => assert.ok(condition()),
    settle: async () => {},
    close: async () => {},
  };
};

doorIoContract('FakeDoorIo', makeHarness);
signalLinesContract('FakeDoorIo', makeHarness);

it('the fake throws what it is told to throw, and then does not move the strike', async () => {
  const io = new FakeDoorIo(CONTRACT_DOORS);
  const [front] = CONTRACT_DOORS;
  assert.ok(front !== undefined);
  await io.open({ onInput: () => {}, onFailure: () => {} });
  io.writeFailure = new CardeaError('gpio-write-failed', 'the relay board is gone');
  assert.throws(() => io.setStrike(front.door, 'unlocked'), io.writeFailure);
  assert.equal(io.strikeLevel(front.door), 0);
  assert.deepEqual(io.strikeCalls, []);
});
