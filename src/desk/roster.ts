// The authoritative roster, as HR keeps it: who holds which cards, and the counter that orders all changes. In memory and without
// I/O: each change gives the message to publish, RosterPublisher brings it to the gateways, and storing is the caller's.
//
// 1. A change is taken whole or refused whole; a refused one uses up no revision.
// 2. What is taken here, every gateway takes: a message has been through the decoder that gateways use, and the rules for cards
//    in use and superseding are theirs (PROTOCOL.md, What the gateway does with them).
// 3. The digest always is that of the live cards.

import type { CardNumber, CardNumberFormat } from '../domain/card-number.ts';
import { flagsOf, type RevocationReason } from '../domain/credential.ts';
import type { CardholderId, Revision, SiteId } from '../domain/ids.ts';
import { type BindCard, MAX_CARDS_OF_CARDHOLDER, type RosterChange } from '../domain/roster-change.ts';
import { BUCKETS, bucketOf, DIGEST_BYTES, toggleCard } from '../domain/roster-digest.ts';
import type { RosterCard } from '../domain/roster-repair.ts';
import { CardeaError } from '../errors.ts';
import { encodeChange } from '../wire/change-encoding.ts';
import { decodeCardBound, decodeCardRevoked, type HrMessage } from '../wire/change-messages.ts';
import { MAX_MESSAGE_BYTES } from '../wire/hr-messages.ts';
import type { Fault } from '../wire/message-json.ts';
import type { RosterDigest, RosterPage, RosterRequest } from '../wire/roster-messages.ts';
import { jsonRoom } from './message-room.ts';
import { pagesOf } from './roster-pages.ts';
import { SharedAccess } from './shared-access.ts';

export interface RosterSettings {
  readonly site: SiteId;
  /** How HR writes card numbers; the same as `cardNumber.format` of the gateways. */
  readonly cardNumberFormat: CardNumberFormat;
}

/** What `card-bound` says about the card, in the words and with the defaults of PROTOCOL.md. Times are RFC 3339 with offset. */
export interface CardBinding {
  readonly card: string;
  readonly cardholder: { readonly id: string; readonly name?: string; readonly department?: string };
  readonly access: readonly (
    | { readonly doors: readonly string[]; readonly schedule?: string }
    | { readonly level: string }
  )[];
  readonly kind?: 'permanent' | 'temporary';
  readonly state?: 'active' | 'pending';
  readonly validFrom?: string;
  readonly validUntil?: string;
  readonly overridesLockdown?: boolean;
  readonly extendedRelease?: boolean;
  readonly supersedes?: 'all' | 'none' | readonly string[];
  readonly transferFrom?: string;
}

/** What a message carries for the record. */
export interface ChangeNote {
  /** 1 to 64 characters; never used before. Receipts name it. */
  readonly messageId: string;
  /** RFC 3339 with offset. */
  readonly issuedAt: string;
  /** Who did it; 1 to 64 characters. */
  readonly operator: string;
}

export interface RosterNote extends ChangeNote {
  /** Nothing is changed: the outcome tells what would be. */
  readonly isPreview?: true;
}

export type ChangeOutcome =
  | {
      readonly kind: 'changed';
      /** To be published. Its revision is the roster's from now on. */
      readonly message: HrMessage;
      /** The card as it is held from now on, if the change has bound one. */
      readonly bound?: RosterCard;
      /** Cards that were live and are not any more. */
      readonly stopped: readonly CardNumber[];
    }
  /** Nothing has changed. The codes are those of receipts. */
  | { readonly kind: 'refused'; readonly fault: Fault };

/** All of a roster. Pages (`pagesFor`, `encodeRosterPage`, `decodeRosterPage`) are a ready form for its cards in a file. */
export interface SavedRoster {
  /** Names the history that the revisions count in; 1 to 64 characters. */
  readonly epoch: string;
  /** The highest revision that was given out; 0 before the first. */
  readonly revision: Revision | 0;
  readonly cards: Iterable<RosterCard>;
}

export class Roster {
  readonly site: SiteId;
  readonly epoch: string;
  readonly #format: CardNumberFormat;
  readonly #buckets = Array.from({ length: BUCKETS }, () => new Map<CardNumber, RosterCard>());
  readonly #cardsOf = new Map<CardholderId, readonly CardNumber[]>();
  readonly #digest = new Uint8Array(DIGEST_BYTES);
  readonly #access = new SharedAccess();
  #revision: Revision | 0;
  #size = 0;

