import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InboundQueue } from '../../../src/drivers/mqtt/inbound-queue.ts';

interface Step {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A queue whose handler waits for the test, and connections the test can end. */
const setUp = () => {
  const begun: string[] = [];
  const steps: Step[] = [];
  const acknowledged: string[] = [];
  const refused: string[] = [];
  const queue = new InboundQueue({
    handle: ({ topic }) => {
      begun.push(topic);
      return new Promise((resolve, reject) => steps.push({ resolve, reject }));
    },
    onRefused: ({ topic }) => refused.push(topic),
  });
  const push = (topic: string, connection = { isUp: true }, bytes = 1): Promise<void> =>
    queue.push({
      message: { topic, payload: new Uint8Array(bytes), retained: false },
      isCurrent: () => connection.isUp,
      acknowledge: () => acknowledged.push(topic),
    });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const isSettled = async (promise: Promise<void>): Promise<boolean> => {
    let settled = false;
    void promise.then(() => {
      settled = true;
    });
    await turn();
    return settled;
  };
  return { queue, push, begun, steps, acknowledged, refused, turn, isSettled };
};

test('the next message begins when the one before is acknowledged', async () => {
  const { push, begun, steps, acknowledged, turn } = setUp();
  void push('a');
  void push('b');
  await turn();
  assert.deepEqual([begun, acknowledged], [['a'], []]);
  steps[0]?.resolve();
  await turn();
  assert.deepEqual([begun, acknowledged], [['a', 'b'], ['a']]);
});

test('what waits on an ended connection is skipped, and what is in hand is not acknowledged', async () => {
  const { push, begun, steps, acknowledged, refused, turn } = setUp();
  const first = { isUp: true };
  void push('a', first);
  void push('b', first);
  first.isUp = false;
  void push('left over', first);
  void push('a again');
  steps[0]?.resolve();
  await turn();
  assert.deepEqual([begun, acknowledged, refused], [['a', 'a again'], [], []]);
});

test('a refusal is reported unless its connection has ended anyway', async () => {
  const { push, steps, acknowledged, refused, turn } = setUp();
  const first = { isUp: true };
  void push('a', first);
  first.isUp = false;
  void push('b');
  steps[0]?.reject(new Error('late'));
  await turn();
  steps[1]?.reject(new Error('in time'));
  await turn();
  assert.deepEqual([acknowledged, refused], [[], ['b']]);
});

test('past 256 waiting messages, or 4 MiB of them, the sender waits for room', async () => {
  const many = setUp();
  for (let count = 0; count < 256; count += 1) assert.equal(await many.isSettled(many.push('small')), true);
  const last = many.push('small');
  assert.equal(await many.isSettled(last), false);
  assert.equal(many.queue.isFull, true);
  many.steps[0]?.resolve();
  assert.equal(await many.isSettled(last), true);

  const large = setUp();
  await large.push('in hand');
  for (let count = 0; count < 3; count += 1)
    assert.equal(await large.isSettled(large.push('large', undefined, 2 ** 20)), true);
  const fourth = large.push('large', undefined, 2 ** 20);
  assert.equal(await large.isSettled(fourth), false);
  large.queue.clear();
  assert.equal(await large.isSettled(fourth), true);
  assert.equal(large.queue.isFull, false);
});

test('closing waits for the message in hand and begins no other', async () => {
  const { queue, push, begun, steps, acknowledged, isSettled } = setUp();
  void push('a');
  void push('b');
  const closing = queue.close();
  assert.equal(await isSettled(closing), false);
  steps[0]?.resolve();
  assert.equal(await isSettled(closing), true);
  await push('c');
  assert.deepEqual([begun, acknowledged], [['a'], ['a']]);
});
