// The events of one backup on their way into the log, the newest first: in the place of the log here, in front of it, or not at all
// (restored-log.ts says which).
//
// 1. The log is whole after each page, and begins with what was taken last.
// 2. What of the backup waits for HR is sent; what does not fit is told.

import type { NewEvent } from '../domain/access-event.ts';
import type { JsonValue } from '../domain/canonical-json.ts';
import type { SequenceRange } from '../domain/log-chain.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog, LogEntry } from '../ports/event-log.ts';
import type { BackupHeader } from '../wire/backup-format.ts';
import { readSlots } from './read-log.ts';
import { appendAnew, gapAfter, type LogFate, MOST_UNSENT } from './restored-log.ts';
import type { SerialWriter } from './serial-writer.ts';

/** Entries of the log that are read in one go. */
const PAGE = 100;

interface Dependencies {
  readonly header: BackupHeader;
  readonly operator: string;
  readonly fate: LogFate;
  readonly store: EventLog;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
}

export class LogRestore {
  readonly #deps: Dependencies;
  /** Events of the backup that have not left its outbox, until the log is replaced. */
  #unsent: LogEntry[] = [];
  #missing: SequenceRange | null = null;
  /** What the log begins with, once something was put in front of it. */
  #first: number | undefined;
  #events = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  get fate(): LogFate {
    return this.#deps.fate;
  }

  /** So many were taken. */
  get events(): number {
    return this.#events;
  }

  /** Numbers that are gone for good, once the log is replaced; null where it is not. */
  get missing(): SequenceRange | null {
    return this.#missing;
  }

  /** Those that had not left the outbox get in together with the new end of the log, so that they are sent. Rejects as the writer does. */
  async take(entries: readonly LogEntry[]): Promise<void> {
    const { fate, header } = this.#deps;
    if (fate !== 'replaced') return fate === 'continued' ? this.#putInFront(entries) : undefined;
    if (this.#missing !== null) return this.#putInFront(entries);
    const sent = entries.findIndex(({ event }) => event.sequence <= header.log.acknowledgedUpTo);
    this.#unsent.push(...(sent === -1 ? entries : entries.slice(0, sent)));
    const isFull = this.#unsent.length >= MOST_UNSENT;
    if (sent === -1 && !isFull) return;
    await this.#replace();
    if (sent !== -1) await this.#putInFront(entries.slice(sent));
  }

  /** All of them were there. Rejects as the writer does. */
  async end(): Promise<void> {
    if (this.fate === 'replaced' && this.#missing === null) await this.#replace();
    if (this.#missing === null) await this.#deps.writer.write((tx) => void tx.append(this.#restored(null)));
  }

  async #putInFront(entries: readonly LogEntry[]): Promise<void> {
    const { store, writer } = this.#deps;
    const first = store.firstSequence();
    // What is old was removed meanwhile, and these are older.
    if (first > (this.#first ?? first)) return;
    // What an earlier attempt has put there already.
    const missing = entries.filter(({ event }) => event.sequence < first);
    const oldest = missing.at(-1)?.event;
    if (oldest === undefined) return;
    await writer.write((tx) => tx.putHistory({ entries: missing, trimmed: before(oldest), first }));
    this.#first = oldest.sequence;
    this.#events += missing.length;
  }

  async #replace(): Promise<void> {
    const { header, store, writer, clock } = this.#deps;
    const { sequence, hash, acknowledgedUpTo } = header.log;
    const gap = gapAfter(header, clock.now());
    const entries = this.#unsent;
    const oldest = entries.at(-1)?.event;
    const trimmed = oldest === undefined ? { sequence, hash } : before(oldest);
    await writer.writeAlone(async (tx) => {
      // Where nothing of the backup waits, nothing that waits has a number in the gap.
      const acknowledged = oldest === undefined ? gap.to : Math.max(acknowledgedUpTo, trimmed.sequence);
      const replacing = { acknowledgedUpTo: acknowledged, gap };
      tx.replaceLog({ entries, trimmed, replacing }, { sequence: gap.to, hash });
      tx.append(this.#restored(gap));
      if (oldest !== undefined && trimmed.sequence > acknowledgedUpTo) {
        tx.append(this.#dropped({ from: acknowledgedUpTo + 1, to: trimmed.sequence }));
      }
      for await (const entry of entriesOf(store)) appendAnew(tx, entry);
    });
    this.#missing = gap;
    this.#events += entries.length;
    this.#unsent = [];
  }

  #restored(missing: SequenceRange | null): NewEvent {
    const { header, operator, fate } = this.#deps;
    const { createdAt, roster, log } = header;
    const gone = missing && { ...missing };
    const { revision } = roster;
    return this.#event('store-restored', {
      operator,
      createdAt,
      revision,
      sequence: log.sequence,
      log: fate,
      missing: gone,
    });
  }

  /** What waits for HR is never given up in silence. */
  #dropped(range: SequenceRange): NewEvent {
    const detail = { ...range, reason: 'restore' };
    this.#deps.log.error(detail, 'events of the backup are not sent: there are too many that HR has not acknowledged');
    return this.#event('events-dropped', detail);
  }

  #event(event: 'store-restored' | 'events-dropped', detail: JsonValue): NewEvent {
    const { clock } = this.#deps;
    return { event, at: clock.now(), clockSynchronized: clock.isSynchronized(), detail };
  }
}

const before = ({ sequence, previousHash }: { readonly sequence: number; readonly previousHash: string }) => ({
  sequence: sequence - 1,
  hash: previousHash,
});

/** All that can be read. */
async function* entriesOf(log: EventLog): AsyncGenerator<LogEntry> {
  for (let after = log.firstSequence() - 1; after < log.tail().sequence; ) {
    const slots = await readSlots(log, after, PAGE);
    for (const { entry } of slots) if (entry !== undefined) yield entry;
    after = slots.at(-1)?.sequence ?? after + PAGE;
  }
}
