// Messages on their way to the broker: in which order they go out, whatever fails or is sent again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import { AFTER_FAILURE, ANSWER_TIME, OperationSender } from '../../src/desk/operation-sender.ts';
import type { Operation } from '../../src/desk/records.ts';
import { CardeaError } from '../../src/errors.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const operation = (revision: number, fields: Partial<Operation> = {}): Operation => ({
  id: `op-${revision}`,
  kind: 'binding',
  at: '2026-01-05T08:00:00.000Z',
  operator: 'li',
  signedAs: 'clerk',
  stoppedCards: [],
  newCard: `04A0${revision}`,
  message: { type: 'card-bound', messageId: `m-${revision}`, revision, json: String(revision) },
  deadline: '2026-01-05T08:05:00.000Z',
  ...fields,
});

const bench = (open: readonly Operation[] = []) => {
  const clock = new VirtualClock();
  const handedOver: string[] = [];
  /** What the broker says, by revision; without it, it takes the message. */
  const answers = new Map<string, Promise<void>>();
  const broker = { isConnected: true, looks: 0 };
  const sender = new OperationSender({
    publish: async (_type, payload) => {
      const json = await payload;
      handedOver.push(json);
      await answers.get(json);
    },
    seals: { clerk: unsignedSeal, security: unsignedSeal, desk: unsignedSeal },
    isConnected: () => broker.isConnected,
    clock,
    open: () => open,
    silentGateways: () => {
      broker.looks += 1;
      return ['lobby-1'];
    },
    onSent: async () => {},
    onFault: () => {},
  });
  return { clock, handedOver, answers, broker, sender };
};

test('what fails goes out again before what came after it', async () => {
  const { clock, handedOver, answers, sender, broker } = bench();
  const failure = Promise.reject(new CardeaError('link-offline', 'gone'));
  failure.catch(() => {});
  for (const revision of [1, 2]) answers.set(String(revision), failure);
  for (const revision of [1, 2]) sender.send(operation(revision));
  broker.isConnected = false;
  sender.send(operation(3));
  await turnOfOthers();
  answers.clear();
  assert.equal(sender.unsent, 3);
  broker.isConnected = true;
  sender.onConnect();
  await turnOfOthers();
  clock.advance(AFTER_FAILURE);
  assert.deepEqual(handedOver, ['1', '2', '1', '2', '3']);
  assert.equal(sender.unsent, 0);
});

test('a card is not bound before the broker has the message that frees it, refused or not', async () => {
  const { clock, handedOver, answers, sender } = bench();
  const card = '04A0FF';
  answers.set('1', Promise.reject(new Error('not now')));
  sender.send(operation(1, { newCard: undefined, revokedCard: card, stoppedCards: [card] }));
  sender.send(operation(2, { newCard: card }));
  await turnOfOthers();
  assert.deepEqual(handedOver, ['1']);
  answers.clear();
  clock.advance(AFTER_FAILURE);
  await turnOfOthers();
  assert.deepEqual(handedOver, ['1', '1', '2']);
});

test('what is sent again is looked for in slices, until all has been looked at', async () => {
  const open = Array.from({ length: 1_000 }, (_, index) =>
    operation(index + 1, { sentAt: '2026-01-05T07:00:00.000Z' }),
  );
  const { clock, handedOver, broker, sender } = bench(open);
  sender.askAgain();
  clock.advance(ANSWER_TIME);
  assert.equal(broker.looks, 200);
  while (clock.pendingTimers > 0) {
    await turnOfOthers();
    clock.advance(clock.untilNextTimer() ?? 0);
  }
  await turnOfOthers();
  assert.equal(broker.looks, 1_000);
  assert.deepEqual(
    handedOver,
    open.map(({ message }) => message.json),
  );
});
