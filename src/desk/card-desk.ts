// What operators do with cards: each a check of everything that can be checked beforehand, one change of the roster, and one batch of
// records. The gateways hear of it when it is durable.
//
// 1. One operation, one message: an old card stops and the new one starts with the same revision, or neither.
// 2. A request with a name is carried out once, however often it comes (RequestMemory).
// 3. Between the last check and the change nothing else happens: of those who want the same card, one gets it.
// 4. Who may not, does not; and the audit log has it (Invariant 1 of audit-trail.ts).

import { formatInstant, type Instant, type Milliseconds } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeskPut } from '../ports/desk-store.ts';
import type { AuditTrail } from './audit-trail.ts';
import { type Checked, type Faulty, isFaulty, refusalOf } from './card-checks.ts';
import {
  type BatchPlace,
  type Plan,
  type PlanContext,
  planActivation,
  planBinding,
  planLeave,
  planLossReport,
  planReinstatement,
  planReplacement,
  planRevocation,
} from './card-plans.ts';
import { type CardPreview, previewOf } from './card-preview.ts';
import type {
  Actor,
  BindingRequest,
  LeaveRequest,
  LossRequest,
  Named,
  ReinstatementRequest,
  ReplacementRequest,
  RevocationRequest,
} from './card-requests.ts';
import type { DeskState } from './desk-state.ts';
import type { DeskWriter } from './desk-writer.ts';
import { boundCard, operationOf, operationPuts, stoppedCards } from './operation-records.ts';
import { DESK_ACTIONS, type DeskAction, mayDo } from './permissions.ts';
import { type Employee, type Operation, toJson } from './records.ts';
import { done, type Outcome, type Refusal } from './refusal.ts';
import type { NamedRequest, RequestMemory } from './request-memory.ts';
import type { ChangeOutcome } from './roster.ts';

export interface CardDeskDependencies {
  readonly state: DeskState;
  readonly writer: DeskWriter;
  readonly audit: AuditTrail;
  readonly requests: RequestMemory;
  readonly clock: Clock;
  /** Unique among all messages of the site, for ever; 1 to 64 characters. */
  readonly newMessageId: () => string;
  /** How long gateways have to confirm. */
  readonly confirmWithin: Milliseconds;
  /** Of an operation that is not open any more. Rejects with CardeaError. */
  readonly readOperation: (id: string) => Promise<Operation>;
  /** The operation is durable: its message may go out. */
  readonly onOperation: (operation: Operation) => void;
}

/** Who has taken what, and when. */
interface Taken extends Named {
  readonly actor: Actor;
  readonly at: Instant;
  readonly action: string;
  readonly subject: string;
  readonly named: NamedRequest | undefined;
}

interface Order {
  readonly actor: Actor;
  readonly action: DeskAction;
  /** What the audit log says that it was about. */
  readonly subject: string;
  readonly request: Named;
  readonly plan: () => Checked<Plan>;
}

export class CardDesk {
  readonly #deps: CardDeskDependencies;
  /** Operations on their way to the disk, so that who repeats a request waits as long. */
  readonly #underWay = new Map<string, Promise<Operation>>();

  constructor(deps: CardDeskDependencies) {
    this.#deps = deps;
  }

  replace(request: ReplacementRequest, actor: Actor, batch?: BatchPlace): Promise<Outcome<Operation>> {
    return this.#carryOut(this.#replacement(request, actor, batch));
  }

  /** What `replace` would do. As the other previews it finds every fault that there is, and leaves everything as it is. */
  previewReplacement(request: ReplacementRequest, actor: Actor): Promise<Outcome<CardPreview>> {
    return this.#preview(this.#replacement(request, actor));
  }

  /** A first card, one more card, a temporary one, or other rights for a card that the person has. */
  bind(request: BindingRequest, actor: Actor): Promise<Outcome<Operation>> {
    return this.#carryOut(this.#binding(request, actor));
  }

  previewBinding(request: BindingRequest, actor: Actor): Promise<Outcome<CardPreview>> {
    return this.#preview(this.#binding(request, actor));
  }

  /** A suspended card that was found. */
  reinstate(request: ReinstatementRequest, actor: Actor): Promise<Outcome<Operation>> {
    return this.#carryOut(this.#reinstatement(request, actor));
  }

  previewReinstatement(request: ReinstatementRequest, actor: Actor): Promise<Outcome<CardPreview>> {
    return this.#preview(this.#reinstatement(request, actor));
  }

  /** The card stops at once, and may come back. */
  reportLoss(request: LossRequest, actor: Actor): Promise<Outcome<Operation>> {
    return this.#carryOut(this.#lossReport(request, actor));
  }

