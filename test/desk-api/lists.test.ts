// What comes and goes as a list: batches, reports, histories, and everybody with their cards.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { REPORTS } from '../../src/desk/report.ts';
import { CLERK, receiptFor, statusOf, taken } from '../fixtures/open-desk.ts';
import { type OpenDeskApi, openDeskApi } from '../fixtures/open-desk-api.ts';

const card = (index: number): string => `04A0${String(index).padStart(10, '0')}`;
const fresh = (index: number): string => `04B0${String(index).padStart(10, '0')}`;

/** Three people with a card each, and a gateway. */
const site = async (t: TestContext): Promise<OpenDeskApi> => {
  const opened = await openDeskApi(t);
  const { desk, link } = opened;
  link.connect();
  await link.deliver('cardea/hq/gateways/lobby-1/status', statusOf(desk, 'lobby-1', ['front']));
  for (const index of [0, 1, 2]) {
    await taken(desk.employees.add({ id: `E${index}`, name: `=Name ${index}` }, CLERK));
    const bound = await taken(desk.cards.bind({ cardholder: `E${index}`, card: card(index) }, CLERK));
    await link.deliver('cardea/hq/gateways/lobby-1/receipt', receiptFor(bound));
  }
  return opened;
};

const row = (index: number, fields: object = {}) => ({
  ...{ line: index + 2, cardholder: `E${index}`, newCard: fresh(index), reason: 'lost' },
  ...fields,
});

test('a batch is tried, begun, waited for until the gateways have it, and reported by line and door', async (t) => {
  const { call, desk, link, tokens } = await site(t);
  const post = (body: object) => call({ method: 'POST', url: '/v1/batches', token: tokens.clerk, body });
  const rows = [row(0), row(1), row(2, { newCard: fresh(0) })];
  const dry = await post({ mode: 'all', dryRun: true, rows });
  assert.deepEqual([dry.status, dry.body.faults.map(({ line }: { line: number }) => line)], [200, [4]]);
  const faulty = await post({ mode: 'all', rows });
  assert.deepEqual([faulty.status, faulty.body.code, faulty.body.faults.length], [422, 'invalid-request', 1]);
  const begun = await post({ id: 'monday', mode: 'good', rows });
  assert.deepEqual([begun.status, begun.headers['location']], [202, '/v1/batches/monday']);
  assert.equal((await post({ id: 'monday', mode: 'good', rows: [row(2)] })).status, 409);

  const waiting = call({ url: '/v1/batches/monday?wait=60', token: tokens.auditor });
  while (desk.state.open.size < 2) await new Promise((resolve) => setImmediate(resolve));
  for (const operation of [...desk.state.open.values()]) {
    await link.deliver('cardea/hq/gateways/lobby-1/receipt', receiptFor(operation));
  }
  const { body: view } = await waiting;
  assert.deepEqual([view.state, view.done, view.refused, view.confirmed, view.lines.length], ['finished', 2, 1, 2, 3]);
  const counts = await call({ url: '/v1/batches/monday?lines=none', token: tokens.clerk });
  assert.deepEqual([counts.body.done, counts.body.lines], [2, []]);

  const { body: report } = await call({ url: '/v1/batches/monday/report', token: tokens.clerk });
  assert.deepEqual(
    report.rows.map((line: Record<string, unknown>) => [line['line'], line['outcome'], line['gateway'], line['opens']]),
    [
      [2, 'done', 'lobby-1', ['front']],
      [3, 'done', 'lobby-1', ['front']],
      [4, 'refused', null, []],
    ],
  );
  assert.equal((await call({ url: '/v1/batches/tuesday', token: tokens.clerk })).body.code, 'unknown-batch');
});

test('every report comes as JSON and as CSV with the same columns, and who took it is on record', async (t) => {
  const { call, tokens } = await site(t);
  for (const name of REPORTS) {
    const url = `/v1/reports/${name}?from=2026-01-01&to=2026-12-31T00:00:00Z&timezone=Asia/Taipei`;
    const { status, body } = await call({ url, token: tokens.auditor });
    assert.deepEqual([status, body.report], [200, name]);
    const csv = await call({ url: `${url}&format=csv`, token: tokens.auditor });
    assert.match(String(csv.headers['content-type']), /^text\/csv; charset=utf-8/);
    const [head, ...lines] = csv.body.trimEnd().split('\r\n');
    assert.deepEqual([head, lines.length], [body.columns.join(','), body.rows.length]);
  }
  const { body: changes } = await call({ url: '/v1/reports/changes?format=csv', token: tokens.security });
  assert.match(changes, /,'=Name 1,/);
  assert.equal((await call({ url: '/v1/reports/changes?timezone=Mars', token: tokens.clerk })).status, 400);
  assert.equal((await call({ url: '/v1/reports/wishes', token: tokens.clerk })).status, 400);
  const { body: audit } = await call({ url: '/v1/audit?limit=500', token: tokens.auditor });
  const subjects = audit.records
    .filter(({ action }: { action: string }) => action === 'read-reports')
    .map(({ operator, subject }: { operator: string; subject: string }) => `${operator} ${subject}`);
  assert.ok(subjects.includes('program.security changes'));
});

test('everybody is exported with their cards, and imported again unchanged', async (t) => {
  const { call, tokens } = await site(t);
  const { body } = await call({ url: '/v1/exports/roster', token: tokens.clerk });
  assert.deepEqual([body.site, body.revision, body.employees[1].cards[0].card], ['hq', 3, card(1)]);
  const employees = body.employees.map(({ id, name, access }: Record<string, unknown>) => ({ id, name, access }));
  const again = await call({ method: 'POST', url: '/v1/imports', token: tokens.clerk, body: { employees } });
  assert.deepEqual(again.body, { added: 0, changed: 0, unchanged: 3 });
  const csv = await call({ url: '/v1/exports/roster?format=csv&status=all', token: tokens.auditor });
  assert.equal(csv.body.split('\r\n').length, 5);
});

test('a person and a card have their histories, page by page', async (t) => {
  const { call, desk, tokens } = await site(t);
  await taken(desk.cards.replace({ cardholder: 'E1', newCard: fresh(1), reason: 'damaged' }, CLERK));
  const person = await call({ url: '/v1/employees/E1/history?limit=1', token: tokens.clerk });
  assert.deepEqual([person.body.operations[0].operation.id, person.body.next], ['op-4', 'op-4']);
  assert.equal(person.body.audit[0].action, 'replace-card');
  const rest = await call({ url: '/v1/employees/E1/history?before=op-4', token: tokens.clerk });
  assert.deepEqual([rest.body.operations[0].operation.id, rest.body.next], ['op-2', null]);
  const history = await call({ url: `/v1/cards/${card(1)}/history`, token: tokens.auditor });
  assert.deepEqual(
    history.body.operations.map(({ operation }: { operation: { id: string } }) => operation.id),
    ['op-4', 'op-2'],
  );
  assert.equal((await call({ url: '/v1/employees/E9/history', token: tokens.clerk })).status, 404);
  assert.equal((await call({ url: '/v1/cards/none/history', token: tokens.clerk })).status, 404);
});
