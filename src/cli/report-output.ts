// Where the rows of a report go, and how they look there: CSV for spreadsheets (RFC 4180), or one JSON array. Rows go out as they
// come, so that a report of any length needs no more memory than a short one; never a part of a row.

import { existsSync, promises } from 'node:fs';
import { CardeaError, errorMessage } from '../errors.ts';
import type { CliSession } from './session.ts';
import { jsonLine, plain } from './terminal.ts';

export const FORMATS = ['csv', 'json'] as const;
export type ReportFormat = (typeof FORMATS)[number];

/** A list is one cell of CSV, with semicolons. */
export type Cell = string | number | boolean | null | readonly (string | number)[];
/** Named as its columns are. */
export type Row = Readonly<Record<string, Cell>>;

/** Rows that go out in one go. */
const BATCH = 256;

export interface ReportOutput {
  /** Resolves when there is room for more. */
  row(row: Row): Promise<void>;
  /** Writes what is left; a file gets its name now. */
  end(): Promise<void>;
  /** The report is not whole: what is there of it goes to standard output, but no file is left. */
  abandon(): Promise<void>;
}

interface Encoder {
  readonly head: string;
  rows(rows: readonly Row[], isFirst: boolean): string;
  readonly foot: string;
}

/** Rejects with CardeaError `report-failed` when the file is there already or cannot be made. */
export const openOutput = async (
  session: CliSession,
  target: { readonly format: ReportFormat; readonly file: string | undefined; readonly columns: readonly string[] },
): Promise<ReportOutput> => {
  const encoder = target.format === 'csv' ? await csvEncoder(target.columns) : JSON_ENCODER;
  const sink = target.file === undefined ? terminalSink(session) : await newFile(target.file);
  return new BatchedOutput(encoder, sink);
};

class BatchedOutput implements ReportOutput {
  readonly #encoder: Encoder;
  readonly #sink: Sink;
  #rows: Row[] = [];
  #isBegun = false;

  constructor(encoder: Encoder, sink: Sink) {
    this.#encoder = encoder;
    this.#sink = sink;
  }

  async row(row: Row): Promise<void> {
    this.#rows.push(row);
    if (this.#rows.length >= BATCH) await this.#flush();
  }

  async end(): Promise<void> {
    await this.#flush();
    await this.#sink.write(this.#encoder.foot);
    await this.#sink.end();
  }

  async abandon(): Promise<void> {
    await this.#flush();
    await this.#sink.abandon();
  }

  async #flush(): Promise<void> {
    const head = this.#isBegun ? '' : this.#encoder.head;
    const rows = this.#rows.length === 0 ? '' : this.#encoder.rows(this.#rows, !this.#isBegun);
    this.#isBegun ||= this.#rows.length > 0;
    this.#rows = [];
    await this.#sink.write(head + rows);
  }
}

/** A cell that a spreadsheet would take for a formula begins with an apostrophe (OWASP, CSV injection). */
const csvEncoder = async (columns: readonly string[]): Promise<Encoder> => {
  const { stringify } = await import('csv-stringify/sync');
  const encode = (rows: readonly (readonly string[])[]): string =>
    stringify([...rows], { record_delimiter: '\r\n', escape_formulas: true });
  return {
    head: encode([columns]),
    rows: (rows) => encode(rows.map((row) => columns.map((column) => cellText(row[column] ?? null)))),
    foot: '',
  };
};

/** A whole list as CSV, the columns in its first line. */
export const tableText = async (columns: readonly string[], rows: readonly Row[]): Promise<string> => {
  const encoder = await csvEncoder(columns);
  return `${encoder.head}${encoder.rows(rows, true)}`;
};

const cellText = (cell: Cell): string => {
  if (cell === null) return '';
  return plain(typeof cell === 'object' ? cell.join('; ') : String(cell));
};

const JSON_ENCODER: Encoder = {
  head: '[\n',
  rows: (rows, isFirst) => `${isFirst ? '' : ',\n'}${rows.map((row) => jsonLine(row).trimEnd()).join(',\n')}`,
  foot: '\n]\n',
};

interface Sink {
  write(text: string): Promise<void>;
  end(): Promise<void>;
  abandon(): Promise<void>;
}

const terminalSink = (session: CliSession): Sink => ({
  write: (text) => (text === '' ? Promise.resolve() : session.print(text)),
  end: async () => {},
  abandon: async () => {},
});

/** A report holds names: the file is its owner's alone. It has its name only when it is whole. */
export const newFile = async (
  path: string,
  { mayReplace = false }: { readonly mayReplace?: boolean } = {},
): Promise<Sink> => {
  const failed = (error: unknown): CardeaError =>
    new CardeaError('report-failed', `the report cannot be written to ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  const partial = `${path}.part`;
  if (!mayReplace && existsSync(path)) throw failed('it is there already');
  // A run that was ended may have left it.
  if (mayReplace) await promises.rm(partial, { force: true }).catch(() => {});
  const file = await promises.open(partial, 'wx', 0o600).catch((error: unknown) => {
    throw failed(error);
  });
  const discard = async (): Promise<void> => {
    await file.close().catch(() => {});
    await promises.rm(partial, { force: true }).catch(() => {});
  };
  const orFail = async (step: () => Promise<unknown>): Promise<void> => {
    try {
      await step();
    } catch (error) {
      await discard();
      throw failed(error);
    }
  };
  return {
    write: (text) => orFail(() => file.appendFile(text)),
    end: () =>
      orFail(async () => {
        await file.sync();
        await file.close();
        await promises.rename(partial, path);
      }),
    abandon: discard,
  };
};
