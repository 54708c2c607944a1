// What a message from HR does to the roster: a pure plan from the records as they are to the records as they will be.
//
// 1. Revision order decides, never arrival order: whatever order messages come in, the same cards are live in the end
//    (messages rejected for `card-in-use` aside).
// 2. Nothing resurrects. A card's record and a cardholder's watermark only ever move to higher revisions, and a card is live
//    only while its revision is not below its cardholder's watermark.
// 3. A replacement is one plan, hence one batch: the old card stops in the instant in which the new one starts.
// 4. What a late binding retires is retired, even though the binding itself is stale: the lost card must not survive because
//    the news about its replacement was overtaken by news about the new card.

import { canonicalJson, type JsonValue, sha256Hex } from './canonical-json.ts';
import type { CardNumber } from './card-number.ts';
import {
  type Binding,
  type CardFlags,
  type CardholderRecord,
  type CardKind,
  type CardRecord,
  flagsOf,
  type Grant,
  type Ordered,
  type Origin,
  type RevocationReason,
  type Tombstone,
  type Watermark,
} from './credential.ts';
import type { CardholderId, Revision } from './ids.ts';
import type { Instant } from './units.ts';

export type Supersedes =
  | { readonly kind: 'all' }
  | { readonly kind: 'none' }
  | { readonly kind: 'cards'; readonly cards: readonly CardNumber[] };

export interface BindCard extends CardFlags {
  readonly kind: 'bind-card';
  readonly card: CardNumber;
  readonly cardholder: { readonly id: CardholderId; readonly name?: string; readonly department?: string };
  readonly access: readonly Grant[];
  readonly cardKind: CardKind;
  readonly activation: 'active' | 'pending';
  readonly validFrom?: Instant;
  readonly validUntil?: Instant;
  readonly supersedes: Supersedes;
  /** Takes the card over from this person; without it a card that is live for somebody else is not bound. */
  readonly transferFrom?: CardholderId;
}

export interface RevokeCard {
  readonly kind: 'revoke-card';
  readonly card: CardNumber;
  readonly reason: RevocationReason;
}

export interface RevokeCardholder {
  readonly kind: 'revoke-cardholder';
  readonly cardholder: CardholderId;
  readonly reason: RevocationReason;
}

export type RosterChange = BindCard | RevokeCard | RevokeCardholder;

/** The records that a plan may look at. */
export interface RosterView {
  /** The epoch that revisions count in now, and up to which of them everything has been seen. */
  roster(): { readonly pastEpochs: readonly string[]; readonly reconciled: Revision | 0 };
  card(number: CardNumber): CardRecord | undefined;
  cardholder(id: CardholderId): CardholderRecord | undefined;
}

export type ChangeResult = 'applied' | 'duplicate' | 'stale' | 'card-in-use' | 'revision-conflict' | 'too-many-cards';

/** Fingerprint of a record that was made from a page of the roster or from others: it does not say what message it goes back to. */
export const FROM_PAGE = '';

/** Live cards of one person. A plan may retire all of them, and receipts name each: both have to stay small. */
export const MAX_CARDS_OF_CARDHOLDER = 1000;

export interface ChangePlan {
  readonly result: ChangeResult;
  readonly cards: ReadonlyMap<CardNumber, CardRecord>;
  readonly cardholders: ReadonlyMap<CardholderId, CardholderRecord>;
  /** Other cards that are dead here as of this message, in the order in which they were found. */
  readonly superseded: readonly CardNumber[];
}

/** Content hash of a change: equal for a redelivery, whoever sent it and whenever. */
export const fingerprintOf = (change: RosterChange): string => sha256Hex(canonicalJson(toJson(change)));

const toJson = (change: RosterChange): JsonValue => ({ ...change });

/** Plans `change` as of `origin.revision`. Never throws, unless the view does. */
export const planChange = (view: RosterView, change: RosterChange, origin: Origin): ChangePlan => {
  const draft = new Draft(view, origin, fingerprintOf(change));
  switch (change.kind) {
    case 'bind-card':
      return draft.plan(bindCard(draft, change));
    case 'revoke-card':
      return draft.plan(revokeCard(draft, change));
    case 'revoke-cardholder':
      return draft.plan(revokeCardholder(draft, change));
  }
};

const bindCard = (draft: Draft, change: BindCard): ChangeResult => {
  const { revision } = draft.origin;
  const record = draft.card(change.card);
  const { watermark, cards } = draft.cardholder(change.cardholder.id);
  if (contradicts(draft, record) || contradicts(draft, watermark)) return 'revision-conflict';
  if (supersededBy(change, cards).some((card) => contradicts(draft, draft.card(card)))) return 'revision-conflict';
  const isBelowWatermark = revision < draft.revisionOf(watermark);
  const isReconciled = draft.hasSeen(revision);
  if (draft.revisionOf(record) === revision && (isReconciled || record?.fingerprint !== FROM_PAGE)) {
    return isBelowWatermark || isDeadOtherwise(record, draft) ? 'stale' : 'duplicate';
  }
  if (isReconciled) return 'stale';

  const isOvertaken = revision < draft.revisionOf(record);
  if (!isOvertaken && belongsToAnother(record, change)) return isBelowWatermark ? 'stale' : 'card-in-use';

  if (change.supersedes.kind !== 'all' && cards.length >= MAX_CARDS_OF_CARDHOLDER && !cards.includes(change.card)) {
    return 'too-many-cards';
  }

  if (!isOvertaken) {
    draft.putCard(
      change.card,
      isBelowWatermark && watermark !== undefined
        ? lateBinding(draft, change, watermark)
        : liveBinding(draft, change, record),
    );
  }
  supersede(draft, change);
  return isOvertaken || isBelowWatermark ? 'stale' : 'applied';
};

