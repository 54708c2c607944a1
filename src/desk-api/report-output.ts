// How the rows of a report go out: as CSV for spreadsheets (RFC 4180) or as JSON, in pieces as they come, so that a report of any length
// needs no more memory than a short one.

import { Readable } from 'node:stream';
import { stringify } from 'csv-stringify/sync';
import * as z from 'zod';
import type { Cell, Report } from '../desk/report.ts';
import { toCsvCell } from '../domain/csv-cell.ts';

const CSV_TYPE = 'text/csv; charset=utf-8';
const JSON_TYPE = 'application/json; charset=utf-8';

/** As much of a reply as this takes. */
interface StreamReply {
  header(name: string, value: string): unknown;
  type(type: string): unknown;
  send(payload: unknown): unknown;
}

interface Table {
  /** Of the file that a browser makes of it, without its ending. */
  readonly name: string;
  readonly format: 'csv' | 'json';
  readonly csv: () => Report;
  readonly json: () => Readable;
}

/** Answers with the one or the other; the reply is to be returned then. */
export const sendTable = (reply: StreamReply, { name, format, csv, json }: Table): void => {
  reply.header('content-disposition', `attachment; filename="${name}.${format}"`);
  reply.type(format === 'csv' ? CSV_TYPE : JSON_TYPE);
  reply.send(format === 'csv' ? csvOf(csv()) : json());
};

/** The schema of such an answer. */
export const eitherAs = <Schema extends z.ZodType>(schema: Schema) => ({
  description: 'In the format that was asked for.',
  content: { 'application/json': { schema }, 'text/csv': { schema: z.string() } },
});

/** Rows that go out in one go. */
const BATCH = 256;

/** With a line that names the columns. */
export const csvOf = ({ columns, rows }: Report): Readable =>
  Readable.from(
    pieces(rows(), {
      head: csvText([columns]),
      text: (some) => csvText(some.map((row) => columns.map((column) => cellText(row[column] ?? null)))),
      foot: '',
    }),
  );

/** A JSON object: `head`, and the list `rows` as its last member. */
export const jsonOf = (rows: AsyncGenerator<object>, head: object, name = 'rows'): Readable => {
  const opening = JSON.stringify(head).slice(0, -1);
  return Readable.from(
    pieces(rows, {
      head: `${opening}${opening === '{' ? '' : ','}${JSON.stringify(name)}:[`,
      text: (some, isFirst) => `${isFirst ? '' : ','}${some.map((row) => JSON.stringify(row)).join(',')}`,
      foot: ']}',
    }),
  );
};

interface Writing<Item> {
  readonly head: string;
  text(some: readonly Item[], isFirst: boolean): string;
  readonly foot: string;
}

async function* pieces<Item>(items: AsyncGenerator<Item>, { head, text, foot }: Writing<Item>): AsyncGenerator<string> {
  let held: Item[] = [];
  let isFirst = true;
  yield head;
  for await (const item of items) {
    held.push(item);
    if (held.length < BATCH) continue;
    yield text(held, isFirst);
    isFirst = false;
    held = [];
  }
  yield `${held.length === 0 ? '' : text(held, isFirst)}${foot}`;
}

const csvText = (records: readonly (readonly string[])[]): string =>
  stringify([...records], { record_delimiter: '\r\n' });

const cellText = (cell: Cell): string => {
  if (cell === null) return '';
  return toCsvCell(typeof cell === 'object' ? cell.join('; ') : String(cell));
};
