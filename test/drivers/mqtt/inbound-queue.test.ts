import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InboundQueue } from '../../../src/drivers/mqtt/inbound-queue.ts';

interface Step {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** A connection the test can end; what is acknowledged on it, one list for each time. */
class Connection {
  isAlive = true;
  readonly acknowledged: number[][] = [];
  isUp = (): boolean => this.isAlive;
  acknowledge = (packetIds: readonly number[]): void => {
    this.acknowledged.push([...packetIds]);
  };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

/** A queue whose handler waits for the test. Topics say which packet of which connection it is. */
const setUp = () => {
  const begun: string[] = [];
  const steps: Step[] = [];
  const refused: string[] = [];
  const queue = new InboundQueue({
    handle: ({ topic }) => {
      begun.push(topic);
      return new Promise((resolve, reject) => steps.push({ resolve, reject }));
    },
    onRefused: ({ topic }) => refused.push(topic),
  });
  const connect = (): Connection => {
    const connection = new Connection();
    queue.open(connection);
    return connection;
  };
  /** Returns whether the queue has asked for the next message. */
  const push = (topic: string, packetId: number | 'none' = 1, bytes = 1): { hasRoom: boolean } => {
    const answer = { hasRoom: false };
    queue.push(
      { topic, payload: new Uint8Array(bytes), retained: false },
      packetId === 'none' ? undefined : packetId,
      () => {
        answer.hasRoom = true;
      },
    );
    return answer;
  };
  const fulfil = (...indexes: number[]): void => {
    for (const index of indexes) steps[index]?.resolve();
  };
  return { queue, connect, push, begun, steps, refused, fulfil };
};

test('messages are handed out in order without waiting for the ones before', () => {
  const { connect, push, begun } = setUp();
  const { acknowledged } = connect();
  for (const topic of ['a', 'b', 'c']) push(topic);
  assert.deepEqual([begun, acknowledged], [['a', 'b', 'c'], []]);
});

test('what fulfils together is acknowledged at once, in order of arrival', async () => {
  const { connect, push, fulfil } = setUp();
  const { acknowledged } = connect();
  for (let packetId = 1; packetId <= 4; packetId += 1) push('a', packetId);
  fulfil(2, 0, 1);
  await turn();
  assert.deepEqual(acknowledged, [[1, 2, 3]]);
  fulfil(3);
  await turn();
  assert.deepEqual(acknowledged, [[1, 2, 3], [4]]);
});

test('a message handled early waits for the ones before it to be acknowledged', async () => {
  const { connect, push, fulfil } = setUp();
  const { acknowledged } = connect();
  for (let packetId = 1; packetId <= 3; packetId += 1) push('a', packetId);
  fulfil(1, 2);
  await turn();
  assert.deepEqual(acknowledged, []);
  fulfil(0);
  await turn();
  assert.deepEqual(acknowledged, [[1, 2, 3]]);
});

test('a message at QoS 0 keeps its place and is not acknowledged', async () => {
  const { connect, push, fulfil } = setUp();
  const { acknowledged } = connect();
  push('a', 1);
  push('quality zero', 'none');
  push('b', 2);
  fulfil(0, 2);
  await turn();
  assert.deepEqual(acknowledged, [[1]]);
  fulfil(1);
  await turn();
  assert.deepEqual(acknowledged, [[1], [2]]);
});

test('a failure in the middle: those before it are acknowledged, nothing from it on, and it is reported once', async () => {
  const { connect, push, steps, refused, fulfil } = setUp();
  const { acknowledged } = connect();
  for (let packetId = 1; packetId <= 4; packetId += 1) push(`m${packetId}`, packetId);
  fulfil(0);
  steps[1]?.reject(new Error('the disk is full'));
  fulfil(2, 3);
  await turn();
  assert.deepEqual([acknowledged, refused], [[[1]], ['m2']]);
});

test('nothing is acknowledged on a connection that has ended, nor is a failure reported', async () => {
  const { connect, push, steps, refused, fulfil } = setUp();
  const first = connect();
  push('a', 1);
  push('b', 2);
  first.isAlive = false;
  fulfil(0);
  steps[1]?.reject(new Error('late'));
  await turn();
  assert.deepEqual([first.acknowledged, refused], [[], []]);
});

test('messages of a new connection wait for every handler of the earlier ones, and are then handed out in order', async () => {
  const { queue, connect, push, begun, fulfil } = setUp();
  connect();
  push('a', 1);
  push('b', 2);
  queue.disconnected();
  connect();
  push('lost with the second connection', 1);
  queue.disconnected();
  const third = connect();
  push('a again', 1);
  push('b again', 2);
  fulfil(1);
  await turn();
  assert.deepEqual(begun, ['a', 'b']);
  fulfil(0);
  await turn();
  assert.deepEqual(begun, ['a', 'b', 'a again', 'b again']);
  assert.deepEqual(third.acknowledged, []);
  fulfil(2, 3);
  await turn();
  assert.deepEqual(third.acknowledged, [[1, 2]]);
});

test('what is due when the connection ends is not acknowledged on the next one', async () => {
  const { queue, connect, push, begun, fulfil } = setUp();
  const first = connect();
  push('a', 1);
  fulfil(0);
  await Promise.resolve();
  await Promise.resolve();
  queue.disconnected();
  const second = connect();
  push('a again', 1);
  await turn();
  assert.deepEqual([begun, second.acknowledged], [['a', 'a again'], []]);
  assert.deepEqual(first.acknowledged, []);
});

test('what an ended connection had still to say is dropped without taking room', () => {
  const { queue, connect, push, begun } = setUp();
  const first = connect();
  first.isAlive = false;
  assert.equal(push('left over').hasRoom, true);
  queue.disconnected();
  assert.equal(push('left over').hasRoom, true);
  assert.deepEqual(begun, []);
});

test('of messages that come in one piece, every sixteenth waits for the next turn of the event loop', async () => {
  const { connect, push } = setUp();
  connect();
  const pushed = Array.from({ length: 40 }, () => push('small'));
  assert.deepEqual(
    pushed.flatMap(({ hasRoom }, index) => (hasRoom ? [] : [index + 1])),
    [16, 32],
  );
  await turn();
  assert.ok(pushed.every(({ hasRoom }) => hasRoom));
});

test('past 256 unacknowledged messages, or 4 MiB of them, the sender waits for room', async () => {
  const many = setUp();
  many.connect();
  const pushed = Array.from({ length: 256 }, () => many.push('small'));
  await turn();
  assert.ok(pushed.every(({ hasRoom }) => hasRoom));
  assert.equal(many.queue.isFull, false);
  const last = many.push('small');
  assert.deepEqual([last.hasRoom, many.queue.isFull], [false, true]);
  many.fulfil(1);
  await turn();
  assert.equal(last.hasRoom, false);
  many.fulfil(0);
  await turn();
  assert.deepEqual([last.hasRoom, many.queue.isFull], [true, false]);

  const large = setUp();
  large.connect();
  for (let count = 0; count < 4; count += 1) assert.equal(large.push('large', 1, 2 ** 20).hasRoom, true);
  const fifth = large.push('large', 1, 2 ** 20);
  assert.equal(fifth.hasRoom, false);
  large.queue.disconnected();
  assert.deepEqual([fifth.hasRoom, large.queue.isFull], [true, false]);
});

test('closing waits for the messages under way, acknowledges them and hands out no other', async () => {
  const { queue, connect, push, begun, fulfil } = setUp();
  const { acknowledged } = connect();
  push('a', 1);
  push('b', 2);
  let isClosed = false;
  const closing = queue.close().then(() => {
    isClosed = true;
    return [...acknowledged];
  });
  assert.equal(push('c').hasRoom, true);
  fulfil(0);
  await turn();
  assert.equal(isClosed, false);
  fulfil(1);
  assert.deepEqual(await closing, [[1], [2]]);
  assert.deepEqual(begun, ['a', 'b']);
});
