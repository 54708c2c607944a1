// `cardea desk employee import` and `export`: the whole list of people, from HR's file and to one.

import { basename } from 'node:path';
import {
  cardAnswer,
  type ExportQuery,
  type ImportAnswer,
  type ImportRequest,
  importAnswer,
  MOST_LIST_BYTES,
  rosterExport,
} from '../desk-api/contract.ts';
import { CardeaError } from '../errors.ts';
import { columns } from './columns.ts';
import { pathOf, refusalPathOf } from './desk-client.ts';
import { type ImportEntry, parseEmployees } from './desk-employee-file.ts';
import { accessText } from './desk-operation.ts';
import type { ServiceOptions } from './desk-options.ts';
import { readList } from './desk-table-file.ts';
import { type DeskVisit, visitDesk } from './desk-visit.ts';
import { startProgress } from './progress.ts';
import { newFile } from './report-output.ts';
import type { CliSession } from './session.ts';
import { plainLines } from './terminal.ts';

export interface ImportOptions extends ServiceOptions {
  readonly dryRun?: boolean;
  readonly bindCards?: boolean;
}

export interface ExportOptions extends ServiceOptions {
  readonly format: NonNullable<ExportQuery['format']>;
  readonly status: NonNullable<ExportQuery['status']>;
}

/** As many people are shown before they are imported. */
const SHOWN = 5;
/** What stands around the people of a request. */
const FRAME_BYTES = 64;

export const importEmployees = async (file: string, options: ImportOptions, session: CliSession): Promise<void> => {
  const { people: entries, left } = parseEmployees(await readList(session, file), file);
  if (left > 0) session.terminal.writeError(`left out, because they have left: ${left} people of the file\n`);
  if (entries.length === 0) throw new CardeaError('invalid-request', `${file} names nobody who has not left`);
  if (options.dryRun === true) {
    const listed = entries.map(({ line, employee, cards }) => ({ line, ...employee, cards }));
    if (options.json === true) await session.printJson({ employees: listed, left });
    else await session.print(previewText(entries));
    return;
  }
  const visit = await visitDesk(session, options);
  if (visit.questions.arePossible && options.yes !== true) await session.print(previewText(entries));
  await visit.questions.confirm(questionText(entries, options));
  const people = await sendParts(visit, file, entries);
  const cards = options.bindCards === true ? await bindCards(visit, file, entries) : undefined;
  session.conclude(cards === undefined || cards.refused.length === 0);
  await visit.print({ ...people, ...(cards !== undefined && { cards }) }, () => outcomeText(people, cards));
};

const questionText = (entries: readonly ImportEntry[], { bindCards: areBound }: ImportOptions): string => {
  const cards = entries.reduce((sum, entry) => sum + entry.cards.length, 0);
  const what = `${entries.length} people${areBound === true ? `, and bind up to ${cards} cards to them` : ''}`;
  return `Import ${what}? Whoever is known is changed, nobody is removed.`;
};

interface BoundCards {
  readonly bound: number;
  /** The person has the card already. */
  readonly asBefore: number;
  readonly refused: readonly { readonly line: number; readonly card: string; readonly detail: string }[];
}

const outcomeText = ({ added, changed, unchanged }: ImportAnswer, cards: BoundCards | undefined): string => {
  const people = `${added} added, ${changed} changed, ${unchanged} as before\n`;
  if (cards === undefined) return people;
  const { bound, asBefore, refused } = cards;
  const faults = refused.map(({ line, card, detail }) => `line ${line}: card ${card}: ${detail}\n`);
  return `${people}${bound} cards bound, ${asBefore} as before, ${refused.length} refused\n${faults.join('')}`;
};

/**
 * One by one: a card that is refused keeps no other from its holder. Only numbers that the desk has never heard of are bound: an old list
 * brings nothing back that was stopped.
 */
const bindCards = async (
  { desk, session }: DeskVisit,
  file: string,
  entries: readonly ImportEntry[],
): Promise<BoundCards> => {
  const wanted = entries.flatMap(({ line, employee: { id }, cards }) => cards.map((card) => ({ line, id, card })));
  const refused: { readonly line: number; readonly card: string; readonly detail: string }[] = [];
  const counts = { bound: 0, asBefore: 0 };
  const progress = await startProgress(session.terminal, { label: 'cards', total: wanted.length });
  try {
    for (const [index, { line, id, card }] of wanted.entries()) {
      const known = await answerOrRefusal(desk.ask(cardAnswer, { path: pathOf`/v1/cards/${card}` }));
      if ('answer' in known) {
        const { state, cardholder } = known.answer;
        if (state === 'live' && cardholder === id.normalize('NFC')) counts.asBefore += 1;
        else refused.push({ line, card, detail: state === 'live' ? 'somebody else has it' : 'it was stopped' });
      } else {
        const body = { cardholder: id, card, note: `imported from ${basename(file)}` };
        const bound = await answerOrRefusal(desk.text({ method: 'POST', path: '/v1/bindings', body }));
        if ('answer' in bound) counts.bound += 1;
        else refused.push({ line, card, detail: bound.detail });
      }
      progress.update(index + 1);
    }
  } finally {
    progress.stop();
  }
  return { ...counts, refused };
};

