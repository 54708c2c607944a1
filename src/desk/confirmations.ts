// Takes down what the gateways tell: receipts, and in receipts and statuses what their rosters are. An operation that every known
// gateway has confirmed is closed.
//
// 1. What is acknowledged to the broker is durable.
// 2. A word that is not signed where it should be is kept apart, and never takes the place of one that was.

import { parseRevision } from '../domain/ids.ts';
import { formatInstant } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeskPut } from '../ports/desk-store.ts';
import type { InboundMessage } from '../ports/hr-link.ts';
import { gatewayOf } from '../wire/desk-topics.ts';
import { parseJsonObject } from '../wire/message-json.ts';
import { type ReceiptFields, receiptSchema, statusSchema } from '../wire/outbound-schema.ts';
import { topicsOf } from '../wire/topics.ts';
import type { DeskState } from './desk-state.ts';
import type { DeskWriter } from './desk-writer.ts';
import { type ProofRules, proofOf } from './proof.ts';
import { type GatewayRecord, type Operation, operationKey, type Proof, proofKey, toJson } from './records.ts';

/** What stands in a message of that gateway, and whether the gateway's own key has signed it; undefined for one to be ignored. */
export type GatewayOpener = (
  gateway: string,
  payload: Uint8Array,
) => Promise<{ readonly json: Uint8Array; readonly isVerified: boolean } | undefined>;

export interface ConfirmationsDependencies {
  readonly state: DeskState;
  readonly writer: DeskWriter;
  readonly clock: Clock;
  readonly open: GatewayOpener;
  readonly rules: ProofRules;
  /** Something about the operation has changed. */
  readonly onChange: (operation: string) => void;
  /** A gateway has come back; what it has not heard of may be sent again. */
  readonly onOnline: (gateway: string) => void;
  readonly onFault: (text: string) => void;
}

interface Told {
  readonly gateway: string;
  readonly isVerified: boolean;
}

/** `roster` of a receipt or a status. */
type RosterWord = ReceiptFields['roster'];

export class Confirmations {
  readonly #deps: ConfirmationsDependencies;
  /** Operations by the message that they have sent, and by its revision. */
  readonly #byMessage = new Map<string, string>();
  readonly #byRevision = new Map<number, string>();
  /** Up to which revision each gateway's roster was found equal to ours, in this process. */
  readonly #equalUpTo = new Map<string, number>();

  constructor(deps: ConfirmationsDependencies) {
    this.#deps = deps;
    for (const operation of deps.state.open.values()) this.expect(operation);
  }

  /** Receipts may come for it. */
  expect({ id, message }: Operation): void {
    this.#byMessage.set(message.messageId, id);
    this.#byRevision.set(message.revision, id);
  }

  /** Takes receipts and statuses, and leaves other messages alone. Fulfils when what they say is durable. */
  async onMessage({ topic, payload }: InboundMessage): Promise<void> {
    const { state, open, onFault } = this.#deps;
    const gateway = gatewayOf(state.site, topic);
    if (gateway === undefined) return;
    const topics = topicsOf(state.site, gateway);
    if (topic !== topics.receipt && topic !== topics.status) return;
    const opened = await open(gateway, payload);
    if (opened === undefined)
      return onFault(`what came on ${topic} is not signed by gateway ${gateway}, and is ignored`);
    const parsed = parseJsonObject(opened.json);
    const content = 'fault' in parsed ? undefined : parsed.content;
    const told = { gateway, isVerified: opened.isVerified };
    if (topic === topics.receipt) await this.#onReceipt(receiptSchema.safeParse(content).data, told);
    else await this.#onStatus(statusSchema.safeParse(content).data, told);
  }

  /** The broker has taken the message. */
  async onSent(id: string): Promise<void> {
    const { state, writer, clock, onChange } = this.#deps;
    const operation = state.open.get(id);
    if (operation === undefined || operation.sentAt !== undefined) return;
    const sent = { ...operation, sentAt: formatInstant(clock.now()) };
    state.open.set(id, sent);
    await writer.write([operationPut(sent)]);
    onChange(id);
  }