const revokeCard = (draft: Draft, change: RevokeCard): ChangeResult => {
  const { revision } = draft.origin;
  const record = draft.card(change.card);
  if (contradicts(draft, record)) return 'revision-conflict';
  if (draft.revisionOf(record) === revision) return 'duplicate';
  if (revision < draft.revisionOf(record) || draft.hasSeen(revision)) return 'stale';
  draft.putCard(change.card, {
    state: 'retired',
    ...draft.order,
    reason: change.reason,
    ...(record?.cardholder !== undefined && { cardholder: record.cardholder }),
    origin: draft.origin,
  });
  return 'applied';
};

const revokeCardholder = (draft: Draft, change: RevokeCardholder): ChangeResult => {
  const { revision } = draft.origin;
  const { watermark, cards } = draft.cardholder(change.cardholder);
  if (contradicts(draft, watermark) || cards.some((card) => draft.revisionOf(draft.card(card)) === revision)) {
    return 'revision-conflict';
  }
  if (draft.revisionOf(watermark) === revision) return 'duplicate';
  if (revision < draft.revisionOf(watermark) || draft.hasSeen(revision)) return 'stale';
  draft.raiseWatermark(change.cardholder, change.reason);
  return 'applied';
};

/** The same revision with another content: HR's counter went wrong, and neither version can be trusted over the other. */
const contradicts = (draft: Draft, record: Ordered | undefined): boolean =>
  record !== undefined &&
  draft.revisionOf(record) === draft.origin.revision &&
  record.fingerprint !== draft.fingerprint &&
  record.fingerprint !== FROM_PAGE;

/** A card that the roster's pages, or damage, have stopped at the very revision of the message that binds it. */
const isDeadOtherwise = (record: CardRecord | undefined, { fingerprint }: Draft): boolean =>
  record?.state === 'retired' && record.fingerprint !== fingerprint;

/** The cards known here that the change would stop. */
const supersededBy = ({ supersedes }: BindCard, cards: readonly CardNumber[]): readonly CardNumber[] => {
  if (supersedes.kind === 'cards') return supersedes.cards;
  return supersedes.kind === 'all' ? cards : [];
};

const belongsToAnother = (record: CardRecord | undefined, change: BindCard): boolean =>
  record?.state === 'live' && record.cardholder !== change.cardholder.id && record.cardholder !== change.transferFrom;

const liveBinding = (draft: Draft, change: BindCard, record: CardRecord | undefined): Binding => ({
  state: 'live',
  ...draft.order,
  cardholder: change.cardholder.id,
  ...(change.cardholder.name !== undefined && { name: change.cardholder.name }),
  ...(change.cardholder.department !== undefined && { department: change.cardholder.department }),
  access: change.access,
  kind: change.cardKind,
  activation: isActivatedHere(draft, record) ? 'active' : change.activation,
  ...(change.validFrom !== undefined && { validFrom: change.validFrom }),
  ...(change.validUntil !== undefined && { validUntil: change.validUntil }),
  ...flagsOf(change),
  origin: draft.origin,
});

/** A pending card came by a page, was activated here, and the message that binds it arrives after that. */
const isActivatedHere = (draft: Draft, record: CardRecord | undefined): boolean =>
  record?.state === 'live' && record.activation === 'active' && draft.revisionOf(record) === draft.origin.revision;

/** The record that a binding leaves when its cardholder's watermark had already passed it. */
const lateBinding = (draft: Draft, change: BindCard, watermark: Watermark): Tombstone => ({
  state: 'retired',
  ...draft.order,
  reason: watermark.reason,
  cardholder: change.cardholder.id,
  origin: watermark.origin,
});

const supersede = (draft: Draft, { supersedes, cardholder }: BindCard): void => {
  if (supersedes.kind === 'all') draft.raiseWatermark(cardholder.id, 'replaced');
  if (supersedes.kind === 'cards') for (const card of supersedes.cards) draft.retireListed(card);
};

/**
 * A person's record made anew from the records of all cards that are or were theirs, for one that cannot be read. The watermark is
 * the highest that left a trace in a tombstone, which may be too low, never too high: a revocation is not mistaken for stale.
 */
