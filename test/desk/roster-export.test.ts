// The list of people as it leaves the desk, and comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parse } from 'csv-parse/sync';
import type { NewEmployee } from '../../src/desk/employee-desk.ts';
import { exportedEmployees, rosterTable } from '../../src/desk/roster-export.ts';
import { csvOf, jsonOf } from '../../src/desk-api/report-output.ts';
import { fromCsvCell, toCsvCell } from '../../src/domain/csv-cell.ts';
import { CLERK, type OpenDesk, openDesk, SECURITY, taken } from '../fixtures/open-desk.ts';

const PEOPLE: readonly NewEmployee[] = [
  { id: 'E1', name: '王小明', department: 'Lab, "A"' },
  { id: '=1+1', name: '-2; +3', access: [{ level: 'staff' }, { doors: ['front', 'lab'], schedule: 'office-hours' }] },
  { id: 'E3', name: "'=cmd", department: "'quoted'" },
  { id: 'E4', name: 'Gone' },
];

const site = async (t: Parameters<typeof openDesk>[0]): Promise<OpenDesk> => {
  const opened = await openDesk(t);
  const { desk } = opened;
  await taken(desk.employees.import(PEOPLE, CLERK));
  await taken(desk.cards.bind({ cardholder: 'E1', card: '04A2B3C4D5E680' }, CLERK));
  await taken(desk.cards.bind({ cardholder: 'E1', card: '04A2B3C4D5E681' }, CLERK));
  await taken(desk.cards.leave({ cardholder: 'E4' }, SECURITY));
  return opened;
};

const textOf = async (stream: AsyncIterable<string>): Promise<string> => {
  let text = '';
  for await (const piece of stream) text += piece;
  return text;
};

test('as JSON it has everybody who is here with their live cards, and imported again it changes nothing', async (t) => {
  const { desk } = await site(t);
  const stream = jsonOf(exportedEmployees(desk.state, { status: 'active' }), { site: 'hq' }, 'employees');
  const { site: name, employees } = JSON.parse(await textOf(stream));
  assert.equal(name, 'hq');
  assert.deepEqual(
    employees.map(({ id, cards }: { id: string; cards: { card: string }[] }) => [id, cards.map(({ card }) => card)]),
    [
      ['E1', ['04A2B3C4D5E680', '04A2B3C4D5E681']],
      ['=1+1', []],
      ['E3', []],
    ],
  );
  const again = await taken(desk.employees.import(employees, CLERK));
  assert.deepEqual(again, { added: 0, changed: 0, unchanged: 3 });
  const elsewhere = await openDesk(t);
  assert.equal((await taken(elsewhere.desk.employees.import(employees, CLERK))).added, 3);
  assert.deepEqual(elsewhere.desk.state.people.find('=1+1')?.access, PEOPLE[1]?.access);
});

test('as CSV no cell is a formula, and it reads back as it was', async (t) => {
  const { desk } = await site(t);
  const text = await textOf(csvOf(rosterTable(desk.state, { status: 'all' })));
  const rows: Record<string, string>[] = parse(text, { columns: true });
  for (const cell of rows.flatMap((row) => Object.values(row))) assert.doesNotMatch(cell, /^[=+\-@\t\r]/);
  assert.deepEqual(
    rows.map(({ id, cards, status }) => [id, cards, status]),
    [
      ['E1', '04A2B3C4D5E680; 04A2B3C4D5E681', 'active'],
      ["'=1+1", '', 'active'],
      ['E3', '', 'active'],
      ['E4', '', 'left'],
    ],
  );
  const people = rows.map(({ id = '', name = '', department = '', access = '' }) => ({
    id: fromCsvCell(id),
    name: fromCsvCell(name),
    ...(department !== '' && { department: fromCsvCell(department) }),
    access: JSON.parse(access),
  }));
  assert.deepEqual(await taken(desk.employees.import(people, CLERK)), { added: 0, changed: 0, unchanged: 4 });
});

test('text that begins as a formula, or as an apostrophe before one, is written so that it reads back', () => {
  for (const text of ['=1', "'=1", "''=1", '-', '\uFF1D1', "'", "'a", '', 'plain', '@x', "'-'"]) {
    assert.equal(fromCsvCell(toCsvCell(text)), text);
    assert.doesNotMatch(toCsvCell(text), /^[=+\-@\t\r\uFF1D]/u);
  }
});

test('a table of nobody has its head, and an empty list', async (t) => {
  const { desk } = await openDesk(t);
  const { state } = desk;
  const csv = await textOf(csvOf(rosterTable(state, { status: 'all' })));
  assert.equal(csv, 'id,name,department,status,access,cards,addedAt,changedAt\r\n');
  assert.equal(await textOf(jsonOf(exportedEmployees(state, { status: 'all' }), {})), '{"rows":[]}');
});
