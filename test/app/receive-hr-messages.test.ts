// Signatures are checked side by side; what they open is handed on in the order of arrival.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { HrInbox } from '../../src/app/receive-hr-messages.ts';
import type { MessageEnvelope, OpenedMessage } from '../../src/wire/message-envelope.ts';
import { NO_CALENDARS, NO_OUTBOX, NO_RECONCILER } from '../fixtures/hr-inbox.ts';
import { GATEWAY, SITE, TOPICS } from '../flows/change-flow.ts';
import { COMMAND } from '../wire/messages.ts';
import { settle } from './door-bench.ts';

const message = (revision: number): Buffer =>
  Buffer.from(
    JSON.stringify({
      type: 'card-revoked',
      site: SITE,
      messageId: `m-${revision}`,
      revision,
      issuedAt: '2026-01-05T09:00:00+08:00',
      operator: 'hr',
      card: 'DEADBEEF',
      reason: 'lost',
    }),
  );

/** An inbox whose envelopes open when the test says so, and what it has handed on. */
/** `room`: what the changes wait for. */
const setUp = (room?: Promise<void>) => {
  const opening: ((opened: OpenedMessage | Error) => void)[] = [];
  const handedOn: (number | 'command')[] = [];
  const envelope: MessageEnvelope = () =>
    new Promise((resolve, reject) =>
      opening.push((opened) => (opened instanceof Error ? reject(opened) : resolve(opened))),
    );
  const inbox = new HrInbox({
    commands: { apply: async () => void handedOn.push('command') },
    calendars: NO_CALENDARS,
    settings: () => ({ site: SITE, gateway: GATEWAY, topics: TOPICS, cardNumberFormat: 'hex', envelope }),
    changes: {
      apply: async ({ revision }) => void handedOn.push(revision),
      reject: async () => void handedOn.push(0),
    },
    reconciler: NO_RECONCILER,
    disk: { awaitRoom: () => room },
    outbox: NO_OUTBOX,
  });
  const deliver = (revision: number) =>
    inbox.handle({ topic: TOPICS.cardRevoked, payload: message(revision), retained: false });
  const open = (index: number): void => opening[index]?.({ kind: 'opened', json: message(index + 1) });
  return { inbox, deliver, open, opening, handedOn };
};

test('messages whose signatures are checked later do not overtake each other', async () => {
  const { deliver, open, handedOn } = setUp();
  const done = [deliver(1), deliver(2), deliver(3)];
  open(2);
  open(1);
  await settle();
  assert.deepEqual(handedOn, []);
  open(0);
  await Promise.all(done);
  assert.deepEqual(handedOn, [1, 2, 3]);
});

test('a message that cannot be opened at all does not stand in the way of those behind it', async () => {
  const { deliver, open, opening, handedOn } = setUp();
  const broken = deliver(1);
  const next = deliver(2);
  opening[0]?.(new TypeError('an envelope that breaks its contract'));
  open(1);
  await assert.rejects(broken, TypeError);
  await next;
  const last = deliver(3);
  open(2);
  await last;
  assert.deepEqual(handedOn, [2, 3]);
});

test('on a disk that is nearly full changes wait for room, in order, and commands do not', async () => {
  let makeRoom = (): void => {};
  const room = new Promise<void>((resolve) => {
    makeRoom = resolve;
  });
  const { inbox, deliver, open, opening, handedOn } = setUp(room);
  const changes = [deliver(1), deliver(2)];
  open(0);
  open(1);
  const commanded = inbox.handle({ topic: TOPICS.command, payload: Buffer.from('{}'), retained: false });
  opening[2]?.({ kind: 'opened', json: Buffer.from(JSON.stringify(COMMAND)) });
  await commanded;
  assert.deepEqual(handedOn, ['command']);
  makeRoom();
  await Promise.all(changes);
  assert.deepEqual(handedOn, ['command', 1, 2]);
});

test('a change that finds no room in time is not acknowledged', async () => {
  const { deliver, open, handedOn } = setUp(Promise.reject(new TypeError('no room')));
  const change = deliver(1);
  open(0);
  await assert.rejects(change, /no room/);
  assert.deepEqual(handedOn, []);
});
