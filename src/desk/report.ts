// What a report is: a name, columns, and rows that come one by one, so that a long one needs no more memory than a short one. JSON and
// CSV are made of the same rows.

export const REPORTS = ['changes', 'unused-cards', 'people-without-card', 'operations', 'attendance'] as const;
export type ReportName = (typeof REPORTS)[number];

/** A list is one cell of CSV, with semicolons. */
export type Cell = string | number | boolean | null | readonly (string | number)[];
/** Named as its columns are. */
export type Row<Column extends string = string> = Readonly<Record<Column, Cell>>;

export interface Report {
  readonly columns: readonly string[];
  /** Rejects with CardeaError for a record that does not decode. */
  rows(): AsyncGenerator<Row>;
}

/** A report whose rows have all the columns, and no others. */
export const reportOf = <const Column extends string>(
  columns: readonly Column[],
  rows: () => AsyncGenerator<Row<Column>>,
): Report => ({ columns, rows });
