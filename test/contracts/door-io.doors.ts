// The doors and outputs that the contracts of DoorIo and SignalLines are about.

import assert from 'node:assert/strict';
import { type DoorId, parseDoorId } from '../../src/domain/ids.ts';
import type { DoorInput, DoorWiring } from '../../src/ports/door-io.ts';
import type { SignalLine } from '../../src/ports/signal-lines.ts';

const doorId = (text: string): DoorId => {
  const id = parseDoorId(text);
  assert.ok(id !== undefined);
  return id;
};

export const FRONT = doorId('front');
export const BACK = doorId('back');
export const GATE = doorId('gate');
export const NOWHERE = doorId('nowhere');

/** Both fail modes and polarities; doors with some inputs and one with none. */
export const CONTRACT_DOORS: readonly DoorWiring[] = [
  {
    door: FRONT,
    strike: { line: 17, activeLow: false, failMode: 'secure' },
    contact: { line: 27, activeLow: true },
    exitButton: { line: 22, activeLow: true },
  },
  {
    door: BACK,
    strike: { line: 23, activeLow: true, failMode: 'secure' },
    contact: { line: 24, activeLow: false },
    tamper: { line: 26, activeLow: false },
  },
  { door: GATE, strike: { line: 25, activeLow: true, failMode: 'safe' } },
];

/** Both polarities. */
export const CONTRACT_OUTPUTS: readonly SignalLine[] = [
  { name: 'reset of reader front-in', line: 5, activeLow: true },
  { name: 'buzzer of reader front-in', line: 6, activeLow: false },
];

export const wiringOf = (door: DoorId): DoorWiring => {
  const wiring = CONTRACT_DOORS.find((candidate) => candidate.door === door);
  assert.ok(wiring !== undefined);
  return wiring;
};

export const inputOf = (door: DoorId, kind: DoorInput['kind']) => {
  const input = wiringOf(door)[kind === 'exit-button' ? 'exitButton' : kind];
  assert.ok(input !== undefined);
  return input;
};

/** The BCM number of an output. */
export const lineOf = (name: string): number => {
  const output = CONTRACT_OUTPUTS.find((candidate) => candidate.name === name);
  assert.ok(output !== undefined);
  return output.line;
};
