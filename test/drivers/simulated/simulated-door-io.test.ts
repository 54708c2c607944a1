import assert from 'node:assert/strict';
import { it } from 'node:test';
import { levelOf, strikeLevel } from '../../../src/drivers/gpio/strike-level.ts';
import { SimulatedDoorIo } from '../../../src/drivers/simulated/simulated-door-io.ts';
import { CardeaError } from '../../../src/errors.ts';
import { type DoorIoHarness, doorIoContract } from '../../contracts/door-io.contract.ts';
import { CONTRACT_DOORS, CONTRACT_OUTPUTS, wiringOf } from '../../contracts/door-io.doors.ts';
import { signalLinesContract } from '../../contracts/signal-lines.contract.ts';

const makeHarness = async (): Promise<DoorIoHarness> => {
  const io = new SimulatedDoorIo({ doors: CONTRACT_DOORS, outputs: CONTRACT_OUTPUTS });
  return {
    io,
    setInput: (door, kind, active) => io.setLine(door, kind, active),
    strikeLevel: (door) => strikeLevel(wiringOf(door).strike, io.strike(door)),
    outputLevel: (name) => {
      const output = CONTRACT_OUTPUTS.find((candidate) => candidate.name === name);
      return output && levelOf(output, io.output(name) === true);
    },
    until: async (condition) => assert.ok(condition()),
    settle: async () => {},
    close: async () => {},
  };
};

doorIoContract('SimulatedDoorIo', makeHarness);
signalLinesContract('SimulatedDoorIo', makeHarness);

it('keeps the last hundred changes of outputs, for testers', async () => {
  const io = new SimulatedDoorIo({ doors: CONTRACT_DOORS, outputs: CONTRACT_OUTPUTS });
  const [{ name } = assert.fail()] = CONTRACT_OUTPUTS;
  await io.open({ onInput: () => {}, onFailure: assert.ifError });
  io.setOutput(name, true);
  io.setOutput(name, true);
  assert.deepEqual(io.outputChanges, [{ name, active: true }]);
  for (let change = 0; change < 200; change++) io.setOutput(name, change % 2 === 1);
  assert.equal(io.outputChanges.length, 100);
  assert.deepEqual(io.outputChanges.at(-1), { name, active: true });
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
  assert.throws(() => io.setLine(gate.door, 'tamper', true), isUnknownLine);
});
