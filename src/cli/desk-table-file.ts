// Lists that clerks bring along: CSV as spreadsheets write it (UTF-8, with a byte order mark or without, commas or semicolons). Every row
// keeps the number of its line, so that whatever is wrong with it can be found.

import { promises } from 'node:fs';
import { CsvError, parse } from 'csv-parse/sync';
import { fromCsvCell } from '../domain/csv-cell.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { CliSession } from './session.ts';

export interface TableRow {
  /** Counted from 1, the head included. */
  readonly line: number;
  /** Trimmed; empty where the row has no such cell. */
  cell(column: string): string;
}

export interface TableFault {
  readonly line: number;
  readonly detail: string;
}

export interface TableColumns {
  readonly needed: readonly string[];
  readonly optional: readonly string[];
}

/** `-` is standard input. Rejects with CardeaError `invalid-request`. */
export const readList = async ({ environment }: CliSession, file: string): Promise<string> => {
  const bytes = file === '-' ? await environment.readInput() : await bytesOf(file);
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (error) {
    const message = `${file === '-' ? 'standard input' : file} is not UTF-8: save it as "CSV UTF-8", or the names in it are lost`;
    throw new CardeaError('invalid-request', message, { cause: error });
  }
};

const bytesOf = async (file: string): Promise<Uint8Array> => {
  try {
    return await promises.readFile(file);
  } catch (error) {
    throw new CardeaError('invalid-request', `the file cannot be read: ${errorMessage(error)}`, { cause: error });
  }
};

/** Throws CardeaError `invalid-request`, with the line, for a text that is no table with these columns. */
export const parseTable = (text: string, file: string, columns: TableColumns): readonly TableRow[] => {
  const [head, ...rows] = parseRecords(text.replaceAll('\r\n', '\n'), file);
  if (head === undefined) throw faulty(file, 1, 'the file is empty; its first line names the columns');
  const names = head.cells.map(columnName);
  checkHead(names, { file, line: head.line, columns });
  return rows.flatMap(({ line, cells }) => {
    if (cells.every((cell) => cell === '')) return [];
    if (cells.length > names.length)
      throw faulty(file, line, `${cells.length} cells, but the head has ${names.length} columns`);
    return [{ line, cell: (column) => fromCsvCell(cells[names.indexOf(column)] ?? '') }];
  });
};

/** New-Card, NEW CARD and newCard are new_card. */
const columnName = (cell: string): string =>
  cell
    .replaceAll(/([a-z])([A-Z])/g, '$1_$2')
    .toLowerCase()
    .replaceAll(/[\s_-]+/g, '_');

const checkHead = (
  names: readonly string[],
  { file, line, columns }: { readonly file: string; readonly line: number; readonly columns: TableColumns },
): void => {
  const known = [...columns.needed, ...columns.optional];
  const unknown = names.find((name) => !known.includes(name));
  const missing = columns.needed.find((name) => !names.includes(name));
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  const all = `the columns are ${known.join(', ')}`;
  if (missing !== undefined) throw faulty(file, line, `there is no column ${missing}; ${all}`);
  if (unknown !== undefined) throw faulty(file, line, `the column ${JSON.stringify(unknown)} is not known; ${all}`);
  if (twice !== undefined) throw faulty(file, line, `the column ${twice} is there twice`);
};

/** `text` with `\n` alone: in quotes the parser counts `\r\n` as two lines. */
const parseRecords = (text: string, file: string): { readonly line: number; readonly cells: readonly string[] }[] => {
  const [firstLine = ''] = text.split('\n', 1);
  const delimiter = firstLine.includes(',') || !firstLine.includes(';') ? ',' : ';';
  try {
    const lines: number[] = [];
    const records = parse(text, {
      bom: true,
      delimiter,
      trim: true,
      relax_column_count: true,
      skip_empty_lines: true,
      on_record: (record: string[], context) => {
        lines.push(context.lines);
        return record;
      },
    });
    return records.map((cells, index) => ({ line: lineOf(lines[index] ?? 0, cells), cells: cells.map(unguarded) }));
  } catch (error) {
    if (!(error instanceof CsvError)) throw error;
    throw faulty(file, Number(error['lines'] ?? 1), error.message);
  }
};

/** Whoever writes CSV for spreadsheets puts an apostrophe before what they would take for a formula (OWASP, CSV injection). */
const unguarded = (cell: string): string => cell.replace(/^'(?=[=+\-@\uFF1D\uFF0B\uFF0D\uFF20])/, '');

/** Where a record begins: the parser counts to its end, and a cell in quotes may go over lines. */
const lineOf = (last: number, cells: readonly string[]): number =>
  last - cells.reduce((breaks, cell) => breaks + (cell.match(/\r|\n/g)?.length ?? 0), 0);

const faulty = (file: string, line: number, detail: string): CardeaError =>
  new CardeaError('invalid-request', `${file}:${line}: ${detail}`);

/** Throws CardeaError `invalid-request` with a line for each of the faults, the first ones. */
export const refuseFaults = (file: string, faults: readonly TableFault[]): void => {
  if (faults.length === 0) return;
  const shown = faults.slice(0, MOST_FAULTS).map(({ line, detail }) => `${file}:${line}: ${detail}`);
  const more = faults.length > MOST_FAULTS ? [`and ${faults.length - MOST_FAULTS} more`] : [];
  throw new CardeaError('invalid-request', [...shown, ...more].join('\n'));
};

const MOST_FAULTS = 50;
