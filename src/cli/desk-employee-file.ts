// A list of people as HR has it, CSV or JSON, brought into the shape in which the desk takes it.

import * as z from 'zod';
import { type NewEmployee, newEmployee } from '../desk-api/contract.ts';
import { CardeaError } from '../errors.ts';
import { EMPLOYEE_STATUSES } from './desk-choices.ts';
import { accessOf } from './desk-new-card.ts';
import { parseTable, refuseFaults, type TableFault, type TableRow } from './desk-table-file.ts';

export interface ImportEntry {
  /** Of the file, or the place in a JSON list, counted from 1. */
  readonly line: number;
  readonly employee: NewEmployee;
  /** Numbers of the cards that stand beside the person. */
  readonly cards: readonly string[];
}

export interface PeopleFile {
  readonly people: readonly ImportEntry[];
  /** How many were left out because they have left. */
  readonly left: number;
}

/** The last ones are those of an export of the desk, of which it knows more than a list. */
const COLUMNS = {
  needed: ['id', 'name'],
  optional: ['department', 'doors', 'schedule', 'level', 'access', 'status', 'cards', 'added_at', 'changed_at'],
};

/** A JSON list may be an export of the desk. A name that is not known is a fault: a misspelt `access` would open what is usual. */
const listedEmployee = newEmployee.extend({
  status: z.string().toLowerCase().pipe(z.enum(EMPLOYEE_STATUSES)).optional(),
  cards: z.array(z.union([z.string(), z.object({ card: z.string() }).transform(({ card }) => card)])).default([]),
  addedAt: z.string().optional(),
  changedAt: z.string().optional(),
});
const jsonList = z.union([z.array(z.unknown()), z.object({ employees: z.array(z.unknown()) })]);

/** Throws CardeaError `invalid-request` that names every faulty line. */
export const parseEmployees = (text: string, file: string): PeopleFile => {
  const isJson = /^[\s\uFEFF]*[[{]/.test(text);
  const entries = isJson ? jsonEntries(text, file) : csvEntries(text, file);
  const faults: TableFault[] = [];
  const people: ImportEntry[] = [];
  let left = 0;
  for (const { line, value } of entries) {
    const employee = listedEmployee.safeParse(value);
    if (!employee.success) {
      const [issue] = employee.error.issues;
      faults.push({ line, detail: [issue?.path.join('.'), issue?.message].filter(Boolean).join(': ') });
      continue;
    }
    const { status, cards, addedAt: _added, changedAt: _changed, ...rest } = employee.data;
    if (status === 'left') left += 1;
    else people.push({ line, employee: rest, cards });
  }
  refuseFaults(file, [...faults, ...doubles(people)]);
  return { people, left };
};

const doubles = (people: readonly ImportEntry[]): readonly TableFault[] => {
  const lines = new Map<string, number>();
  return people.flatMap(({ line, employee: { id } }) => {
    const first = lines.get(id);
    if (first === undefined) lines.set(id, line);
    return first === undefined ? [] : [{ line, detail: `the id ${id} is on line ${first} already` }];
  });
};

interface RawEntry {
  readonly line: number;
  readonly value: unknown;
}

const csvEntries = (text: string, file: string): readonly RawEntry[] =>
  parseTable(text, file, COLUMNS).map((row) => ({ line: row.line, value: personOf(row, file) }));

const personOf = (row: TableRow, file: string) => {
  const given = (column: string): string | undefined => row.cell(column) || undefined;
  const [doors, schedule, level] = ['doors', 'schedule', 'level'].map(given);
  const [department, status] = ['department', 'status'].map(given);
  // As an export writes them: a number may have a comma itself.
  const cards = (given('cards') ?? '').split(';').map((card) => card.trim());
  const exported = given('access');
  try {
    const named = accessOf({
      ...(doors !== undefined && { doors }),
      ...(schedule !== undefined && { schedule }),
      ...(level !== undefined && { level }),
    });
    const access: unknown = named ?? (exported === undefined ? undefined : parseJson(exported, `${file}:${row.line}`));
    return {
      id: row.cell('id'),
      name: row.cell('name'),
      ...(department !== undefined && { department }),
      ...(access !== undefined && { access }),
      ...(status !== undefined && { status }),
      cards: cards.filter((card) => card !== ''),
    };
  } catch (error) {
    if (!(error instanceof CardeaError)) throw error;
    const message = `${file}:${row.line}: name either doors (* for all), with a schedule or without, or a level alone`;
    throw new CardeaError('invalid-request', message);
  }
};

const jsonEntries = (text: string, file: string): readonly RawEntry[] => {
  const list = jsonList.safeParse(parseJson(text, file));
  if (!list.success) throw new CardeaError('invalid-request', `${file} is no list of people`);
  const values = Array.isArray(list.data) ? list.data : list.data.employees;
  return values.map((value, index) => ({ line: index + 1, value }));
};

const parseJson = (text: string, file: string): unknown => {
  try {
    return JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch (error) {
    throw new CardeaError('invalid-request', `${file} is not JSON`, { cause: error });
  }
};
