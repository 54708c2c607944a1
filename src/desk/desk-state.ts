// What the desk knows of people, cards and open operations, in memory, as its store has it.
//
// 1. What is here is in the store, or in a write that is under way; after a write that failed the process begins anew (DeskWriter).
// 2. The live cards here and those of the roster are the same.

import { type CardNumber, type CardNumberFormat, parseCardNumber } from '../domain/card-number.ts';
import { flagsOf } from '../domain/credential.ts';
import { parseCardholderId, parseRevision, type Revision, type SiteId } from '../domain/ids.ts';
import type { RosterCard } from '../domain/roster-repair.ts';
import { instant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { DeskPut, DeskStore } from '../ports/desk-store.ts';
import { grantsOf } from '../wire/change-messages.ts';
import { DigestHistory } from './digest-history.ts';
import { People } from './people.ts';
import {
  type Access,
  cardRecord,
  closedDoorsRecord,
  DESK_FORMAT,
  type DeskCard,
  decodeRecord,
  employeeRecord,
  type GatewayRecord,
  gatewayRecord,
  type LiveCard,
  type MetaRecord,
  metaRecord,
  OPERATION_PREFIX,
  type Operation,
  operationRecord,
  type Proof,
  proofRecord,
  proofsOf,
  toJson,
} from './records.ts';
import { Roster } from './roster.ts';

export interface DeskStateSettings {
  readonly site: SiteId;
  readonly cardNumberFormat: CardNumberFormat;
  /** Names the history that revisions count in, for a desk that begins; 1 to 64 characters, never used before. */
  readonly newEpoch: string;
}

export class DeskState {
  readonly site: SiteId;
  readonly format: CardNumberFormat;
  readonly roster: Roster;
  readonly people = new People();
  readonly cards = new Map<string, DeskCard>();
  /** Every card that a person ever had, by id. */
  readonly cardsOf = new Map<string, Set<string>>();
  /** Operations that not every gateway has confirmed, by id, in the order in which they were made. */
  readonly open = new Map<string, Operation>();
  /** What gateways have told of the open ones, by operation and gateway. */
  readonly proofs = new Map<string, Map<string, Proof>>();
  /** Operations that are confirmed, and whose new card does not open doors that it should; `gateway/door`, by operation. */
  readonly closedDoors = new Map<string, readonly string[]>();
  readonly gateways = new Map<string, GatewayRecord>();
  readonly digests = new DigestHistory();
  #operations: number;

  private constructor(settings: DeskStateSettings, meta: MetaRecord, cards: readonly DeskCard[]) {
    const { site, cardNumberFormat } = settings;
    this.site = site;
    this.format = cardNumberFormat;
    this.#operations = meta.operations;
    const live = cards.filter((card) => card.state === 'live').map(rosterCardOf);
    const revision = parseRevision(meta.revision) ?? 0;
    this.roster = new Roster({ site, cardNumberFormat }, { epoch: meta.epoch, revision, cards: live });
    for (const card of cards) this.putCard(card);
    this.digests.note(this.roster.digest());
  }

  /** What the store has; a store that is empty begins. Rejects with CardeaError for one of another site, or that does not decode. */
  static async load(store: DeskStore, settings: DeskStateSettings): Promise<DeskState> {
    const meta = await readMeta(store, settings);
    const cards: DeskCard[] = [];
    for await (const [key, value] of store.entries('card')) cards.push(decodeRecord(cardRecord, value, `card ${key}`));
    const state = new DeskState(settings, meta, cards);
    for await (const [key, value] of store.entries('employee')) {
      state.people.put(decodeRecord(employeeRecord, value, `employee ${key}`));
    }
    for await (const [key, value] of store.entries('gateway')) {
      state.gateways.set(key, decodeRecord(gatewayRecord, value, `gateway ${key}`));
    }
    for await (const [key, value] of store.entries('open-operation')) {
      if (value === null) await state.#loadOpen(store, key);
      else state.closedDoors.set(`${OPERATION_PREFIX}${Number(key)}`, decodeRecord(closedDoorsRecord, value, key));
    }
    return state;
  }

  async #loadOpen(store: DeskStore, key: string): Promise<void> {
    const value = await store.read('operation', key);
    if (value === undefined) throw new CardeaError('store-record-unreadable', `operation ${key} of the desk is gone`);
    const operation = decodeRecord(operationRecord, value, `operation ${key}`);
    this.open.set(operation.id, operation);
    for await (const [, proof] of store.entries('proof', proofsOf(key))) {
      this.putProof(decodeRecord(proofRecord, proof, `proof of operation ${key}`));
    }
  }

  /** The number of the last operation. */
  get operations(): number {
    return this.#operations;
  }

  /**
   * The roster as gateways hear of it. That of a desk which has done nothing yet is older than all that they know: nobody loses a card
   * because an empty desk was plugged in.
   */
  get publishedRoster(): Pick<Roster, 'site' | 'digest' | 'pagesFor'> {
    const { site, roster } = this;
    return {
      site,
      digest: () => (this.#operations === 0 ? { ...roster.digest(), revision: 0 } : roster.digest()),
      pagesFor: (request) => roster.pagesFor(request),
    };
  }

  /** The id for the next operation. */
  nextOperation(): string {
    this.#operations += 1;
    return `op-${this.#operations}`;
  }

  /** To be written with whatever has changed the roster or made an operation. */
  metaPut(): DeskPut {
    const { epoch, revision } = this.roster;
    const meta: MetaRecord = {
      format: DESK_FORMAT,
      site: this.site,
      epoch,
      revision,
      operations: this.#operations,
    };
    return { kind: 'meta', key: 'desk', value: toJson(meta) };
  }

  putCard(card: DeskCard): void {
    const before = this.cards.get(card.card);
    if (before !== undefined && before.cardholder !== card.cardholder) {
      this.cardsOf.get(before.cardholder)?.delete(card.card);
    }
    this.cards.set(card.card, card);
    const cards = this.cardsOf.get(card.cardholder) ?? new Set();
    this.cardsOf.set(card.cardholder, cards.add(card.card));
  }

  putProof(proof: Proof): void {
    const proofs = this.proofs.get(proof.operation) ?? new Map<string, Proof>();
    this.proofs.set(proof.operation, proofs.set(proof.gateway, proof));
  }

  /** The cards of a person that open doors, or would. */
  liveCardsOf(cardholder: string): readonly LiveCard[] {
    return [...(this.cardsOf.get(cardholder) ?? [])].flatMap((number) => {
      const card = this.cards.get(number);
      return card?.state === 'live' ? [card] : [];
    });
  }

  /** All that a person ever had, the newest binding first. */
  allCardsOf(cardholder: string): readonly DeskCard[] {
    return [...(this.cardsOf.get(cardholder) ?? [])]
      .flatMap((number) => this.cards.get(number) ?? [])
      .sort((a, b) => b.revision - a.revision);
  }

  /** The card that is meant by what somebody typed or read; undefined for text that is no card number. */
  cardNumbered(text: string): CardNumber | undefined {
    const parsed = parseCardNumber(text.trim(), this.format);
    return 'number' in parsed ? parsed.number : undefined;
  }

  /** Every door of every gateway that is known. */
  knownDoors(): ReadonlySet<string> {
    return new Set([...this.gateways.values()].flatMap(({ doors }) => doors));
  }
}

const readMeta = async (store: DeskStore, { site, newEpoch }: DeskStateSettings): Promise<MetaRecord> => {
  const value = await store.read('meta', 'desk');
  if (value === undefined) {
    const meta: MetaRecord = { format: DESK_FORMAT, site, epoch: newEpoch, revision: 0, operations: 0 };
    await store.write([{ kind: 'meta', key: 'desk', value: toJson(meta) }]);
    return meta;
  }
  const { format } = Object(value);
  if (format !== DESK_FORMAT) {
    const message = `the desk's records have format ${format}, this version reads ${DESK_FORMAT}; use the version that wrote them`;
    throw new CardeaError('store-format', message);
  }
  const meta = decodeRecord(metaRecord, value, 'meta');
  if (meta.site === site) return meta;
  throw new CardeaError('roster-invalid', `the desk's records are those of site ${meta.site}, not of ${site}`);
};

/** A card as the roster has it. */
const rosterCardOf = (card: LiveCard): RosterCard => {
  const cardholder = parseCardholderId(card.cardholder);
  const revision: Revision | undefined = parseRevision(card.revision);
  if (cardholder === undefined || revision === undefined) {
    throw new CardeaError('roster-invalid', 'a card of the desk has a cardholder or a revision that none can have');
  }
  return {
    // Canonical since it went through the roster.
    card: card.card as CardNumber,
    revision,
    cardholder,
    access: grantsOf([...mutable(card.access)]),
    kind: card.kind,
    activation: card.activation,
    ...(card.validFrom !== undefined && { validFrom: instant(Date.parse(card.validFrom)) }),
    ...(card.validUntil !== undefined && { validUntil: instant(Date.parse(card.validUntil)) }),
    ...flagsOf(card),
  };
};

const mutable = (access: Access) =>
  access.map((grant) => ('level' in grant ? grant : { doors: [...grant.doors], schedule: grant.schedule }));
