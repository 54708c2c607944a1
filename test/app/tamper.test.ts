import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FRONT, makeDoorBench, settle } from './door-bench.ts';

test('tampering is an event and an alarm until it is over, and status hears of both', async () => {
  const bench = await makeDoorBench();
  const changes = bench.changes();
  bench.io.setInput(FRONT, 'tamper', true);
  assert.deepEqual(bench.controller.view().alarms, ['tamper']);
  assert.equal(bench.changes(), changes + 1);
  bench.io.setInput(FRONT, 'tamper', false);
  assert.deepEqual(bench.controller.view().alarms, []);
  assert.equal(bench.changes(), changes + 2);
  const told = (await bench.events()).map(({ event, door, detail }) => ({ event, door, detail }));
  assert.deepEqual(told, [
    { event: 'tamper', door: FRONT, detail: { active: true } },
    { event: 'tamper', door: FRONT, detail: { active: false } },
  ]);
});

test('tampering neither opens nor locks the door', async () => {
  const bench = await makeDoorBench();
  bench.controller.releaseByOperator();
  bench.io.setInput(FRONT, 'tamper', true);
  assert.equal(bench.strike(), 'unlocked');
  assert.deepEqual(bench.strikes(), ['unlocked']);
});

test('a door that is found tampered with at start is an event and an alarm too', async () => {
  const bench = await makeDoorBench();
  bench.controller.stop();
  bench.io.setInput(FRONT, 'tamper', true);
  await settle();
  assert.deepEqual(await bench.eventNames(), [], 'a stopped controller tells nothing');
  const restarted = bench.makeController('normal');
  assert.deepEqual(restarted.view().alarms, ['tamper']);
  assert.deepEqual(await bench.eventNames(), ['tamper']);
});
