// The desk on a disk that fills up: a change that cannot be kept is not begun, the desk ends and says why, and goes on with what it had
// when there is room again.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { test } from 'node:test';
import { DeskService } from '../fixtures/desk-service.ts';
import { freePort } from '../fixtures/server-process.ts';
import { SmallDisk } from '../fixtures/small-disk.ts';

const LONG = 'x'.repeat(190);

test('a write that fails ends the desk with exit code 1, and nothing that it has answered is lost', async (t) => {
  const disk = new SmallDisk(t, 'size=24m');
  const ports = { port: await freePort(), httpPort: await freePort() };
  const desk = new DeskService(t, { folder: disk.folder, ...ports });
  const ended = once(await desk.start(), 'exit');
  const { clerk } = await desk.staff('clerk');
  await clerk.post('/v1/employees', { id: 'E1', name: 'One' });
  disk.fill();
  const kept = ['E1'];
  let status = 201;
  for (let index = 2; status === 201 && index < 20_000; index++) {
    const body = { id: `E${index}`, name: LONG, department: LONG };
    const answer = await clerk.request('POST', '/v1/employees', { body }).catch(() => ({ status: 0 }));
    status = answer.status;
    if (status === 201) kept.push(`E${index}`);
  }
  const [code] = await ended;
  assert.equal(code, 1);
  assert.match(desk.output, /cardea: the desk stopped: the desk's records could not be written: .*No space left/);
  disk.clear();
  await desk.start();
  const { employees } = await clerk.status();
  // The one whose write had failed may be there: nobody was told that it is not.
  assert.ok(employees === kept.length || employees === kept.length + 1, `${employees} of ${kept.length}`);
  await clerk.get(`/v1/employees/${kept.at(-1)}`);
  await clerk.post('/v1/employees', { id: 'E99999', name: 'Goes on' });
});
