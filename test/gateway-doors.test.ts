// How the readers of a gateway end.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stopReaders } from '../src/gateway-doors.ts';

test('readers are stopped together, and what one has still to tell is recorded once it has stopped', async () => {
  const steps: string[] = [];
  const release: (() => void)[] = [];
  const readers = ['in', 'out'].map((id) => ({
    driver: {
      stop: () => {
        steps.push(`${id} stops`);
        return new Promise<void>((resolve) => release.push(resolve));
      },
    },
    handler: { stop: () => void steps.push(`${id} told`) },
  }));
  const stopped = stopReaders(readers);
  assert.deepEqual(steps, ['in stops', 'out stops']);
  for (const resolve of release) resolve();
  await stopped;
  assert.deepEqual(steps, ['in stops', 'out stops', 'in told', 'out told']);
});
