// The desk as a whole: what it knows, what operators may do, and what it tells and hears over the link. It speaks to gateways as
// PROTOCOL.md has it and in no other way.
//
// 1. What goes out is durable: the digest and the pages, too, wait for the records of the changes that are in them.

import type { CardNumberFormat } from '../domain/card-number.ts';
import type { SiteId } from '../domain/ids.ts';
import { formatInstant, type Milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import type { HrLink, HrLinkListener, InboundMessage } from '../ports/hr-link.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import { AuditTrail } from './audit-trail.ts';
import { BatchDesk } from './batch-desk.ts';
import { BatchRecords } from './batch-records.ts';
import { CardDesk } from './card-desk.ts';
import { Confirmations, type GatewayOpener } from './confirmations.ts';
import { DeskState } from './desk-state.ts';
import { DeskWriter } from './desk-writer.ts';
import { EmployeeDesk } from './employee-desk.ts';
import { EventArchive } from './event-archive.ts';
import { EventRecords } from './event-records.ts';
import { OperationSender } from './operation-sender.ts';
import { type Standing, silentGatewaysOf, standingOf, stateOf } from './operation-standing.ts';
import type { Role, SigningRole } from './permissions.ts';
import { type OperationProof, type OperationState, type ProofRules, proofOf } from './proof.ts';
import {
  type Access,
  decodeRecord,
  type Operation,
  operationKey,
  operationRecord,
  type Proof,
  proofRecord,
  proofsOf,
  type Usage,
} from './records.ts';
import { RequestMemory } from './request-memory.ts';
import { RosterPublisher } from './roster-publisher.ts';
import { type CardEvent, UsageBook } from './usage-book.ts';

export interface DeskDependencies {
  readonly site: SiteId;
  readonly cardNumberFormat: CardNumberFormat;
  readonly newEpoch: string;
  readonly store: DeskStore;
  readonly link: HrLink;
  readonly clock: Clock;
  readonly seals: Readonly<Record<SigningRole, MessageSeal>>;
  readonly open: GatewayOpener;
  readonly rules: ProofRules;
  /** Gateways that have to confirm whether or not they were ever heard of: those that the configuration has keys of. */
  readonly expectedGateways?: readonly string[];
  readonly confirmWithin: Milliseconds;
  readonly defaultAccess: Access;
  /**
   * What somebody may do now, who has begun a batch; undefined for nobody. Where it is given, batches that were not finished wait for
   * `batches.resume()`, until there is an answer.
   */
  readonly rolesOf?: (operator: string) => readonly Role[] | undefined;
  readonly newMessageId: () => string;
  /** The desk cannot go on, and has to begin anew. */
  readonly onFailure: (error: unknown) => void;
  /** Something that somebody should hear of; the desk goes on. */
  readonly onFault: (text: string) => void;
}

/** An operation, and what is proven of it. */
export interface OperationView {
  readonly operation: Operation;
  readonly proof: OperationProof;
}

export class Desk implements HrLinkListener {
  readonly state: DeskState;
  readonly cards: CardDesk;
  readonly employees: EmployeeDesk;
  readonly batches: BatchDesk;
  readonly writer: DeskWriter;
  readonly audit: AuditTrail;
  readonly usage: UsageBook;
  readonly archive: EventArchive;
  readonly #deps: DeskDependencies;
  readonly #confirmations: Confirmations;
  readonly #sender: OperationSender;
  readonly #publisher: RosterPublisher;
  readonly #watchers = new Set<(operation: string) => void>();
  readonly #eventWatchers = new Set<(events: readonly CardEvent[]) => void>();

  private constructor(deps: DeskDependencies, state: DeskState, audit: AuditTrail) {
    const { store, link, clock, seals, onFault, onFailure } = deps;
    this.#deps = deps;
    this.state = state;
    this.audit = audit;
    this.writer = new DeskWriter(store, onFailure);
    this.usage = new UsageBook(store);
    const { writer, usage } = this;
    // Invariant 1: whatever is in the JSON, its records are on the disk before it is signed.
    const sealDurable = async (json: string): Promise<string> => {
      await writer.write([]);
      return await seals.desk(json);
    };
    const onError = (error: unknown): void => onFault(errorMessage(error));
    this.#publisher = new RosterPublisher({
      roster: state.publishedRoster,
      ...{ link, clock, seal: sealDurable, onFault: onError },
    });
    this.#confirmations = new Confirmations({
      ...deps,
      state,
      writer,
      onChange: (operation) => this.#tellWatchers(operation),
      onOnline: () => this.#sender.askAgain(),
    });
    this.#sender = new OperationSender({
      publish: (messageType, payload) => this.#publisher.publishSealed(messageType, payload),
      seals,
      isConnected: () => link.isConnected(),
      clock,
      open: () => state.open.values(),
      silentGateways: (operation) => silentGatewaysOf(operation, { ...deps, state }),
      onSent: (operation) => this.#confirmations.onSent(operation),
      onFault: onError,
    });
    this.cards = new CardDesk({
      ...deps,
      state,
      writer,
      audit,
      requests: new RequestMemory(store),
      readOperation: (id) => this.#readOperation(id),
      onOperation: (operation) => {
        this.#confirmations.expect(operation);
        this.#sender.send(operation);
      },
    });
    this.employees = new EmployeeDesk({ ...deps, state, writer, audit });
    this.batches = new BatchDesk({
      ...deps,
      state,
      writer,
      audit,
      cards: this.cards,
      records: new BatchRecords(store, writer),
      onOperationChange: (listener) => this.onOperationChange(listener),
    });
    this.archive = new EventArchive({
      site: deps.site,
      journal: new EventRecords({ store, writer, usage, onEvents: (events) => this.#onEvents(events) }),
      link,
      seal: sealDurable,
      open: async (payload, gateway) => (await deps.open(gateway, payload))?.json,
      onFault,
    });
  }

  /** Rejects with CardeaError for a store that cannot be used. */
  static async open(deps: DeskDependencies): Promise<Desk> {
    const state = await DeskState.load(deps.store, deps);
    const desk = new Desk(deps, state, await AuditTrail.open(deps.store));
    await desk.archive.load();
    desk.#expectGateways(deps.expectedGateways ?? []);
    await desk.#activateWhatWasHeld();
    if (deps.rolesOf === undefined) await desk.batches.resume();
    return desk;
  }

  /** Messages that the broker has not taken. */
  get unsent(): number {
    return this.#sender.unsent;
  }

  onConnect(): void {
    // What waits goes before the digest that has it.
    this.#sender.onConnect();
    this.#publisher.onConnect();
    this.archive.onConnect();
  }

  onDisconnect(): void {}

  async onMessage(message: InboundMessage): Promise<void> {
    await Promise.all([
      this.#confirmations.onMessage(message),
      this.archive.onMessage(message),
      this.#publisher.onMessage(message),
    ]);
  }

  /** Undefined for one that is not known. */
  async operation(id: string): Promise<OperationView | undefined> {
    const open = this.state.open.get(id);
    const operation = open ?? (await this.#findOperation(id));
    if (operation === undefined) return undefined;
    const proofs = open === undefined ? await this.#readProofs(id) : this.state.proofs.get(id);
    const { newCard, revokedCard, stoppedCards } = operation;
    const cards = [...stoppedCards, newCard, revokedCard].filter((card) => card !== undefined);
    const usage = await this.usage.findAll(cards);
    return {
      operation,
      proof: this.#proofOf(
        operation,
        (gateway) => proofs?.get(gateway),
        (card) => usage.get(card),
      ),
    };
  }

  /** Calls `listener` when something about an operation has changed; returns how to stop. */
  onOperationChange(listener: (operation: string) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** Calls `listener` with the events that are stored; returns how to stop. */
  onEvents(listener: (events: readonly CardEvent[]) => void): () => void {
    this.#eventWatchers.add(listener);
    return () => this.#eventWatchers.delete(listener);
  }

  /** How the operation stands, without taps. */
  standing(id: string): Standing {
    return standingOf(id, { ...this.#deps, state: this.state });
  }

  /** As `standing`, for those who look at many. */
  stateOf(id: string): OperationState {
    return stateOf(id, { ...this.#deps, state: this.state });
  }

  /** Writes `puts` along with it. */
  forgetGateway(gateway: string, puts: readonly DeskPut[] = []): Promise<void> {
    return this.#confirmations.forgetGateway(gateway, puts);
  }

  /** Ends when what was begun is stored; the link is stopped before. */
  async close(): Promise<void> {
    this.#publisher.stop();
    this.#sender.stop();
    await this.batches.close();
    await this.archive.close();
    await this.writer.settled();
  }

  #onEvents(events: readonly CardEvent[]): void {
    for (const { event, gateway, card, bindingRevision } of events) {
      if (event !== 'card-activated' || card === null || bindingRevision === null) continue;
      // Events are not signed: only the broker vouches for them, and only for gateways of the site.
      if (this.state.gateways.has(gateway)) this.#activate(card, bindingRevision);
    }
    for (const listener of this.#eventWatchers) listener(events);
  }

  #expectGateways(gateways: readonly string[]): void {
    const now = formatInstant(this.#deps.clock.now());
    for (const gateway of gateways) {
      if (this.state.gateways.has(gateway)) continue;
      const seen = { firstSeen: now, lastSeen: now };
      this.state.gateways.set(gateway, { gateway, doors: [], ...seen, isOnline: false, isVerified: false });
    }
  }

  #activate(card: string, bindingRevision: number): void {
    this.cards.activate(card, bindingRevision).catch((error: unknown) => this.#deps.onFault(errorMessage(error)));
  }

  /** What an end between the event and the operation has left undone. */
  async #activateWhatWasHeld(): Promise<void> {
    for (const card of [...this.state.cards.values()]) {
      if (card.state !== 'live' || card.activation !== 'pending') continue;
      const usage = await this.usage.find(card.card);
      if (usage?.activatedRevision === card.revision) this.#activate(card.card, card.revision);
    }
  }

  #proofOf(
    operation: Operation,
    find: (gateway: string) => Proof | undefined,
    usageOf: (card: string) => Usage | undefined,
  ): OperationProof {
    const { clock, rules } = this.#deps;
    const gateways = [...this.state.gateways.values()];
    return proofOf(operation, { gateways, proofOf: find, usageOf, now: clock.now(), rules });
  }

  #tellWatchers(operation: string): void {
    for (const listener of this.#watchers) listener(operation);
  }

  async #readOperation(id: string): Promise<Operation> {
    const operation = await this.#findOperation(id);
    if (operation !== undefined) return operation;
    throw new CardeaError('store-record-unreadable', `operation ${id} of the desk is gone`);
  }

  async #findOperation(id: string): Promise<Operation | undefined> {
    const value = await this.#deps.store.read('operation', operationKey(id));
    return value === undefined ? undefined : decodeRecord(operationRecord, value, id);
  }

  async #readProofs(id: string): Promise<ReadonlyMap<string, Proof>> {
    const proofs = new Map<string, Proof>();
    for await (const [, value] of this.#deps.store.entries('proof', proofsOf(operationKey(id)))) {
      const proof = decodeRecord(proofRecord, value, `proof of ${id}`);
      proofs.set(proof.gateway, proof);
    }
    return proofs;
  }
}
