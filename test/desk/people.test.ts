// How a clerk finds somebody.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { People } from '../../src/desk/people.ts';
import type { Employee } from '../../src/desk/records.ts';

const employee = (id: string, name: string, fields: Partial<Employee> = {}): Employee => ({
  id,
  name,
  status: 'active',
  access: [{ doors: ['*'], schedule: 'always' }],
  addedAt: '2026-01-05T08:00:00.000Z',
  changedAt: '2026-01-05T08:00:00.000Z',
  ...fields,
});

const peopleOf = (...employees: readonly Employee[]): People => {
  const people = new People();
  for (const each of employees) people.put(each);
  return people;
};

const ids = (people: People, text: string, options: Partial<Parameters<People['search']>[1]> = {}) =>
  people.search(text, { limit: 10, ...options }).map(({ id }) => id);

test('a part of the name finds a person, in whatever script, width or case', () => {
  const people = peopleOf(
    employee('E1', '王小明'),
    employee('E2', '小王'),
    employee('E3', 'Zoë Müller'),
    employee('E4', 'ＡＬＩＣＥ Ｃｈｅｎ'),
    employee('E5', '𠮷田 花子'),
  );
  assert.deepEqual(ids(people, '王'), ['E1', 'E2']);
  assert.deepEqual(ids(people, '小明'), ['E1']);
  assert.deepEqual(ids(people, 'zoe\u0308 MÜLLER'), ['E3']);
  assert.deepEqual(ids(people, 'alice'), ['E4']);
  assert.deepEqual(ids(people, '𠮷'), ['E5']);
  assert.deepEqual(ids(people, 'nobody'), []);
});

test('every word counts, in any order, wherever it stands', () => {
  const people = peopleOf(
    employee('E1', 'Li Wei', { department: 'Lab' }),
    employee('E2', 'Wei Li', { department: 'Sales' }),
    employee('LAB-3', 'Chen'),
  );
  assert.deepEqual(ids(people, 'wei lab'), ['E1']);
  assert.deepEqual(ids(people, 'li wei'), ['E1', 'E2']);
  assert.deepEqual(ids(people, 'lab'), ['E1', 'LAB-3']);
  // A word does not go over the end of a name.
  assert.deepEqual(ids(people, 'weilab'), []);
});

test('who has the text as id comes first, then whose name begins with it; limits and statuses are kept to', () => {
  const people = peopleOf(
    employee('E7', 'Anne-Marie'),
    employee('E8', 'Marie'),
    employee('Marie', 'Somebody'),
    employee('E9', 'Marie Curie', { status: 'left' }),
  );
  assert.deepEqual(ids(people, 'marie'), ['Marie', 'E8', 'E9', 'E7']);
  assert.deepEqual(ids(people, 'marie', { limit: 2 }), ['Marie', 'E8']);
  assert.deepEqual(ids(people, 'marie', { status: 'left' }), ['E9']);
});

test('a hundred thousand people are searched, whoever of them was changed', () => {
  const people = new People();
  for (let index = 0; index < 100_000; index++) people.put(employee(`E${index}`, `Person ${index} 王`));
  people.put(employee('E99999', '獨一無二'));
  assert.equal(people.size, 100_000);
  assert.deepEqual(ids(people, '獨一'), ['E99999']);
  assert.deepEqual(ids(people, 'Person 99999 王'), []);
  assert.deepEqual(ids(people, 'person 77777'), ['E77777']);
  assert.deepEqual(ids(people, 'e54321'), ['E54321']);
  assert.equal(people.search('王', { limit: 25 }).length, 25);
});
