// The fake that the rest of the tests trust keeps the contract that the real drivers keep.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { CardeaError } from '../../../src/errors.ts';
import { doorIoContract } from '../../contracts/door-io.contract.ts';
import { CONTRACT_DOORS } from '../../contracts/door-io.doors.ts';
import { FakeDoorIo } from '../../fakes/fake-door-io.ts';

doorIoContract('FakeDoorIo', async () => {
  const io = new FakeDoorIo(CONTRACT_DOORS);
  return {
    io,
    setInput: (door, kind, active) => io.setInput(door, kind, active),
    strikeLevel: (door) => io.strikeLevel(door),
    until: async (condition) => assert.ok(condition()),
    settle: async () => {},
    close: async () => {},
  };
});

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
