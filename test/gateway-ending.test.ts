// How a gateway ends: every part is closed, last opened first, and what could not be closed is named.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ClosingStack } from '../src/gateway-ending.ts';
import { RecordingLog } from './fixtures/recording-log.ts';

test('a part that cannot be closed is named in a field that the log does not hide, and the rest is closed', async () => {
  const log = new RecordingLog();
  const closing = new ClosingStack(log);
  const closed: string[] = [];
  closing.add('store', () => void closed.push('store'));
  closing.add('readers', () => Promise.reject(new RangeError('stuck')));
  closing.add('health', () => void closed.push('health'));
  await closing.closeAll();
  assert.deepEqual(closed, ['health', 'store']);
  assert.deepEqual(
    log.records.map(({ fields }) => fields),
    [{ part: 'readers', err: 'stuck' }],
  );
});
