// The doors that the DoorIo contract is about.

import assert from 'node:assert/strict';
import { type DoorId, parseDoorId } from '../../src/domain/ids.ts';
import type { DoorWiring } from '../../src/ports/door-io.ts';

const doorId = (text: string): DoorId => {
  const id = parseDoorId(text);
  assert.ok(id !== undefined);
  return id;
};

export const FRONT = doorId('front');
export const BACK = doorId('back');
export const GATE = doorId('gate');
export const NOWHERE = doorId('nowhere');

/** Both fail modes and polarities; a door with both inputs, one with one, one with none. */
export const CONTRACT_DOORS: readonly DoorWiring[] = [
  {
    door: FRONT,
    strike: { line: 17, activeLow: false, failMode: 'secure' },
    contact: { line: 27, activeLow: true },
    exitButton: { line: 22, activeLow: true },
  },
  { door: BACK, strike: { line: 23, activeLow: true, failMode: 'secure' }, contact: { line: 24, activeLow: false } },
  { door: GATE, strike: { line: 25, activeLow: true, failMode: 'safe' } },
];