  previewLossReport(request: LossRequest, actor: Actor): Promise<Outcome<CardPreview>> {
    return this.#preview(this.#lossReport(request, actor));
  }

  /** A card stops for good, known here or not. */
  revoke(request: RevocationRequest, actor: Actor): Promise<Outcome<Operation>> {
    return this.#carryOut(this.#revocation(request, actor));
  }

  previewRevocation(request: RevocationRequest, actor: Actor): Promise<Outcome<CardPreview>> {
    return this.#preview(this.#revocation(request, actor));
  }

  /** All cards of a person stop, and they get none until they return. */
  leave(request: LeaveRequest, actor: Actor): Promise<Outcome<Operation>> {
    const plan = (): Checked<Plan> => planLeave(request, this.#context());
    return this.#carryOut({ actor, action: 'employee-left', subject: request.cardholder, request, plan });
  }

  /** A pending card was held to an activation reader: from now on it is active at every gateway. Undefined where it is not pending. */
  async activate(card: string, bindingRevision: number): Promise<Operation | undefined> {
    const held = this.#deps.state.cards.get(card);
    if (held?.state !== 'live' || held.activation !== 'pending') return undefined;
    // Late news about an earlier binding of the card say nothing about this one.
    if (held.revision !== bindingRevision) return undefined;
    const plan = planActivation(held, this.#context());
    if (isFaulty(plan)) return undefined;
    const outcome = this.#take(plan, { name: 'cardea-desk', roles: [] }, {}, { action: 'bind-card', subject: card });
    return 'refusal' in outcome ? undefined : await outcome.stored;
  }

  #replacement(request: ReplacementRequest, actor: Actor, batch?: BatchPlace): Order {
    const plan = (): Checked<Plan> => planReplacement(request, this.#context(), batch);
    return { actor, action: 'replace-card', subject: request.cardholder, request, plan };
  }

  #binding(request: BindingRequest, actor: Actor): Order {
    const plan = (): Checked<Plan> => planBinding(request, this.#context());
    return { actor, action: 'bind-card', subject: request.cardholder, request, plan };
  }

  #reinstatement(request: ReinstatementRequest, actor: Actor): Order {
    const plan = (): Checked<Plan> => planReinstatement(request, this.#context());
    return { actor, action: 'reinstate-card', subject: request.card, request, plan };
  }

  #lossReport(request: LossRequest, actor: Actor): Order {
    const plan = (): Checked<Plan> => planLossReport(request, this.#context());
    return { actor, action: 'report-loss', subject: request.card ?? request.cardholder ?? '', request, plan };
  }

  #revocation(request: RevocationRequest, actor: Actor): Order {
    const plan = (): Checked<Plan> => planRevocation(request, this.#context());
    return { actor, action: 'revoke-card', subject: request.card, request, plan };
  }

  #context(): PlanContext {
    const { state, clock } = this.#deps;
    return { state, now: clock.now() };
  }

  /** Nobody has done anything, so that a fault is no refusal for the audit log; who may not look is one. */
  async #preview(order: Order): Promise<Outcome<CardPreview>> {
    const { state, clock, confirmWithin } = this.#deps;
    const { actor, action } = order;
    if (!mayDo(actor.roles, action)) return this.#refuse(order, notPermitted(actor, action));
    const plan = order.plan();
    if (isFaulty(plan)) return { kind: 'refused', refusal: plan.refusal };
    const at = clock.now();
    const note = { messageId: 'preview', issuedAt: formatInstant(at), operator: actor.name, isPreview: true } as const;
    const change = plan.change(note);
    if (change.kind === 'refused') return { kind: 'refused', refusal: refusalOf(change.fault) };
    const { message, stopped } = change;
    const head = { ...plan, id: 'preview', operator: actor.name };
    return done(previewOf(operationOf(head, { site: state.site, message, stopped, at, confirmWithin }), state));
  }

