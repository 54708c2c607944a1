// Runs in the virtual board: holds the doors of the contract with every strike unlocked, until it is killed.
// Arguments: backend, path of the safe-state file.

import assert from 'node:assert/strict';
import { createGpioDoorIo } from '../../../src/drivers/gpio/select-gpio-backend.ts';
import { CONTRACT_DOORS } from '../../contracts/door-io.doors.ts';

const [backend, safeStatePath] = process.argv.slice(2);
assert.ok(backend === 'gpiochip' || backend === 'rpi-gpio');
assert.ok(safeStatePath !== undefined);
const io = await createGpioDoorIo({ driver: backend, doors: CONTRACT_DOORS, safeStatePath });
await io.open({ onInput: () => {}, onFailure: assert.ifError });
for (const { door } of CONTRACT_DOORS) io.setStrike(door, 'unlocked');
console.log('unlocked');
setInterval(() => {}, 60_000);
