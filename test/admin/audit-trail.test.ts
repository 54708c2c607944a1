// Whatever a technician does over the admin socket is in the log with their name: every call that changes anything, also those that
// are still to come.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AdminOperations } from '../../src/admin/operations.ts';
import { CALL_METHODS, CALL_NAMES, type CallName } from '../../src/admin/protocol.ts';
import { type AccessEvent, memberOf } from '../../src/domain/access-event.ts';
import { parseCardholderId } from '../../src/domain/ids.ts';
import type { StoreKeyRotation } from '../../src/ports/store-key-rotation.ts';
import { AdminBench } from './admin-bench.ts';

const operator = 'ada';
const CARDHOLDER = parseCardholderId('E1001');
assert.ok(CARDHOLDER);

const ROTATION: StoreKeyRotation = {
  begin: async () => ({ isResumed: false, isKeyFileReplaced: true }),
  view: () => ({ isUnderWay: false, sealedAnew: 0, fault: null }),
};

/** By call: does it. */
const ACTIONS: Partial<Record<CallName, (bench: AdminBench) => unknown>> = {
  'door-command': ({ operations }) => operations.commandDoor({ door: 'front', action: 'unlock', operator }),
  lockdown: ({ operations }) => operations.lockdown({ action: 'lockdown', operator }),
  'reset-passback': ({ operations }) => operations.resetPassback({ cardholder: CARDHOLDER, operator }),
  'clear-alarms': ({ operations }) => operations.clearAlarms({ operator }),
  tap: ({ operations }) => operations.tap({ reader: 'front-in', uid: Buffer.from('DEADBEEF', 'hex'), operator }),
  line: ({ operations }) => operations.setLine({ door: 'front', line: 'contact', isActive: true, operator }),
  'rotate-store': ({ dependencies }) =>
    new AdminOperations({ ...dependencies, storeKeys: ROTATION }).rotateStore({ operator }),
  backup: ({ operations }) => operations.backups.announce({ operator }),
  report: ({ operations }) =>
    operations.report({ report: 'cards', operator, from: undefined, to: undefined, cardholder: undefined }),
};

/** Where else it is tested that a call leaves its event, as it takes more than this gateway has. */
const ELSEWHERE: Partial<Record<CallName, string>> = {
  'accept-epoch': 'test/app/reconcile-roster.test.ts',
  'restore-begin': 'test/app/restore-merge.test.ts',
  'restore-page': 'test/app/restore-merge.test.ts',
  'restore-end': 'test/app/restore-merge.test.ts',
};

const eventsOf = async ({ store, writer }: AdminBench): Promise<readonly AccessEvent[]> => {
  await writer.idle();
  return (await store.entriesAfter(0, 100)).map(({ event }) => event);
};

test('every call that changes something is known here', () => {
  const posts = CALL_NAMES.filter((name) => CALL_METHODS[name] === 'POST');
  assert.deepEqual([...Object.keys(ACTIONS), ...Object.keys(ELSEWHERE)].sort(), posts.toSorted());
});

for (const [name, act] of Object.entries(ACTIONS)) {
  test(`who calls ${name} is in the log`, async () => {
    const bench = await AdminBench.start();
    await act(bench);
    const named = (await eventsOf(bench)).filter(({ detail }) => memberOf(detail, 'operator') === operator);
    assert.ok(named.length > 0);
  });
}