  /** From the request to the durable operation. Rejects with CardeaError `store-write-failed`. */
  async #carryOut(order: Order): Promise<Outcome<Operation>> {
    const { writer, requests } = this.#deps;
    const { actor, action, request } = order;
    writer.requireSound();
    if (!mayDo(actor.roles, action)) return this.#refuse(order, notPermitted(actor, action));
    const named = namedRequest(order);
    if (named !== undefined) await requests.recall(named);
    const known = named === undefined ? undefined : requests.find(named);
    if (known === 'conflict') return this.#refuse(order, CONFLICT);
    if (known !== undefined) return await this.#repeated(known.operation);
    const plan = order.plan();
    if (isFaulty(plan)) return this.#refuse(order, plan.refusal);
    const taken = this.#take(plan, actor, request, { ...order, named });
    if ('refusal' in taken) return this.#refuse(order, taken.refusal);
    return done(await taken.stored);
  }

  async #repeated(id: string): Promise<Outcome<Operation>> {
    const underWay = this.#underWay.get(id);
    if (underWay !== undefined) return done(await underWay, true);
    const operation = this.#deps.state.open.get(id);
    return operation === undefined ? done(await this.#deps.readOperation(id), true) : done(operation, true);
  }

  /** Without a pause: from the last check to the roster's change, and all that is to be written with it. */
  #take(
    plan: Plan,
    actor: Actor,
    { requestId, note }: Named,
    {
      action,
      subject,
      named,
    }: { readonly action: string; readonly subject: string; readonly named?: NamedRequest | undefined },
  ): { readonly stored: Promise<Operation> } | Faulty {
    const { clock, newMessageId, writer } = this.#deps;
    const at = clock.now();
    const change = plan.change({ messageId: newMessageId(), issuedAt: formatInstant(at), operator: actor.name });
    if (change.kind === 'refused') return { refusal: refusalOf(change.fault) };
    try {
      return { stored: this.#keep(plan, change, { actor, at, requestId, note, action, subject, named }) };
    } catch (error) {
      // The roster has changed, and its records will not.
      writer.abandon(error);
      throw error;
    }
  }

  #keep(
    plan: Plan,
    { message, ...change }: Extract<ChangeOutcome, { kind: 'changed' }>,
    { actor, at, requestId, note, action, subject, named }: Taken,
  ): Promise<Operation> {
    const { state } = this.#deps;
    state.digests.note(state.roster.digest());
    const operation = operationOf(
      { ...plan, id: state.nextOperation(), requestId, note, operator: actor.name },
      { site: state.site, message, stopped: change.stopped, at, confirmWithin: this.#deps.confirmWithin },
    );
    const cards = [
      ...stoppedCards([...change.stopped, ...(plan.buried ?? [])], { state, operation, reason: plan.stopReason }),
      ...boundCard(message, operation),
    ];
    for (const card of cards) state.putCard(card);
    if (plan.employee !== undefined) state.people.put(plan.employee);
    state.open.set(operation.id, operation);
    const puts: DeskPut[] = [
      state.metaPut(),
      ...operationPuts(operation),
      ...cards.map((card): DeskPut => ({ kind: 'card', key: card.card, value: toJson(card) })),
      ...(plan.employee === undefined ? [] : [employeePut(plan.employee)]),
      ...(named === undefined ? [] : [this.#deps.requests.note(named, operation.id, operation.at)]),
      this.#deps.audit.append(
        { operator: actor.name, action, outcome: 'done', subject, operation: operation.id, detail: note ?? null },
        at,
      ),
    ];
    return this.#store(operation, puts);
  }

  #store(operation: Operation, puts: readonly DeskPut[]): Promise<Operation> {
    const { writer, onOperation } = this.#deps;
    const stored = writer
      .write(puts)
      .then(() => {
        onOperation(operation);
        return operation;
      })
      .finally(() => this.#underWay.delete(operation.id));
    this.#underWay.set(operation.id, stored);
    return stored;
  }

  async #refuse({ actor, action, subject }: Order, refusal: Refusal): Promise<Outcome<never>> {
    const { writer, audit, clock } = this.#deps;
    const { code, detail } = refusal;
    const entry = {
      operator: actor.name,
      action,
      outcome: 'refused',
      subject: cut(subject),
      code,
      detail: cut(detail),
    } as const;
    await writer.write([audit.append(entry, clock.now())]);
    return { kind: 'refused', refusal };
  }
}

const CONFLICT: Refusal = {
  code: 'request-conflict',
  detail: 'the same request id was used for another request; choose a new one',
  path: 'requestId',
};

const notPermitted = ({ name, roles }: Actor, action: DeskAction): Refusal => ({
  code: 'not-permitted',
  detail: `${name} (${roles.join(', ')}) may not do this: ${action} takes one of the roles ${DESK_ACTIONS[action].join(', ')}`,
});

const namedRequest = ({ actor, action, request }: Order): NamedRequest | undefined =>
  request.requestId === undefined
    ? undefined
    : { operator: actor.name, requestId: request.requestId, content: { action, ...request } };

export const employeePut = (employee: Employee): DeskPut => ({
  kind: 'employee',
  key: employee.id,
  value: toJson(employee),
});

/** Of text for the audit log. */
const MOST_CHARACTERS = 300;
const cut = (text: string): string => (text.length > MOST_CHARACTERS ? `${text.slice(0, MOST_CHARACTERS)}…` : text);
