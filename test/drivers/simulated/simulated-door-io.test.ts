import assert from 'node:assert/strict';
import { it } from 'node:test';
import { strikeLevel } from '../../../src/drivers/gpio/strike-level.ts';
import { SimulatedDoorIo } from '../../../src/drivers/simulated/simulated-door-io.ts';
import { CardeaError } from '../../../src/errors.ts';
import { doorIoContract } from '../../contracts/door-io.contract.ts';
import { CONTRACT_DOORS } from '../../contracts/door-io.doors.ts';

doorIoContract('SimulatedDoorIo', async () => {
  const io = new SimulatedDoorIo({ doors: CONTRACT_DOORS });
  return {
    io,
    setInput: (door, kind, active) => io.setLine(door, kind, active),
    strikeLevel: (door) => {
      const wiring = CONTRACT_DOORS.find((candidate) => candidate.door === door);
      return wiring === undefined ? undefined : strikeLevel(wiring.strike, io.strike(door));
    },
    until: async (condition) => assert.ok(condition()),
    settle: async () => {},
    close: async () => {},
  };
});

it('a simulated door starts closed with its button not pressed', () => {
  const io = new SimulatedDoorIo({ doors: CONTRACT_DOORS });
  const [front] = CONTRACT_DOORS;
  assert.ok(front !== undefined);
  assert.equal(io.position(front.door), 'closed');
  assert.equal(io.isExitPressed(front.door), false);
});

it('setting a line that a door does not have is refused by name', () => {
  const io = new SimulatedDoorIo({ doors: CONTRACT_DOORS });
  const [, back, gate] = CONTRACT_DOORS;
  assert.ok(back !== undefined && gate !== undefined);
  const isUnknownLine = (error: unknown): boolean => error instanceof CardeaError && error.code === 'unknown-line';
  assert.throws(() => io.setLine(back.door, 'exit-button', true), isUnknownLine);
  assert.throws(() => io.setLine(gate.door, 'contact', true), isUnknownLine);
});
