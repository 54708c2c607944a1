// The list of people with their cards as it leaves the desk. What is exported can be imported again as it is, and changes nothing
// then: people are found by their ids, and cards are left alone.

import type { DeskState } from './desk-state.ts';
import { EMPLOYEE_STATUSES, type Employee, type LiveCard } from './records.ts';
import { type Report, reportOf } from './report.ts';
import { turnOfOthers } from './turn-of-others.ts';

export interface ExportedEmployee extends Employee {
  /** Those that are live. */
  readonly cards: readonly LiveCard[];
}

export interface ExportOptions {
  /** `all`: those who have left, too, who would be there again where nobody knows them. */
  readonly status: Employee['status'] | 'all';
}

export const EXPORT_STATUSES = [...EMPLOYEE_STATUSES, 'all'] as const;

/** People who are taken in one go. */
const SLICE = 500;

export async function* exportedEmployees(
  state: DeskState,
  { status }: ExportOptions,
): AsyncGenerator<ExportedEmployee> {
  let count = 0;
  for (const employee of state.people.all()) {
    count += 1;
    if (count % SLICE === 0) await turnOfOthers();
    if (status !== 'all' && employee.status !== status) continue;
    yield { ...employee, cards: state.liveCardsOf(employee.id) };
  }
}

/** The same as a table; `access` is JSON. */
export const rosterTable = (state: DeskState, options: ExportOptions): Report =>
  reportOf(['id', 'name', 'department', 'status', 'access', 'cards', 'addedAt', 'changedAt'], async function* () {
    for await (const { id, name, department = null, status, access, cards, ...times } of exportedEmployees(
      state,
      options,
    )) {
      const { addedAt, changedAt } = times;
      const numbers = cards.map(({ card }) => card);
      yield { id, name, department, status, access: JSON.stringify(access), cards: numbers, addedAt, changedAt };
    }
  });
