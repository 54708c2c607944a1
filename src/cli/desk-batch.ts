// `cardea desk batch`: many replacements from a file, tried out before any is done, followed to the end, and reported line by line.
// The desk knows a batch by its lines: the same file again is the same batch, and none of its lines is done twice.

import { type BatchFault, type BatchRequest, type BatchView, batchView, dryRunAnswer } from '../desk-api/contract.ts';
import { CardeaError } from '../errors.ts';
import { columns } from './columns.ts';
import { type BatchFile, parseBatch } from './desk-batch-file.ts';
import { openBatchReport } from './desk-batch-report.ts';
import { pathOf } from './desk-client.ts';
import type { ServiceOptions } from './desk-options.ts';
import { readList } from './desk-table-file.ts';
import { type DeskVisit, visitDesk } from './desk-visit.ts';
import { startProgress } from './progress.ts';
import type { CliSession } from './session.ts';

export interface BatchOptions extends ServiceOptions {
  readonly dryRun?: boolean;
  readonly mode: BatchRequest['mode'];
  readonly id?: string;
  readonly report?: string;
  /** For the gateways. */
  readonly wait?: boolean;
  /** Seconds, for the gateways, and for a desk that deals with no further line. */
  readonly timeout: number;
}

/** As many lines are shown; the report has all of them. */
const SHOWN = 50;
const PATH = '/v1/batches';
/** How often the bar moves. */
const POLL_SECONDS = 2;

/** Ends with `no` unless every line is done, and with `wait` confirmed. */
export const runBatch = async (file: string, options: BatchOptions, session: CliSession): Promise<void> => {
  const list = parseBatch(await readList(session, file), file);
  if (list.rows.length + list.faults.length === 0) throw new CardeaError('invalid-request', `${file} has no lines`);
  const visit = await visitDesk(session, options);
  const faults = await faultsOf(visit, list, options);
  const isStopped =
    options.mode === 'all' ? faults.length > 0 : faults.length === list.rows.length + list.faults.length;
  if (options.dryRun === true || isStopped) {
    session.conclude(faults.length === 0);
    return await visit.print({ faults }, () => faultsText(file, faults, list));
  }
  if (faults.length > 0) for (const line of faultLines(file, faults)) visit.tell(line);
  const good = list.rows.length + list.faults.length - faults.length;
  await visit.questions.confirm(
    `Replace ${good} cards?${faults.length > 0 ? ` ${faults.length} lines are faulty.` : ''}`,
  );
  const report = options.report === undefined ? undefined : await openBatchReport(options.report);
  try {
    const view = await follow(visit, list, options);
    await report?.write(visit, list, view);
    session.conclude(isWhole(view, list, options));
    await visit.print({ ...view, faults: list.faults }, () => batchText(view, list, options));
  } finally {
    await report?.close();
  }
};

/** What the desk would refuse, and what cannot be asked of it; by line. */
const faultsOf = async (
  { desk }: DeskVisit,
  { rows, faults }: BatchFile,
  { mode }: BatchOptions,
): Promise<readonly BatchFault[]> => {
  const body: BatchRequest = { mode, dryRun: true, rows: [...rows] };
  const answer =
    rows.length === 0 ? { faults: [] } : await desk.ask(dryRunAnswer, { method: 'POST', path: PATH, body });
  return [...faults, ...answer.faults].sort((a, b) => a.line - b.line);
};

const faultLines = (file: string, faults: readonly BatchFault[]): readonly string[] => [
  ...faults.slice(0, SHOWN).map(({ line, code, detail }) => `${file}:${line}: ${detail} (${code})`),
  ...(faults.length > SHOWN ? [`and ${faults.length - SHOWN} more`] : []),
];

const faultsText = (file: string, faults: readonly BatchFault[], { rows, faults: own }: BatchFile): string => {
  const total = rows.length + own.length;
  if (faults.length === 0) return `all ${total} lines are good\n`;
  const lines = faultLines(file, faults).map((line) => `${line}\n`);
  return `${lines.join('')}${faults.length} of ${total} lines are faulty; nothing was done\n`;
};

/**
 * From its beginning, or from where it is, until all lines are dealt with or the desk does not go on, and with `wait` until the gateways
 * have answered.
 */
