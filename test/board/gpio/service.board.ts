// Runs in the virtual board under systemd, in the gateway's place: unlocks the doors of the contract on real lines, opens the
// reader's bus, tells systemd that it is ready, and feeds the watchdog until SIGUSR1.

import assert from 'node:assert/strict';
import { closeSync, openSync, writeFileSync } from 'node:fs';
import { loadSynchronizationProbes } from '../../../src/drivers/clock/synchronization-probes.ts';
import { safeStatePath } from '../../../src/drivers/gpio/safe-state-file.ts';
import { createGpioDoorIo } from '../../../src/drivers/gpio/select-gpio-backend.ts';
import { createNotifier } from '../../../src/drivers/systemd/systemd-notifier.ts';
import { CONTRACT_DOORS } from '../../contracts/door-io.doors.ts';

const path = safeStatePath(process.env);
assert.ok(path !== undefined);
closeSync(openSync('/dev/spidev0.0', 'r+'));
writeFileSync('started', new Date().toISOString());
const io = await createGpioDoorIo({ driver: 'auto', doors: CONTRACT_DOORS, safeStatePath: path });
await io.open({ onInput: () => {}, onFailure: assert.ifError });
for (const { door } of CONTRACT_DOORS) io.setStrike(door, 'unlocked');
const notifier = await createNotifier();
assert.ok(notifier.watchdogInterval !== undefined);
let isHealthy = true;
setInterval(() => isHealthy && notifier.alive(), notifier.watchdogInterval / 3);
process.on('SIGUSR1', () => {
  isHealthy = false;
});
process.on('SIGTERM', async () => {
  notifier.stopping();
  await io.close();
  process.exit(0);
});
// Enough turns for V8 to compile: the sandbox must let it.
let sum = 0;
for (let turn = 0; turn < 1e7; turn++) sum += turn % 7;
const synchronized = (await loadSynchronizationProbes()).map((probe) => probe());
notifier.ready(`unlocked ${sum} ${JSON.stringify(synchronized)}`);
