// `cardea desk report`: what the desk knows of a period, as a table for paper, or as CSV or JSON.

import { type ReportAnswer, type ReportName, reportAnswer } from '../desk-api/contract.ts';
import { parseDate } from '../domain/local-text.ts';
import { columns } from './columns.ts';
import { pathOf } from './desk-client.ts';
import type { ServiceOptions } from './desk-options.ts';
import { writeOut } from './desk-roster-file.ts';
import { visitDesk } from './desk-visit.ts';
import { localTime, localZone, parseTime } from './local-times.ts';
import type { ReportFormat } from './report-output.ts';
import type { CliSession } from './session.ts';
import { jsonLine } from './terminal.ts';

export interface DeskReportOptions extends ServiceOptions {
  readonly from?: string;
  readonly to?: string;
  readonly timezone?: string;
  readonly operator?: string;
  readonly reason?: string;
  readonly cardholder?: string;
  /** Default: a table. */
  readonly format?: ReportFormat;
  readonly output?: string;
}

export const printDeskReport = async (
  name: ReportName,
  options: DeskReportOptions,
  session: CliSession,
): Promise<void> => {
  const { from, to, timezone = localZone(), operator, reason, cardholder, output } = options;
  const format = options.json === true ? 'json' : options.format;
  const query = {
    from: boundOf(from, '--from', false),
    to: boundOf(to, '--to', true),
    ...{ timezone, operator, reason, cardholder },
    format: format === 'csv' ? 'csv' : 'json',
  };
  const visit = await visitDesk(session, options);
  const request = { path: pathOf`/v1/reports/${name}`, query };
  if (format === 'csv') return await writeOut(session, output, await visit.desk.text(request));
  const report = await visit.desk.ask(reportAnswer, request);
  await writeOut(session, output, format === 'json' ? jsonLine(report) : reportText(report));
};

/** A date is one of the report's time zone; anything else is a time of this computer's. */
const boundOf = (text: string | undefined, option: string, isEnd: boolean): string | undefined =>
  text === undefined || parseDate(text) !== undefined ? text : parseTime(text, option, { isEnd });

const reportText = ({ report, generatedAt, columns: names, rows }: ReportAnswer): string => {
  const count = `${rows.length} ${rows.length === 1 ? 'row' : 'rows'}`;
  const table = rows.map((row) => names.map((name) => cellText(row[name] ?? null)));
  return `${report}, ${localTime(generatedAt)}: ${count}\n\n${columns([names, ...table])}`;
};

type Cell = ReportAnswer['rows'][number][string];

const cellText = (cell: Cell): string => {
  if (cell === null) return '';
  if (typeof cell === 'object') return cell.join('; ');
  return typeof cell === 'boolean' ? (cell ? 'yes' : 'no') : String(cell);
};