  /**
   * A new roster, or the one that was saved. Throws CardeaError `roster-invalid` when a card is saved twice or is newer than
   * the roster.
   */
  constructor({ site, cardNumberFormat }: RosterSettings, { epoch, revision, cards }: SavedRoster) {
    this.site = site;
    this.epoch = epoch;
    this.#format = cardNumberFormat;
    this.#revision = revision;
    for (const card of cards) {
      if (card.revision > revision) throw invalid('a card is newer than the roster', card);
      this.#put(card);
    }
  }

  /**
   * The roster from a backup, which lacks the changes since: HR counts on in a new epoch, above every revision that any gateway
   * has seen. Gateways take the new epoch by a signed digest (or an operator's consent) and are then repaired from pages. Until
   * then they judge change messages by the revision alone, and one that repeats the number of a lost change would be `stale` or
   * a `revision-conflict` there: a lost card that HR revokes would go on opening doors. `atLeast` is the highest
   * `roster.revision` in the gateways' statuses and receipts, or anything above it. Throws as the constructor does, and
   * for an epoch that is not new.
   */
  static fromBackup(
    settings: RosterSettings,
    backup: SavedRoster,
    { epoch, atLeast }: { readonly epoch: string; readonly atLeast: Revision | 0 },
  ): Roster {
    if (epoch === backup.epoch) {
      throw new CardeaError('roster-invalid', `the epoch ${epoch} is that of the backup; choose one never used before`);
    }
    const revision = atLeast > backup.revision ? atLeast : backup.revision;
    return new Roster(settings, { epoch, revision, cards: backup.cards });
  }

  /** The highest revision that was given out; 0 before the first. */
  get revision(): Revision | 0 {
    return this.#revision;
  }

  /** Live cards. */
  get size(): number {
    return this.#size;
  }

  find(card: CardNumber): RosterCard | undefined {
    return this.#bucket(card).get(card);
  }

