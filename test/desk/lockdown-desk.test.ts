// A lockdown of the whole site: what goes out, who is waited for, and who is named.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type TestContext, test } from 'node:test';
import { ANSWER_TIME, LockdownDesk } from '../../src/desk/lockdown-desk.ts';
import type { AuditRecord } from '../../src/desk/records.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { CLERK, openDesk, receiptFor, refusalOf, SECURITY, statusOf, taken } from '../fixtures/open-desk.ts';

const COMMANDS = 'cardea/hq/hr/command';

/** Two gateways that are online, and one that is not. */
const site = async (t: TestContext, { areSignaturesNeeded = false } = {}) => {
  const opened = await openDesk(t, { areSignaturesNeeded });
  const { desk, link, clock, store } = opened;
  const { state, writer, audit } = desk;
  const lockdowns = new LockdownDesk({
    ...{ state, writer, audit, link, clock, newMessageId: randomUUID },
    seal: unsignedSeal,
    // What says so of itself is verified.
    open: async (_gateway, json) => ({ json, isVerified: Buffer.from(json).includes('"isSigned":true') }),
    rules: { areSignaturesNeeded },
  });
  t.after(() => lockdowns.stop());
  link.connect();
  for (const [gateway, fields] of [['garage-1'], ['lobby-1'], ['roof-1', { online: false }]] as const) {
    const topic = `cardea/hq/gateways/${gateway}/status`;
    await link.deliver(topic, statusOf(desk, gateway, ['front']));
    if (fields !== undefined) await link.deliver(topic, JSON.stringify({ type: 'status', gateway, online: false }));
  }
  const commands = () =>
    link.published.filter(({ topic }) => topic === COMMANDS).map(({ payload }) => JSON.parse(payload));
  const answer = async (gateway: string, fields: object = {}): Promise<void> => {
    const { messageId } = commands().at(-1);
    const json = { ...COMMAND_RECEIPT, gateway, messageId, ...fields };
    const message = { topic: `cardea/hq/gateways/${gateway}/receipt`, retained: false };
    await lockdowns.onMessage({ ...message, payload: Buffer.from(JSON.stringify(json)) });
  };
  const recorded = async (): Promise<readonly AuditRecord[]> => {
    const records: AuditRecord[] = [];
    for await (const [, value] of store.entries('audit')) records.push(Object(value));
    return records;
  };
  return { ...opened, lockdowns, commands, answer, recorded };
};

/** A receipt as it is for a command. */
const COMMAND_RECEIPT = {
  type: 'receipt',
  messageType: 'command',
  revision: null,
  result: 'applied',
  card: null,
  cardholder: null,
  superseded: [],
  doors: ['front'],
  code: null,
  detail: null,
  path: null,
  payloadSha256: null,
  warnings: [],
  appliedAt: '2026-01-05T08:00:00.500Z',
  clockSynchronized: true,
  sequence: 7,
  roster: { revision: 0, cards: 0, digest: '0'.repeat(64) },
};

/** Until what was begun has had its turns. */
const turns = async (): Promise<void> => {
  for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
};

test('goes to all gateways with one command, and is answered when those that are online have', async (t) => {
  const { lockdowns, commands, answer, recorded, clock } = await site(t);
  const ordered = taken(
    lockdowns.order({ reason: ' alarm at the gate ', until: '2026-01-05T12:00:00+01:00' }, SECURITY),
  );
  await turns();
  const [{ issuedAt, expiresAt, messageId, ...command }] = commands();
  assert.deepEqual(command, {
    ...{ type: 'command', site: 'hq', action: 'lockdown', door: '*', operator: 'guard' },
    ...{ reason: 'alarm at the gate', until: '2026-01-05T11:00:00.000Z' },
  });
  assert.equal(Date.parse(issuedAt), clock.now());
  assert.equal(Date.parse(expiresAt) - Date.parse(issuedAt), 300_000);
  await answer('lobby-1');
  await answer('garage-1', { result: 'rejected', code: 'expired-command', detail: 'too late', doors: [] });
  const { receipts, missing, offline, ...told } = await ordered;
  assert.deepEqual(told, {
    ...{ messageId, action: 'lockdown', operator: 'guard', reason: 'alarm at the gate' },
    ...{ issuedAt, expiresAt, until: '2026-01-05T11:00:00.000Z' },
  });
  assert.deepEqual(
    receipts.map(({ gateway, result, code, doors }) => [gateway, result, code, ...doors]),
    [
      ['garage-1', 'rejected', 'expired-command'],
      ['lobby-1', 'applied', null, 'front'],
    ],
  );
  assert.deepEqual([missing, offline], [[], ['roof-1']]);
  const last = (await recorded()).at(-1);
  assert.deepEqual(
    [last?.operator, last?.action, last?.outcome, last?.detail],
    ['guard', 'lockdown', 'done', 'alarm at the gate'],
  );
});