  async #onReceipt(receipt: ReceiptFields | undefined, { gateway, isVerified }: Told): Promise<void> {
    if (receipt === undefined || receipt.gateway !== gateway) {
      return this.#deps.onFault(`what came as a receipt of ${gateway} is none, and is ignored`);
    }
    const { state, clock } = this.#deps;
    const id = this.#byMessage.get(receipt.messageId ?? '');
    const operation = id === undefined ? undefined : state.open.get(id);
    const heard = formatInstant(clock.now());
    const puts: DeskPut[] = [];
    if (operation !== undefined && operation.message.revision === receipt.revision) {
      const before = state.proofs.get(operation.id)?.get(gateway);
      if (!outranks(before, receipt, isVerified)) {
        const { result, code, detail, doors, superseded, warnings, appliedAt, clockSynchronized, sequence } = receipt;
        puts.push(
          this.#note({
            ...(before ?? { operation: operation.id, gateway }),
            receipt: { result, code, detail, doors, superseded, warnings, appliedAt, clockSynchronized, sequence },
            receivedAt: heard,
            isVerified,
          }),
        );
      }
    }
    puts.push(...this.#compareRoster(receipt.roster, { gateway, isVerified }));
    await this.#settle(puts, operation === undefined ? [] : [operation.id]);
  }

  async #onStatus(
    status: ReturnType<typeof statusSchema.parse> | undefined,
    { gateway, isVerified }: Told,
  ): Promise<void> {
    if (status === undefined || status.gateway !== gateway) {
      return this.#deps.onFault(`what came as the status of ${gateway} is none, and is ignored`);
    }
    const { state, clock, onOnline, onFault, rules } = this.#deps;
    const now = formatInstant(clock.now());
    const before = state.gateways.get(gateway);
    if (before === undefined && state.gateways.size >= MOST_GATEWAYS) {
      return onFault(`there are ${MOST_GATEWAYS} gateways already: ${gateway} is left out`);
    }
    // It counts as a gateway all the same: what it does not confirm is not confirmed.
    if (before === undefined && rules.areSignaturesNeeded && !isVerified && status.online) {
      onFault(`gateway ${gateway} is there, and its key is not in the configuration: nothing of it can be confirmed`);
    }
    const record: GatewayRecord = {
      gateway,
      doors: before?.doors ?? [],
      firstSeen: before?.firstSeen ?? now,
      ...(before?.roster !== undefined && { roster: before.roster }),
      ...(status.online && {
        doors: Object.keys(status.doors).sort(),
        roster: { revision: status.roster.revision, cards: status.roster.cards, digest: status.roster.digest },
      }),
      lastSeen: now,
      isOnline: status.online,
      isVerified: status.online ? isVerified : (before?.isVerified ?? false),
    };
    // Somebody who was never there cannot have gone.
    if (before === undefined && !status.online) return;
    state.gateways.set(gateway, record);
    const puts: DeskPut[] = isNews(before, record) ? [{ kind: 'gateway', key: gateway, value: toJson(record) }] : [];
    if (status.online) {
      puts.push(...this.#compareRoster(status.roster, { gateway, isVerified }));
      puts.push(...this.#catchUp(gateway, status.roster.revision, before?.roster?.revision));
    }
    await this.#settle(puts, before === undefined ? state.open.keys() : []);
    if (status.online && before?.isOnline !== true) onOnline(gateway);
  }

  /**
   * A gateway has seen a revision that this desk has not given out. A desk that has done nothing yet counts on above it; another one is
   * not the only one that speaks for HR here, or has lost changes.
   */
  #catchUp(gateway: string, seen: number, seenBefore: number | undefined): readonly DeskPut[] {
    const { state, onFault } = this.#deps;
    const { roster } = state;
    const revision = parseRevision(seen);
    if (revision === undefined || revision <= roster.revision) return [];
    if (state.operations === 0 && revision < HIGHEST_BEGINNING) {
      roster.beginAbove(revision);
      return [state.metaPut()];
    }
    if (seen !== seenBefore) {
      const text = `gateway ${gateway} has seen revision ${seen}, and this desk has given out ${roster.revision} at most`;
      onFault(
        `${text}: somebody else changes cards here, or changes were lost and cardea desk restore has to count on above`,
      );
    }
    return [];
  }

  /** A roster equal to ours holds every change up to its revision. */
  #compareRoster({ revision, digest }: RosterWord, { gateway, isVerified }: Told): DeskPut[] {
    const { state, rules, clock } = this.#deps;
    if (rules.areSignaturesNeeded && !isVerified) return [];
    if (!state.digests.isEqual(revision, digest)) return [];
    const at = formatInstant(clock.now());
    const puts: DeskPut[] = [];
    for (const id of this.#between(this.#equalUpTo.get(gateway) ?? 0, revision)) {
      const before = state.proofs.get(id)?.get(gateway);
      // A receipt that nobody has signed does not become better by a roster that somebody has.
      const kept = before?.isVerified === isVerified ? before : undefined;
      if (kept?.roster !== undefined || CONFIRMING.includes(kept?.receipt?.result ?? '')) continue;
      puts.push(this.#note({ ...(kept ?? { operation: id, gateway, isVerified }), roster: { revision, at } }));
    }
    this.#equalUpTo.set(gateway, revision);
    return puts;
  }

  /** Open operations whose revisions are above `from` and not above `to`. */
  *#between(from: number, to: number): Generator<string> {
    if (to - from > this.#byRevision.size) {
      for (const [revision, id] of this.#byRevision) if (revision > from && revision <= to) yield id;
      return;
    }
    for (let revision = from + 1; revision <= to; revision++) {
      const id = this.#byRevision.get(revision);
      if (id !== undefined) yield id;
    }
  }

  #note(proof: Proof): DeskPut {
    this.#deps.state.putProof(proof);
    return { kind: 'proof', key: proofKey(proof), value: toJson(proof) };
  }

  /** Writes what is new, and closes the operations that it completes. */
  async #settle(puts: readonly DeskPut[], touched: Iterable<string>): Promise<void> {
    const { writer, onChange } = this.#deps;
    const ids = new Set([
      ...touched,
      ...puts.flatMap(({ kind, value }) => (kind === 'proof' ? [String(Object(value).operation)] : [])),
    ]);
    const closed = [...ids].map((id) => [id, this.#closeIfConfirmed(id)] as const);
    const closing = closed.flatMap(([, closingPuts]) => closingPuts);
    if (puts.length + closing.length > 0) await writer.write([...puts, ...closing]);
    for (const id of ids) onChange(id);
    // By whoever has closed it: what another one has closed may not be on the disk yet, and would be looked for there.
    for (const [id, { length }] of closed) if (length > 0) this.#forget(id);
  }

  #closeIfConfirmed(id: string): readonly DeskPut[] {
    const { state, clock, rules } = this.#deps;
    const operation = state.open.get(id);
    if (operation === undefined || operation.confirmedAt !== undefined) return [];
    const proofs = state.proofs.get(id);
    // Next to all receipts are not the last one.
    if ((proofs?.size ?? 0) < state.gateways.size) return [];
    const { state: is, closedDoors } = proofOf(operation, {
      gateways: [...state.gateways.values()],
      proofOf: (gateway) => proofs?.get(gateway),
      usageOf: () => undefined,
      now: clock.now(),
      rules,
    });
    if (is !== 'confirmed') return [];
    const stillClosed = closedDoors.length === 0 ? {} : { closedDoors };
    const confirmed = { ...operation, confirmedAt: formatInstant(clock.now()), ...stillClosed };
    state.open.set(id, confirmed);
    if (closedDoors.length > 0) state.closedDoors.set(id, closedDoors);
    // What stays closed is at hand without a look at all operations that ever were.
    const value = closedDoors.length === 0 ? undefined : [...closedDoors];
    return [operationPut(confirmed), { kind: 'open-operation', key: operationKey(id), value }];
  }

  #forget(id: string): void {
    const { state } = this.#deps;
    const operation = state.open.get(id);
    if (operation !== undefined) {
      this.#byMessage.delete(operation.message.messageId);
      this.#byRevision.delete(operation.message.revision);
    }
    state.open.delete(id);
    state.proofs.delete(id);
  }

  /** A gateway is not there any more: what waits for it alone is confirmed. */
  async forgetGateway(gateway: string, puts: readonly DeskPut[] = []): Promise<void> {
    const { state } = this.#deps;
    state.gateways.delete(gateway);
    this.#equalUpTo.delete(gateway);
    await this.#settle([{ kind: 'gateway', key: gateway, value: undefined }, ...puts], state.open.keys());
  }
}

/** A status a minute is too much to be written: on the disk `lastSeen` is when it last told something new. */
const isNews = (before: GatewayRecord | undefined, record: GatewayRecord): boolean => {
  if (before === undefined) return true;
  const { lastSeen: _then, ...was } = before;
  const { lastSeen: _now, ...is } = record;
  return JSON.stringify(was) !== JSON.stringify(is);
};

const operationPut = (operation: Operation): DeskPut => ({
  kind: 'operation',
  key: operationKey(operation.id),
  value: toJson(operation),
});

/** Of a site; and the highest revision that a desk begins above, which leaves it enough to count on for ever. */
const MOST_GATEWAYS = 1_000;
const HIGHEST_BEGINNING = 2 ** 52;

const CONFIRMING: readonly string[] = ['applied', 'duplicate'];

/** Whether what is known stays: a redelivery is answered with less, and what is unsigned says nothing against what is signed. */
const outranks = (before: Proof | undefined, { result }: ReceiptFields, isVerified: boolean): boolean => {
  if (before === undefined) return false;
  if (before.isVerified !== isVerified) return before.isVerified;
  if (before.receipt === undefined) return false;
  return CONFIRMING.includes(before.receipt.result) && !CONFIRMING.includes(result);
};
