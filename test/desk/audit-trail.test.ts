// The desk's own log: one chain, on which nothing can be altered, left out or put in between without being found.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditRecords } from '../../src/desk/audit-reading.ts';
import { AuditTrail, NO_HASH, verifyAudit } from '../../src/desk/audit-trail.ts';
import type { AuditRecord } from '../../src/desk/records.ts';
import { instant } from '../../src/domain/units.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { CLERK, openDesk, refusalOf, SECURITY, taken } from '../fixtures/open-desk.ts';

const NOW = instant(Date.parse('2026-01-05T08:00:00Z'));

const trailOf = async (count: number): Promise<AuditRecord[]> => {
  const store = new MemoryDeskStore();
  const trail = await AuditTrail.open(store);
  for (let index = 0; index < count; index++) {
    await store.write([trail.append({ operator: `clerk-${index}`, action: 'bind-card', outcome: 'done' }, NOW)]);
  }
  const records: AuditRecord[] = [];
  for await (const record of auditRecords(store)) records.push(record);
  return records;
};

async function* each(records: readonly AuditRecord[]): AsyncGenerator<AuditRecord> {
  yield* records;
}

test('a log that nobody has touched is sound, and so is an empty one', async () => {
  const records = await trailOf(3);
  assert.deepEqual(await verifyAudit(each(records)), { records: 3, hash: records.at(-1)?.hash });
  assert.deepEqual(await verifyAudit(each([])), { records: 0, hash: NO_HASH });
});

test('whatever is altered, left out, turned round or put in is found where it is', async () => {
  const [first, second, third, fourth] = await trailOf(4);
  assert.ok(first && second && third && fourth);
  const soundBefore = async (records: readonly AuditRecord[]) => {
    const { records: sound, fault } = await verifyAudit(each(records));
    return fault === undefined ? 'sound' : sound;
  };
  assert.equal(await soundBefore([first, { ...second, operator: 'somebody else' }, third]), 1);
  assert.equal(await soundBefore([first, third, fourth]), 1);
  assert.equal(await soundBefore([first, third, second]), 1);
  assert.equal(await soundBefore([first, second, { ...second, sequence: 3 }, third]), 2);
  assert.equal(await soundBefore([second, third]), 0);
  assert.equal(await soundBefore([first, second, { ...third, previousHash: first.hash }]), 2);
});

test('actions and refusals are on it, and it goes on after a restart', async (t) => {
  const store = new MemoryDeskStore();
  const before = await openDesk(t, { store });
  await taken(before.desk.employees.add({ id: 'E1', name: 'Li' }, CLERK));
  await refusalOf(before.desk.cards.bind({ cardholder: 'E1', card: '04A2B3C4D5E680' }, SECURITY));
  await before.desk.close();
  const { desk } = await openDesk(t, { store, clock: before.clock });
  await taken(desk.cards.bind({ cardholder: 'E1', card: '04A2B3C4D5E680' }, CLERK));
  const told: (string | null)[][] = [];
  for await (const { operator, action, outcome, code, operation } of auditRecords(store)) {
    told.push([operator, action, outcome, code, operation]);
  }
  assert.deepEqual(told, [
    ['li', 'add-employee', 'done', null, null],
    ['guard', 'bind-card', 'refused', 'not-permitted', null],
    ['li', 'bind-card', 'done', null, 'op-1'],
  ]);
  assert.equal((await verifyAudit(auditRecords(store))).records, 3);
});