const follow = async (visit: DeskVisit, { rows }: BatchFile, options: BatchOptions): Promise<BatchView> => {
  const { desk, session } = visit;
  const { id, mode } = options;
  const body: BatchRequest = { mode, rows: [...rows], ...(id !== undefined && { id }) };
  const begun = await desk.ask(batchView, { method: 'POST', path: PATH, body });
  const path = pathOf`/v1/batches/${begun.id}`;
  const read = (wait: number, lines: 'all' | 'none'): Promise<BatchView> =>
    desk.ask(batchView, { path, query: { wait, lines }, wait });
  const { state } = await withProgress(session, 'replacements', rows.length, (update) =>
    waitForLines(begun, { read: () => read(1, 'none'), update, timeout: options.timeout }),
  );
  if (state === 'running') {
    const again = 'the same file again goes on where it is';
    visit.tell(`the desk has dealt with no further line for ${options.timeout} seconds; ${again}`);
  } else if (options.wait === true) {
    await withProgress(session, 'confirmed', rows.length, async (update) => {
      await waitForGateways(read, { update, timeout: options.timeout });
    });
  }
  return await read(0, 'all');
};

interface LinesToWaitFor {
  readonly read: () => Promise<BatchView>;
  readonly update: (dealtWith: number) => void;
  readonly timeout: number;
}

/** Until the batch has ended, or has not gone on for `timeout` seconds: it is `running` then. */
const waitForLines = async (begun: BatchView, { read, update, timeout }: LinesToWaitFor): Promise<BatchView> => {
  let view = begun;
  let reached = -1;
  let since = performance.now();
  while (view.state === 'running') {
    const dealtWith = view.done + view.already + view.refused;
    const now = performance.now();
    if (dealtWith > reached) {
      reached = dealtWith;
      since = now;
      update(dealtWith);
    } else if (now - since >= timeout * 1000) return view;
    view = await read();
  }
  return view;
};

/** The desk answers before the time is over when there is nothing more to wait for. */
const waitForGateways = async (
  read: (wait: number, lines: 'none') => Promise<BatchView>,
  { update, timeout }: { readonly update: (confirmed: number) => void; readonly timeout: number },
): Promise<void> => {
  const end = performance.now() + timeout * 1000;
  for (;;) {
    const begun = performance.now();
    const wait = Math.min(POLL_SECONDS, Math.ceil((end - begun) / 1000));
    const { confirmed } = await read(Math.max(0, wait), 'none');
    update(confirmed);
    const now = performance.now();
    if (now >= end || now - begun < wait * 500) return;
  }
};

const withProgress = async <Outcome>(
  { terminal }: CliSession,
  label: string,
  total: number,
  work: (update: (done: number) => void) => Promise<Outcome>,
): Promise<Outcome> => {
  const progress = await startProgress(terminal, { label, total });
  try {
    return await work((done) => progress.update(done));
  } finally {
    progress.stop();
  }
};

type Line = BatchView['lines'][number];

const isProven = ({ outcome, state, closedDoors }: Line): boolean =>
  outcome !== 'refused' && state === 'confirmed' && closedDoors.length === 0;

const isWhole = (
  { state, total, done, already, lines }: BatchView,
  { faults }: BatchFile,
  { wait }: BatchOptions,
): boolean =>
  state === 'finished' && faults.length === 0 && done + already === total && (wait !== true || lines.every(isProven));

const batchText = (view: BatchView, { faults }: BatchFile, { wait }: BatchOptions): string => {
  const { id, state, total, done, already, confirmed, refused } = view;
  const lacking = view.lines.filter((line) => line.outcome === 'refused' || (wait === true && !isProven(line)));
  const rows = [
    ...faults.map(({ line, code, detail }) => ({ line, cells: ['refused', '', `${detail} (${code})`] })),
    ...lacking.map((line) => ({ line: line.line, cells: [line.outcome, line.operation ?? '', lackText(line)] })),
  ].sort((a, b) => a.line - b.line);
  const table = rows.slice(0, SHOWN).map(({ line, cells }) => [String(line), ...cells]);
  const more = rows.length > SHOWN ? `and ${rows.length - SHOWN} more: see --report FILE\n` : '';
  const broken = [['', 'the desk was restored from a backup meanwhile: send what is not done as a new batch']];
  return [
    columns([
      ['batch', `${id}: ${state}`],
      ['lines', `${total + faults.length}: ${done} done, ${already} done before, ${refused + faults.length} refused`],
      ['confirmed', `${confirmed} by every gateway`],
      ...(state === 'broken' ? broken : []),
    ]),
    ...(table.length === 0 ? [] : ['\n', columns([['LINE', 'OUTCOME', 'OPERATION', ''], ...table]), more]),
  ].join('');
};

const lackText = ({ code, detail, state, missing, closedDoors }: Line): string =>
  [
    ...(detail === null ? [] : [`${detail} (${code ?? ''})`]),
    ...(state === null || state === 'confirmed'
      ? []
      : [`${state}: not confirmed by ${missing.join(', ') || 'any gateway'}`]),
    ...(closedDoors.length === 0 ? [] : [`stays closed: ${closedDoors.join(', ')}`]),
  ].join('; ');