test('names whoever has not answered in time, and ends soon or never', async (t) => {
  const { lockdowns, commands, answer, clock } = await site(t);
  const ordered = taken(lockdowns.order({ reason: 'over', isEnd: true }, SECURITY));
  await turns();
  const [{ action, issuedAt, expiresAt }] = commands();
  assert.deepEqual([action, Date.parse(expiresAt) - Date.parse(issuedAt)], ['end-lockdown', 30_000]);
  await answer('garage-1');
  await answer('roof-1');
  clock.advance(ANSWER_TIME);
  const { receipts, missing, offline } = await ordered;
  assert.deepEqual(
    receipts.map(({ gateway }) => gateway),
    ['garage-1', 'roof-1'],
  );
  assert.deepEqual([missing, offline], [['lobby-1'], []]);
});

test('takes no word that is not the gateway\u2019s own, of another message, or of another gateway', async (t) => {
  const { lockdowns, answer, clock, desk } = await site(t, { areSignaturesNeeded: true });
  // Statuses that nobody has signed tell nothing of who is online.
  for (const gateway of ['garage-1', 'lobby-1']) {
    desk.state.gateways.set(gateway, {
      ...{ gateway, doors: ['front'], isOnline: true, isVerified: true },
      ...{ firstSeen: '2026-01-05T08:00:00.000Z', lastSeen: '2026-01-05T08:00:00.000Z' },
    });
  }
  const ordered = taken(lockdowns.order({ reason: 'test' }, SECURITY));
  await turns();
  await answer('garage-1');
  await answer('garage-1', { isSigned: true, messageId: 'other' });
  await answer('garage-1', { isSigned: true, gateway: 'lobby-1' });
  await answer('lobby-1', { isSigned: true });
  clock.advance(ANSWER_TIME);
  const { receipts, missing } = await ordered;
  assert.deepEqual(
    [receipts.map(({ gateway, isVerified }) => [gateway, isVerified]), missing],
    [[['lobby-1', true]], ['garage-1']],
  );
});

test('is for security alone, with a reason, and an end that can be', async (t) => {
  const { lockdowns, commands, recorded } = await site(t);
  const refusals = [
    [{ reason: 'x' }, CLERK, 'not-permitted'],
    [{ reason: ' ' }, SECURITY, 'invalid-request'],
    [{ reason: 'x'.repeat(201) }, SECURITY, 'invalid-request'],
    [{ reason: 'x', until: 'tomorrow' }, SECURITY, 'invalid-request'],
    [{ reason: 'x', until: '2020-01-01T00:00:00Z' }, SECURITY, 'invalid-window'],
    [{ reason: 'x', until: '2027-01-01T00:00:00Z' }, SECURITY, 'invalid-window'],
    [{ reason: 'x', isEnd: true, until: '2026-01-05T12:00:00Z' }, SECURITY, 'invalid-window'],
  ] as const;
  for (const [request, actor, code] of refusals) {
    assert.equal((await refusalOf(lockdowns.order(request, actor))).code, code, JSON.stringify(request));
  }
  assert.deepEqual(commands(), []);
  assert.equal((await recorded()).filter(({ outcome }) => outcome === 'refused').length, refusals.length);
});

test('is refused while the broker is not connected, or does not take it', async (t) => {
  const { lockdowns, link, commands, recorded } = await site(t);
  link.disconnect('gone');
  const { code, detail } = await refusalOf(lockdowns.order({ reason: 'x' }, SECURITY));
  assert.deepEqual([code, commands().length], ['no-answer', 0]);
  assert.match(detail, /at the gateways themselves/);
  assert.equal((await recorded()).at(-1)?.code, 'no-answer');
});

test('and the receipts of anything else are left alone', async (t) => {
  const { lockdowns, desk } = await site(t);
  await taken(desk.employees.add({ id: 'E1', name: 'One' }, CLERK));
  const operation = await taken(desk.cards.bind({ cardholder: 'E1', card: '04A2B3C4D5E680' }, CLERK));
  const payload = Buffer.from(receiptFor(operation));
  await lockdowns.onMessage({ topic: 'cardea/hq/gateways/lobby-1/receipt', payload, retained: false });
  await lockdowns.onMessage({
    topic: 'cardea/hq/gateways/lobby-1/receipt',
    payload: Buffer.from('{'),
    retained: false,
  });
});