  /** The live cards of a person. */
  cardsOf(cardholder: CardholderId): readonly RosterCard[] {
    return (this.#cardsOf.get(cardholder) ?? []).flatMap((card) => this.find(card) ?? []);
  }

  /** Binds, replaces, activates or transfers a card. Superseded cards stop with the same message. */
  bind(binding: CardBinding, note: RosterNote): ChangeOutcome {
    return this.#take(decodeCardBound({ ...this.#common('card-bound', note), ...binding }, this.#format), note);
  }

  /** Stops a card, known or not. */
  revokeCard(card: string, reason: RevocationReason, note: RosterNote): ChangeOutcome {
    return this.#take(decodeCardRevoked({ ...this.#common('card-revoked', note), card, reason }, this.#format), note);
  }

  /** Stops all cards of a person, known or not. */
  revokeCardholder(cardholder: string, reason: RevocationReason, note: RosterNote): ChangeOutcome {
    const content = { ...this.#common('card-revoked', note), cardholder, reason };
    return this.#take(decodeCardRevoked(content, this.#format), note);
  }

  /** For a roster that has made no change yet: the next revision is above this one. Throws for one that has. */
  beginAbove(revision: Revision): void {
    if (this.#size > 0) throw new CardeaError('roster-invalid', 'a roster with cards cannot begin anew');
    if (revision > this.#revision) this.#revision = revision;
  }

  digest(): RosterDigest {
    return { revision: this.#revision, cards: this.#size, buckets: this.#digest.slice(), epoch: this.epoch };
  }

  /** The answer to a gateway's request: the roster as it is at the call, whatever changes before the last page is taken. */
  pagesFor({ requestId, buckets }: Pick<RosterRequest, 'requestId' | 'buckets'>): Iterable<RosterPage> {
    return pagesOf({ requestId, buckets, revision: this.#revision }, this.#cardsIn(buckets));
  }

  /** The roster as it is at the call. Between two saves, `bound`, `stopped` and the revision of each change keep a copy current. */
  save(): SavedRoster {
    return { epoch: this.epoch, revision: this.#revision, cards: this.#cardsIn(this.#buckets.keys()) };
  }

  #common(type: HrMessage['messageType'], { messageId, issuedAt, operator }: ChangeNote) {
    return { type, site: this.site, messageId, revision: this.#revision + 1, issuedAt, operator };
  }

  #take(message: HrMessage | { readonly fault: Fault }, { isPreview }: RosterNote): ChangeOutcome {
    if ('fault' in message) return { kind: 'refused', fault: message.fault };
    const fault = this.#faultOf(message);
    if (fault !== undefined) return { kind: 'refused', fault };
    const { change, revision } = message;
    const stopped = this.#stoppedBy(change);
    if (isPreview === true) return { kind: 'changed', message, stopped };
    for (const card of stopped) this.#remove(card);
    this.#revision = revision;
    if (change.kind !== 'bind-card') return { kind: 'changed', message, stopped };
    this.#remove(change.card);
    return { kind: 'changed', message, bound: this.#put(cardOf(change, revision)), stopped };
  }

  #faultOf(message: HrMessage): Fault | undefined {
    const { change } = message;
    const bytes = Buffer.byteLength(encodeChange(this.site, message));
    const room = jsonRoom(MAX_MESSAGE_BYTES);
    if (bytes > room) return { code: 'too-large', detail: `the message has ${bytes} bytes, the limit is ${room}` };
    return change.kind === 'bind-card' ? this.#bindingFault(change) : undefined;
  }

  #bindingFault({ card, cardholder, supersedes, transferFrom }: BindCard): Fault | undefined {
    const holder = this.find(card)?.cardholder;
    if (holder !== undefined && holder !== cardholder.id && holder !== transferFrom) {
      const detail = 'the card is live for another cardholder; revoke it first or name that person in transferFrom';
      return { code: 'card-in-use', path: 'card', detail };
    }
    const held = this.#cardsOf.get(cardholder.id) ?? [];
    if (supersedes.kind !== 'all' && held.length >= MAX_CARDS_OF_CARDHOLDER && !held.includes(card)) {
      const detail = `a cardholder can have ${MAX_CARDS_OF_CARDHOLDER} live cards at most; revoke some first`;
      return { code: 'invalid-message', path: 'cardholder.id', detail };
    }
    return undefined;
  }

  /** Every card here is older than the change, so that it stops all that it names. */
  #stoppedBy(change: RosterChange): readonly CardNumber[] {
    switch (change.kind) {
      case 'revoke-card':
        return this.find(change.card) === undefined ? [] : [change.card];
      case 'revoke-cardholder':
        return this.#cardsOf.get(change.cardholder) ?? [];
      case 'bind-card':
        return this.#supersededBy(change);
    }
  }

  #supersededBy({ card, cardholder, supersedes }: BindCard): readonly CardNumber[] {
    switch (supersedes.kind) {
      case 'all':
        return (this.#cardsOf.get(cardholder.id) ?? []).filter((other) => other !== card);
      case 'none':
        return [];
      case 'cards':
        return supersedes.cards.filter((other) => this.find(other) !== undefined);
    }
  }

  #put(card: RosterCard): RosterCard {
    const bucket = this.#bucket(card.card);
    if (bucket.has(card.card)) throw invalid('a card is there twice', card);
    const held: RosterCard = { ...card, access: this.#access.share(card.access) };
    bucket.set(card.card, held);
    const others = this.#cardsOf.get(card.cardholder);
    // A literal of one has room for one; lists that are grown have room for 17, which a million people would feel.
    this.#cardsOf.set(card.cardholder, others === undefined ? [card.card] : [...others, card.card]);
    toggleCard(this.#digest, card.card, card.revision);
    this.#size += 1;
    return held;
  }

  #remove(number: CardNumber): void {
    const card = this.find(number);
    if (card === undefined) return;
    const others = (this.#cardsOf.get(card.cardholder) ?? []).filter((other) => other !== number);
    if (others.length === 0) this.#cardsOf.delete(card.cardholder);
    else this.#cardsOf.set(card.cardholder, others);
    this.#bucket(number).delete(number);
    toggleCard(this.#digest, number, card.revision);
    this.#size -= 1;
  }

  #bucket(card: CardNumber): Map<CardNumber, RosterCard> {
    const bucket = this.#buckets[bucketOf(card)];
    if (bucket === undefined) throw new CardeaError('internal-error', 'a card belongs to none of the 256 buckets');
    return bucket;
  }

  /** Cards are never changed in place, so that a list of them is a snapshot: 8 bytes a card. */
  #cardsIn(buckets: Iterable<number>): readonly RosterCard[] {
    const cards: RosterCard[] = [];
    for (const bucket of buckets) for (const card of this.#buckets[bucket]?.values() ?? []) cards.push(card);
    return cards;
  }
}

const cardOf = (change: BindCard, revision: Revision): RosterCard => {
  const { card, cardholder, access, cardKind, activation, validFrom, validUntil } = change;
  return {
    card,
    revision,
    cardholder: cardholder.id,
    access,
    kind: cardKind,
    activation,
    ...(validFrom !== undefined && { validFrom }),
    ...(validUntil !== undefined && { validUntil }),
    ...flagsOf(change),
  };
};

const invalid = (what: string, { revision }: RosterCard): CardeaError =>
  new CardeaError('roster-invalid', `the saved roster contradicts itself: ${what}`, { context: { revision } });
