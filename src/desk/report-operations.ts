// What the reports about operations and people have in common.

import type { DeskState } from './desk-state.ts';
import type { Operation } from './records.ts';
import type { ReportFilter } from './reports.ts';

export const operationFits = (operation: Operation, { operator, reason, cardholder }: ReportFilter): boolean =>
  (operator === undefined || operation.operator === operator) &&
  (reason === undefined || operation.reason === reason) &&
  (cardholder === undefined || operation.cardholder === cardholder.normalize('NFC'));

/** Who it is, as far as the desk knows. */
export const personColumns = (cardholder: string | undefined, { people }: Pick<DeskState, 'people'>) => {
  const person = cardholder === undefined ? undefined : people.find(cardholder);
  return { cardholder: cardholder ?? null, name: person?.name ?? null, department: person?.department ?? null };
};
