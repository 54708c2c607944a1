// What every report has in common: it is on record, goes out row by row, can be ended between any two, shows how far it is, and
// says at the end what is missing from it.

import type { MissingLine, ReportName } from '../admin/protocol.ts';
import type { AccessEvent, EventName } from '../domain/access-event.ts';
import { instant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { AdminClient } from './admin-client.ts';
import { NO_PROGRESS, type Progress, startProgress } from './progress.ts';
import { type DateRange, DoorClocks, instantsOf, parseDates } from './report-dates.ts';
import { openOutput, type ReportFormat, type Row } from './report-output.ts';
import type { CliSession, GatewayOptions } from './session.ts';
import { plain } from './terminal.ts';

export interface ReportOptions extends GatewayOptions {
  readonly format: ReportFormat;
  readonly out?: string;
  readonly timezone?: string;
  readonly from?: string;
  readonly to?: string;
  readonly cardholder?: string;
}

/** What the rows of a report are made from. */
export interface ReportSource {
  readonly dates: DateRange;
  readonly clocks: DoorClocks;
  /** The events of these names on the days of the report, and on `daysAround` more before and after; some may lie outside. */
  events(names: readonly EventName[], daysAround: number): AsyncGenerator<AccessEvent>;
  cards(request: { readonly withRetired: boolean }): ReturnType<typeof cardsOf>;
  /** Something that whoever reads the report has to know. */
  note(text: string): void;
}

export interface Report {
  readonly name: ReportName;
  readonly columns: readonly string[];
  /** What is counted for the progress. */
  readonly isOf: 'events' | 'cards';
  rows(source: ReportSource): AsyncIterable<Row>;
}

/** After so many notes the others are only counted. */
const MOST_NOTES = 20;

export const printReport = async (report: Report, options: ReportOptions, session: CliSession): Promise<void> => {
  const dates = parseDates(options);
  const { name, columns, isOf } = report;
  const { cardholder, format, out } = options;
  const gateway = await session.gateway(options);
  const answer = await gateway.call('report', {
    report: name,
    operator: session.environment.operator(),
    ...(dates.from !== undefined && { from: dates.from }),
    ...(dates.to !== undefined && { to: dates.to }),
    ...(cardholder !== undefined && { cardholder }),
  });
  const clocks = new DoorClocks(answer.timeZones, options.timezone);
  const output = await openOutput(session, { format, file: out, columns });
  const progress = await progressOf(session, options, {
    label: isOf,
    total: isOf === 'cards' ? answer.cards : answer.lastSequence,
  });
  const notes = new Notes();
  const ended = new AbortController();
  const stopListening = session.environment.onEndSignal((signal) => ended.abort(signal));
  const source = new GatewaySource({ gateway, dates, clocks, progress, notes, signal: ended.signal });
  try {
    for await (const row of report.rows(source)) {
      await output.row(row);
      ended.signal.throwIfAborted();
    }
    await output.end();
  } catch (error) {
    progress.stop();
    // The first failure is the one to tell.
    await output.abandon().catch(() => {});
    if (!ended.signal.aborted) throw error;
    throw new CardeaError('report-failed', `ended by ${ended.signal.reason}: the report is not whole`);
  } finally {
    progress.stop();
    stopListening();
  }
  for (const line of notes.lines()) session.terminal.writeError(`cardea: ${plain(line)}\n`);
};

/** No bar where the rows go to the same terminal. */
const progressOf = async (
  { terminal }: CliSession,
  { out }: ReportOptions,
  work: { readonly label: string; readonly total: number },
): Promise<Progress> => (terminal.isInteractive && out === undefined ? NO_PROGRESS : startProgress(terminal, work));

class Notes {
  readonly #texts = new Set<string>();
  #others = 0;

  add(text: string): void {
    if (this.#texts.size < MOST_NOTES) this.#texts.add(text);
    else if (!this.#texts.has(text)) this.#others += 1;
  }

  lines(): readonly string[] {
    return [...this.#texts, ...(this.#others === 0 ? [] : [`and ${this.#others} more like these`])];
  }
}

interface SourceParts {
  readonly gateway: AdminClient;
  readonly dates: DateRange;
  readonly clocks: DoorClocks;
  readonly progress: Progress;
  readonly notes: Notes;
  readonly signal: AbortSignal;
}

const cardsOf = (gateway: AdminClient, withRetired: boolean, signal: AbortSignal) =>
  gateway.stream('cards', { retired: withRetired ? 'true' : 'false' }, signal);

class GatewaySource implements ReportSource {
  readonly #parts: SourceParts;
  readonly dates: DateRange;
  readonly clocks: DoorClocks;

  constructor(parts: SourceParts) {
    this.#parts = parts;
    this.dates = parts.dates;
    this.clocks = parts.clocks;
  }

  async *events(names: readonly EventName[], daysAround: number): AsyncGenerator<AccessEvent> {
    const { gateway, dates, progress, signal } = this.#parts;
    const selection = { names: names.join(','), ...instantsOf(dates, daysAround) };
    for await (const line of gateway.stream('select-events', selection, signal)) {
      if (line.type === 'missing') {
        this.#noteMissing(line);
        continue;
      }
      progress.update(line.sequence);
      if (line.type === 'event') yield line;
      else this.note(`event ${line.sequence} of the log cannot be read: what it told is missing here`);
    }
  }

  async *cards({ withRetired }: { readonly withRetired: boolean }): ReturnType<typeof cardsOf> {
    const { gateway, progress, signal } = this.#parts;
    let done = 0;
    for await (const line of cardsOf(gateway, withRetired, signal)) {
      done += 1;
      progress.update(done);
      yield line;
    }
  }

  note(text: string): void {
    this.#parts.notes.add(text);
  }

  #noteMissing({ from, to, since, until }: MissingLine): void {
    const { dates, clocks } = this;
    const date = (time: string): string => clocks.date(instant(Date.parse(time)), null);
    const isBefore = until !== null && dates.from !== undefined && date(until) < dates.from;
    const isAfter = since !== null && dates.to !== undefined && date(since) > dates.to;
    if (isBefore || isAfter) return;
    const when = until === null ? '' : `, from before ${until},`;
    this.note(`events ${from} to ${to}${when} are not in the log any more: what they told is missing here`);
  }
}