/** Rejects where the desk does not answer, or does not know who asks. */
const answerOrRefusal = async <Answer>(
  asked: Promise<Answer>,
): Promise<{ readonly answer: Answer } | { readonly detail: string }> => {
  try {
    return { answer: await asked };
  } catch (error) {
    const isRefusal = error instanceof CardeaError && error.context['refusal'] !== undefined;
    if (isRefusal && error.context['refusal'] !== 'not-signed-in') return { detail: error.message };
    throw error;
  }
};

const previewText = (entries: readonly ImportEntry[]): string => {
  const rows = entries
    .slice(0, SHOWN)
    .map(({ line, cards, employee: { id, name, department = '', access } }) => [
      String(line),
      id,
      name,
      department,
      access?.map(accessText).join('; ') ?? 'the usual',
      cards.join(', '),
    ]);
  const more = entries.length > SHOWN ? `and ${entries.length - SHOWN} more\n` : '';
  return `${columns([['LINE', 'ID', 'NAME', 'DEPARTMENT', 'ACCESS', 'CARDS'], ...rows])}${more}`;
};

/** In as many requests as it takes; the same file again changes nothing twice. */
const sendParts = async (
  { desk, session }: DeskVisit,
  file: string,
  entries: readonly ImportEntry[],
): Promise<ImportAnswer> => {
  const total = { added: 0, changed: 0, unchanged: 0 };
  const progress = await startProgress(session.terminal, { label: 'people', total: entries.length });
  let sent = 0;
  try {
    for (const part of partsOf(entries)) {
      const body: ImportRequest = { employees: part.map(({ employee }) => employee) };
      const answer = await desk
        .ask(importAnswer, { method: 'POST', path: '/v1/imports', body })
        .catch((error: unknown) => {
          throw placed(error, { file, part, sent });
        });
      total.added += answer.added;
      total.changed += answer.changed;
      total.unchanged += answer.unchanged;
      sent += part.length;
      progress.update(sent);
    }
  } finally {
    progress.stop();
  }
  return total;
};

const partsOf = function* (entries: readonly ImportEntry[]): Generator<readonly ImportEntry[]> {
  let part: ImportEntry[] = [];
  let bytes = FRAME_BYTES;
  for (const entry of entries) {
    const size = Buffer.byteLength(JSON.stringify(entry.employee)) + 1;
    if (bytes + size > MOST_LIST_BYTES) {
      yield part;
      part = [];
      bytes = FRAME_BYTES;
    }
    part.push(entry);
    bytes += size;
  }
  yield part;
};

/** With the line of the file that the desk's refusal is about, and what was imported before it. */
const placed = (
  error: unknown,
  { file, part, sent }: { readonly file: string; readonly part: readonly ImportEntry[]; readonly sent: number },
): unknown => {
  if (!(error instanceof CardeaError)) return error;
  const [, index] = /^employees(?:\[|\.)(\d+)/.exec(refusalPathOf(error) ?? '') ?? [];
  const entry = index === undefined ? undefined : part[Number(index)];
  const where = entry === undefined ? '' : `${file}:${entry.line}: `;
  const before = sent === 0 ? '; nobody was imported' : `; the first ${sent} people of the file were imported`;
  return new CardeaError(error.code, `${where}${error.message}${before}`, { cause: error });
};

/** To a new file that only its owner can read, or to standard output. */
export const exportEmployees = async (
  file: string | undefined,
  options: ExportOptions,
  session: CliSession,
): Promise<void> => {
  const visit = await visitDesk(session, options);
  const { format, status } = options;
  const request = { path: '/v1/exports/roster', query: { format, status } };
  const text = format === 'csv' ? await visit.desk.text(request) : await exportedJson(visit, request);
  await writeOut(session, file, text);
};

const exportedJson = async ({ desk }: DeskVisit, request: Parameters<DeskVisit['desk']['ask']>[1]): Promise<string> =>
  `${JSON.stringify(await desk.ask(rosterExport, request), null, 2)}\n`;

/** A file is there when it is whole. Rejects with CardeaError `report-failed`. */
export const writeOut = async (session: CliSession, file: string | undefined, text: string): Promise<void> => {
  if (file === undefined) return await session.print(plainLines(text));
  const output = await newFile(file);
  await output.write(text);
  await output.end();
  session.terminal.writeError(`${file} is written\n`);
};
