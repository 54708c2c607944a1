// Many replacements as one: tried out line by line beforehand, then carried out in their order, each an operation of its own.
//
// 1. A line is carried out once: the batch is durable before its first line is, and who takes it up after a restart looks for the
//    operations that are there already.
// 2. A batch has an id, by default made of its lines: the same again is the same batch, and other lines under its id are refused.
// 3. With `all`, nothing is done where a line is faulty; what has changed since is found when its turn comes, and told of the line.
// 4. Bounded: MOST_ROWS lines, SLICE of them in one go, and UNDER_WAY slices on their way to the disk.
// 5. A batch has no rights of its own: a line is refused where its operator may not replace cards any more when its turn comes.
// 6. Those who look at one batch share what they see: it is put together once for a change, however many wait for it.

import { createHash } from 'node:crypto';
import { formatInstant, type MonotonicTime, seconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { DeskPut } from '../ports/desk-store.ts';
import type { AuditEntry } from './audit-trail.ts';
import { type Auditing, auditedRefusal, notPermitted } from './audited-refusal.ts';
import type { BatchRecords, StoredBatch } from './batch-records.ts';
import { type BatchFault, BatchRehearsal, isAlreadyDone, reissueFault } from './batch-rehearsal.ts';
import { type BatchView, isSettled, viewOf } from './batch-view.ts';
import type { CardDesk } from './card-desk.ts';
import type { Actor } from './card-requests.ts';
import { type StandingSources, stateOf } from './operation-standing.ts';
import type { Role } from './permissions.ts';
import type { BatchMode, BatchOutcome, BatchRecord, BatchRow } from './records.ts';
import { done, type Outcome, type Refusal } from './refusal.ts';
import { turnOfOthers } from './turn-of-others.ts';

export const MOST_ROWS = 20_000;
/** Lines that are begun together; some milliseconds. */
const SLICE = 25;
const UNDER_WAY = 6;
/** Lines that are checked together. */
const CHECKED = 100;
/** How long a view is good where nothing has changed but the time. */
const SHARED_FOR = seconds(1);
/** Views that are kept. */
const MOST_VIEWS = 4;

export interface BatchRequest {
  /** 1 to 64 letters, digits, `.`, `_`, `:` and `-`; default: made of the rows. */
  readonly id?: string | undefined;
  /** `all`: nothing is done where a line is faulty. `good`: the other lines are. */
  readonly mode: BatchMode;
  readonly rows: readonly BatchRow[];
}

/** Nothing was done. */
export interface FaultyBatch {
  readonly kind: 'faulty';
  readonly faults: readonly BatchFault[];
}

export interface BatchDeskDependencies extends StandingSources, Auditing {
  readonly records: BatchRecords;
  readonly cards: Pick<CardDesk, 'replace'>;
  /** Calls `listener` when something about an operation has changed; returns how to stop. */
  readonly onOperationChange: (listener: (operation: string) => void) => () => void;
  /** What an operator, or a program, may do now; undefined for one that is gone. Where it is left out, what they might at the start. */
  readonly rolesOf?: ((operator: string) => readonly Role[] | undefined) | undefined;
  /** A batch cannot go on, in words. */
  readonly onFault: (text: string) => void;
}

/** A batch that is being carried out. */
interface Running extends StoredBatch {
  readonly finished: Promise<void>;
}

interface SharedView {
  /** When it was begun, and how much had changed by then; undefined while another one has its turn. */
  begun?: { readonly changes: number; readonly at: MonotonicTime };
  readonly view: Promise<BatchView | undefined>;
}

/** Those who wait for one batch. */
interface Settling {
  waiters: number;
  readonly isSettled: Promise<void>;
  readonly ended: AbortController;
}

export class BatchDesk {
  readonly #deps: BatchDeskDependencies;
  readonly #running = new Map<string, Running>();
  /** Ids of batches that are being taken in: one after the other. */
  readonly #starting = new Map<string, Promise<unknown>>();
  readonly #views = new Map<string, SharedView>();
  readonly #settling = new Map<string, Settling>();
  readonly #stopCounting: () => void;
  /** Of operations and lines, so far. */
  #changes = 0;
  #isStopped = false;

  constructor(deps: BatchDeskDependencies) {
    this.#deps = deps;
    this.#stopCounting = deps.onOperationChange(() => this.#onChange());
  }

  /** What is wrong with the lines, each as if those before it were done; nothing is changed. */
  async check(rows: readonly BatchRow[], actor: Actor): Promise<Outcome<readonly BatchFault[]>> {
    const refusal = notPermitted(actor, 'run-batch') ?? shapeFault({ rows });
    if (refusal !== undefined) return await this.#refuse(actor, undefined, refusal);
    return done(await this.#faultsOf([...rows].sort(byLine)));
  }

  /** Takes a batch in, and goes on with it on its own. Rejects with CardeaError `store-write-failed`. */
  async start(request: BatchRequest, actor: Actor): Promise<Outcome<BatchView> | FaultyBatch> {
    this.#deps.writer.requireSound();
    const refusal = notPermitted(actor, 'run-batch') ?? shapeFault(request);
    if (refusal !== undefined) return await this.#refuse(actor, request.id, refusal);
    const rows = [...request.rows].sort(byLine);
    const fingerprint = await fingerprintOf(rows);
    const { id = fingerprint } = request;
    for (let other = this.#starting.get(id); other !== undefined; other = this.#starting.get(id)) {
      await other.catch(() => {});
    }
    const started = this.#take({ ...request, rows, id, fingerprint }, actor);
    this.#starting.set(id, started);
    try {
      return await started;
    } finally {
      this.#starting.delete(id);
    }
  }

  /** Undefined for one that is not known. */
  async find(id: string): Promise<StoredBatch | undefined> {
    return this.#running.get(id) ?? (await this.#deps.records.find(id));
  }

  /** As `find`. */
  view(id: string): Promise<BatchView | undefined> {
    const last = this.#views.get(id);
    if (last !== undefined && this.#isCurrent(last)) return last.view;
    const next: SharedView = { view: Promise.resolve(last?.view.catch(() => {})).then(() => this.#look(id, next)) };
    this.#views.delete(id);
    this.#views.set(id, next);
    const [oldest = id] = this.#views.keys();
    if (this.#views.size > MOST_VIEWS) this.#views.delete(oldest);
    return next.view;
  }

  /** Fulfils when all lines are done and their operations confirmed or refused by the gateways, or when `signal` is aborted. */
  async settled(id: string, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const settling = this.#settling.get(id) ?? this.#beginSettling(id);
    settling.waiters += 1;
    await Promise.race([abortOf(signal), settling.isSettled]).finally(() => {
      settling.waiters -= 1;
      if (settling.waiters > 0) return;
      settling.ended.abort();
      if (this.#settling.get(id) === settling) this.#settling.delete(id);
    });
  }

  /** Takes up what a restart has left unfinished. */
  async resume(): Promise<void> {
    for (const batch of await this.#deps.records.unfinished()) {
      const { id } = batch.header;
      if (!this.#running.has(id) && !this.#starting.has(id)) this.#run(batch);
    }
  }

  /** Ends between two slices; what is left is taken up at the next start. */
  async close(): Promise<void> {
    this.#isStopped = true;
    await Promise.all([...this.#running.values()].map(({ finished }) => finished));
    this.#stopCounting();
  }

  async #take(
    request: BatchRequest & { readonly id: string; readonly fingerprint: string },
    actor: Actor,
  ): Promise<Outcome<BatchView> | FaultyBatch> {
    const { records, writer, state, clock } = this.#deps;
    const { id, fingerprint, mode, rows } = request;
    const known = this.#running.get(id) ?? (await records.find(id));
    if (known !== undefined && known.header.fingerprint !== fingerprint) return await this.#refuse(actor, id, conflict);
    if (known !== undefined) return done(await viewOf(await this.#again(known, actor), this.#deps), true);
    const faults = await this.#faultsOf(rows);
    if (mode === 'all' && faults.length > 0) {
      const detail = `${faults.length} of ${rows.length} lines are faulty, nothing was done`;
      await writer.write([this.#auditPut(actor, id, { outcome: 'refused', code: 'invalid-request', detail })]);
      return { kind: 'faulty', faults };
    }
    const header: BatchRecord = {
      ...{ id, operator: actor.name, roles: [...actor.roles], at: formatInstant(clock.now()), fingerprint, mode },
      total: rows.length,
      after: state.operations,
    };
    const detail = `${rows.length} lines, ${faults.length} of them faulty`;
    const audit = (): DeskPut => this.#auditPut(actor, id, { outcome: 'done', detail });
    const batch = await records.add(header, { rows, outcomes: faults.map(outcomeOfFault), audit });
    this.#run(batch);
    return done(await viewOf(batch, this.#deps));
  }

  /** The same batch once more: lines that were refused are tried again where what was in their way is gone. */
  async #again(batch: StoredBatch, actor: Actor): Promise<StoredBatch> {
    const { finishedAt, isBroken, ...unfinished } = batch.header;
    if (finishedAt === undefined || isBroken === true) return batch;
    const refused = [...batch.lines.values()].flatMap(({ row, outcome }) =>
      outcome?.outcome === 'refused' ? [row] : [],
    );
    const faulty = new Set((await this.#faultsOf(refused)).map(({ line }) => line));
    const rows = refused.filter(({ line }) => !faulty.has(line));
    if (rows.length === 0) return batch;
    const header: BatchRecord = { ...unfinished, operator: actor.name, roles: [...actor.roles] };
    const lines = new Map([...batch.lines, ...rows.map((row) => [row.line, { row }] as const)]);
    const detail = `${rows.length} lines that were refused, again`;
    await this.#deps.records.reopen(header, rows, this.#auditPut(actor, header.id, { outcome: 'done', detail }));
    this.#run({ header, lines });
    this.#onChange();
    return { header, lines };
  }

  async #faultsOf(rows: readonly BatchRow[]): Promise<readonly BatchFault[]> {
    const { state, clock } = this.#deps;
    const rehearsal = new BatchRehearsal(state, clock.now());
    const faults: BatchFault[] = [];
    for (const [index, row] of rows.entries()) {
      if (index % CHECKED === CHECKED - 1) await turnOfOthers();
      const fault = rehearsal.next(row);
      if (fault !== undefined) faults.push(fault);
    }
    return faults;
  }

  #run(batch: StoredBatch): void {
    const { id } = batch.header;
    const finished = this.#carryOut(batch)
      .catch((error: unknown) => this.#deps.onFault(`batch ${id} cannot go on: ${errorMessage(error)}`))
      .finally(() => {
        this.#running.delete(id);
        this.#onChange();
      });
    this.#running.set(id, { ...batch, finished });
  }

  async #carryOut(batch: StoredBatch): Promise<void> {
    const { records, clock } = this.#deps;
    const rows = [...batch.lines.values()].flatMap(({ row, outcome }) => (outcome === undefined ? [row] : []));
    const slices: Promise<readonly PromiseSettledResult<void>[]>[] = [];
    for (let from = 0; from < rows.length; from += SLICE) {
      await turnOfOthers();
      if (this.#isStopped) break;
      slices.push(Promise.allSettled(rows.slice(from, from + SLICE).map((row) => this.#carryOutLine(batch, row))));
      if (slices.length > UNDER_WAY) requireAll(await slices.shift());
    }
    for (const slice of slices) requireAll(await slice);
    if (this.#isStopped) return;
    await records.finish(batch.header, formatInstant(clock.now()));
  }

  /** Without a pause up to the roster's change, so that lines take effect in their order. */
  async #carryOutLine({ header, lines }: StoredBatch, row: BatchRow): Promise<void> {
    const outcome = await this.#outcomeOf(row, header);
    lines.set(row.line, { row, outcome });
    this.#onChange();
    await this.#deps.records.noteOutcome(header.id, { row, outcome });
  }

  async #outcomeOf(row: BatchRow, header: BatchRecord): Promise<BatchOutcome> {
    const { cards, state } = this.#deps;
    const { id, operator } = header;
    const roles = this.#rolesOf(header);
    const { line, ...request } = row;
    const already = isAlreadyDone(row, state);
    if (already !== undefined) return { ...NO_FAULT, line, outcome: 'already', operation: already.card.boundBy };
    const fault = reissueFault(row, state);
    if (fault !== undefined) return outcomeOfFault({ line, ...fault });
    const outcome = await cards.replace(request, { name: operator, roles }, { id, line });
    if (outcome.kind === 'done') return { ...NO_FAULT, line, outcome: 'done', operation: outcome.value.id };
    return outcomeOfFault({ line, ...outcome.refusal });
  }

  /** Those that the operator had when the batch began, and has now. */
  #rolesOf({ operator, roles }: BatchRecord): readonly Role[] {
    const { rolesOf } = this.#deps;
    if (rolesOf === undefined) return roles;
    const present = rolesOf(operator) ?? [];
    return roles.filter((role) => present.includes(role));
  }

  #onChange(): void {
    this.#changes += 1;
  }

  #isCurrent({ begun }: SharedView): boolean {
    if (begun === undefined) return true;
    return begun.changes === this.#changes && this.#deps.clock.monotonic() - begun.at < SHARED_FOR;
  }

  async #look(id: string, shared: SharedView): Promise<BatchView | undefined> {
    shared.begun = { changes: this.#changes, at: this.#deps.clock.monotonic() };
    try {
      const batch = await this.find(id);
      const view = batch === undefined ? undefined : await viewOf(batch, this.#deps);
      if (view === undefined) this.#drop(id, shared);
      return view;
    } catch (error) {
      this.#drop(id, shared);
      throw error;
    }
  }

  #drop(id: string, shared: SharedView): void {
    if (this.#views.get(id) === shared) this.#views.delete(id);
  }

  #beginSettling(id: string): Settling {
    const ended = new AbortController();
    const settling = { waiters: 0, ended, isSettled: this.#untilSettled(id, abortOf(ended.signal)) };
    this.#settling.set(id, settling);
    return settling;
  }

  async #untilSettled(id: string, aborted: Promise<'aborted'>): Promise<void> {
    if ((await Promise.race([aborted, this.#running.get(id)?.finished])) === 'aborted') return;
    const batch = await this.#deps.records.find(id);
    const open = new Set<string>();
    for (const { outcome } of batch?.lines.values() ?? []) {
      const operation = outcome?.operation ?? undefined;
      if (operation !== undefined && this.#deps.state.open.has(operation)) open.add(operation);
    }
    if (open.size > 0) await this.#allSettled(open, aborted);
  }

  async #allSettled(open: Set<string>, aborted: Promise<'aborted'>): Promise<void> {
    const { promise, resolve } = pending();
    const look = (operation: string): void => {
      if (open.has(operation) && isSettled(stateOf(operation, this.#deps))) open.delete(operation);
      if (open.size === 0) resolve();
    };
    const stop = this.#deps.onOperationChange(look);
    let isAborted = false;
    void aborted.then(() => {
      isAborted = true;
      resolve();
    });
    for (const [index, operation] of [...open].entries()) {
      if (index % CHECKED === CHECKED - 1) await turnOfOthers();
      if (isAborted) break;
      look(operation);
    }
    await promise;
    stop();
  }

  #refuse({ name }: Actor, id: string | undefined, refusal: Refusal): Promise<Outcome<never>> {
    return auditedRefusal(this.#deps, { operator: name, action: 'run-batch', subject: id ?? null }, refusal);
  }

  #auditPut({ name }: Actor, id: string | undefined, entry: Pick<AuditEntry, 'outcome' | 'code' | 'detail'>): DeskPut {
    const { audit, clock } = this.#deps;
    return audit.append({ operator: name, action: 'run-batch', subject: id ?? null, ...entry }, clock.now());
  }
}

const abortOf = (signal: AbortSignal): Promise<'aborted'> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve('aborted');
    signal.addEventListener('abort', () => resolve('aborted'), { once: true });
  });

const pending = (): { readonly promise: Promise<void>; readonly resolve: () => void } => {
  let resolve = (): void => {};
  const promise = new Promise<void>((fulfil) => {
    resolve = fulfil;
  });
  return { promise, resolve };
};

const NO_FAULT = { code: null, detail: null } as const;

const outcomeOfFault = ({ line, code, detail }: BatchFault): BatchOutcome => ({
  line,
  outcome: 'refused',
  operation: null,
  code,
  detail,
});

const requireAll = (results: readonly PromiseSettledResult<void>[] | undefined): void => {
  for (const result of results ?? []) if (result.status === 'rejected') throw result.reason;
};

const conflict: Refusal = {
  code: 'request-conflict',
  detail: 'another batch has this id; choose a new one, or leave it out',
  path: 'id',
};

const ID = /^[\w.:-]{1,64}$/;

/** What is wrong with the request as such. */
const shapeFault = ({ id, rows }: Pick<BatchRequest, 'id' | 'rows'>): Refusal | undefined => {
  const invalid = (detail: string, path: string): Refusal => ({ code: 'invalid-request', detail, path });
  if (id !== undefined && !ID.test(id)) {
    return invalid('the id of a batch has 1 to 64 letters, digits, dots, colons, dashes and underscores', 'id');
  }
  if (rows.length === 0) return invalid('a batch has one line at least', 'rows');
  if (rows.length > MOST_ROWS) {
    return { code: 'too-large', detail: `a batch has ${MOST_ROWS} lines at most; make several of it`, path: 'rows' };
  }
  const lines = new Set<number>();
  for (const [index, { line }] of rows.entries()) {
    if (lines.has(line)) return invalid(`line ${line} is there twice`, `rows[${index}].line`);
    lines.add(line);
  }
  return undefined;
};

const byLine = (one: BatchRow, other: BatchRow): number => one.line - other.line;

/** Of the rows in their order. */
const fingerprintOf = async (rows: readonly BatchRow[]): Promise<string> => {
  const hash = createHash('sha256');
  for (const [index, { line, cardholder, newCard, oldCard = null, reason, note = null }] of rows.entries()) {
    if (index % CHECKED === CHECKED - 1) await turnOfOthers();
    hash.update(`${JSON.stringify([line, cardholder, newCard, oldCard, reason, note])}\n`);
  }
  return hash.digest('hex');
};