export const rebuildCardholder = (records: readonly (readonly [CardNumber, CardRecord])[]): CardholderRecord => {
  const traces = records.flatMap(([, record]) => (record.state === 'retired' && isTrace(record) ? [record] : []));
  const [latest] = traces.sort((a, b) => (b.era ?? 0) - (a.era ?? 0) || b.origin.revision - a.origin.revision);
  return {
    cards: records.flatMap(([card, record]) => (record.state === 'live' ? [card] : [])),
    ...(latest !== undefined && {
      watermark: {
        ...orderOf(latest),
        revision: latest.origin.revision,
        fingerprint: FROM_PAGE,
        reason: latest.reason,
        origin: latest.origin,
      },
    }),
  };
};

/** What a watermark retires keeps its own revision; what a message retires by name has that of the message. */
const isTrace = ({ revision, origin }: Tombstone): boolean => revision !== origin.revision;

/** Whether `record` is older than `other`. */
export const isBefore = (record: Ordered, other: Ordered): boolean => {
  const eras = (record.era ?? 0) - (other.era ?? 0);
  return eras === 0 ? record.revision < other.revision : eras < 0;
};

export const orderOf = ({ revision, era, fingerprint }: Ordered): Ordered => ({
  revision,
  fingerprint,
  ...(era !== undefined && { era }),
});

/** Reads through to the view, collects what changes, and keeps each cardholder's list of live cards true. */
export class Draft {
  readonly origin: Origin;
  readonly fingerprint: string;
  readonly #view: RosterView;
  readonly #cards = new Map<CardNumber, CardRecord>();
  readonly #cardholders = new Map<CardholderId, CardholderRecord>();
  readonly #superseded: CardNumber[] = [];

  constructor(view: RosterView, origin: Origin, fingerprint: string) {
    this.#view = view;
    this.origin = origin;
    this.fingerprint = fingerprint;
  }

  /** The place of what the change puts. */
  get order(): Ordered {
    const era = this.#era;
    return { revision: this.origin.revision, fingerprint: this.fingerprint, ...(era > 0 && { era }) };
  }

  /** Where a record stands in the present epoch: 0 for none, and for one from an earlier epoch. */
  revisionOf(record: Ordered | undefined): number {
    return record === undefined || (record.era ?? 0) !== this.#era ? 0 : record.revision;
  }

  /** Whether everything up to that revision is in the records, because they were found equal to HR's. */
  hasSeen(revision: Revision): boolean {
    return revision <= this.#view.roster().reconciled;
  }

  card(number: CardNumber): CardRecord | undefined {
    return this.#cards.get(number) ?? this.#view.card(number);
  }

  cardholder(id: CardholderId): CardholderRecord {
    return this.#cardholders.get(id) ?? this.#view.cardholder(id) ?? { cards: [] };
  }

  putCard(number: CardNumber, record: CardRecord): void {
    const before = this.card(number);
    this.#cards.set(number, record);
    if (before?.state === 'live' && (record.state !== 'live' || record.cardholder !== before.cardholder)) {
      const held = this.cardholder(before.cardholder);
      this.#cardholders.set(before.cardholder, { ...held, cards: held.cards.filter((card) => card !== number) });
    }
    if (record.state === 'live') {
      const held = this.cardholder(record.cardholder);
      if (!held.cards.includes(number)) {
        this.#cardholders.set(record.cardholder, { ...held, cards: [...held.cards, number] });
      }
    }
  }

  /** Stops all earlier cards of a person, those that are known here and, by the watermark, those that are not. */
  raiseWatermark(id: CardholderId, reason: RevocationReason): void {
    if (this.revisionOf(this.cardholder(id).watermark) >= this.origin.revision) return;
    this.putWatermark(id, { ...this.order, reason, origin: this.origin });
  }

  /** A watermark that is newer than the one held. */
  putWatermark(id: CardholderId, watermark: Watermark): void {
    const held = this.cardholder(id);
    this.#cardholders.set(id, { ...held, watermark });
    for (const number of held.cards) {
      const record = this.card(number);
      // The record keeps its own revision: a transfer to another person in between must still find its place.
      if (record?.state === 'live' && isBefore(record, watermark)) {
        this.#retire(number, { ...orderOf(record), reason: watermark.reason, cardholder: id });
      }
    }
  }

  /** Stops one card named in `supersedes`, seen here before or not. */
  retireListed(number: CardNumber): void {
    const { revision } = this.origin;
    const record = this.card(number);
    if (this.revisionOf(record) >= revision) return;
    this.#retire(number, {
      ...this.order,
      reason: record?.state === 'retired' ? record.reason : 'replaced',
      ...(record?.cardholder !== undefined && { cardholder: record.cardholder }),
    });
  }

  plan(result: ChangeResult): ChangePlan {
    return { result, cards: this.#cards, cardholders: this.#cardholders, superseded: this.#superseded };
  }

  get #era(): number {
    return this.#view.roster().pastEpochs.length;
  }

  #retire(number: CardNumber, tombstone: Omit<Tombstone, 'state' | 'origin'>): void {
    this.putCard(number, { state: 'retired', ...tombstone, origin: this.origin });
    this.#superseded.push(number);
  }
}
