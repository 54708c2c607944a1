import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PublishWindow } from '../../../src/drivers/mqtt/publish-window.ts';
import { CardeaError } from '../../../src/errors.ts';

const setUp = (capacity = 10) => {
  const sent: string[] = [];
  const acknowledge: (() => void)[] = [];
  const window = new PublishWindow({
    capacity,
    send: ({ payload }, onSettled) => {
      sent.push(payload);
      acknowledge.push(onSettled);
    },
  });
  const submit = (payload: string): Promise<void> => window.submit({ topic: 'a', payload, retain: false });
  return { window, submit, sent, acknowledge };
};

test('no more than the limit is under way, and the rest follows in order', async () => {
  const { window, submit, sent, acknowledge } = setUp();
  window.open(2);
  const first = submit('1');
  void submit('2');
  void submit('3');
  assert.deepEqual(sent, ['1', '2']);
  acknowledge[0]?.();
  await first;
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(sent, ['1', '2', '3']);
});

test('a closed window sends nothing, and goes on when it is opened', () => {
  const { window, submit, sent } = setUp();
  window.open(2);
  window.close();
  void submit('1');
  assert.deepEqual(sent, []);
  window.open(5);
  assert.deepEqual(sent, ['1']);
});

test('past the capacity a message is refused', async () => {
  const { window, submit, sent } = setUp(3);
  window.open(1);
  for (const payload of ['1', '2', '3']) void submit(payload);
  await assert.rejects(submit('4'), { code: 'overloaded' });
  assert.deepEqual(sent, ['1']);
});

test('abandoning rejects what waits and leaves what is under way', async () => {
  const { window, submit, acknowledge } = setUp();
  window.open(1);
  const underWay = submit('1');
  const waiting = submit('2');
  window.abandonWaiting(new CardeaError('link-offline', 'stopped'));
  await assert.rejects(waiting, { code: 'link-offline' });
  acknowledge[0]?.();
  await underWay;
});
