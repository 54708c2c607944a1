// What a gateway holds about a card and about a cardholder. One record per card ever heard of: a live binding or a tombstone.

import type { CardNumber } from './card-number.ts';
import type { CardholderId, DoorId, MessageId, Revision, ScheduleId } from './ids.ts';
import type { Instant } from './units.ts';

/** These doors while that schedule holds; `*` is every door. */
export type DoorGrant = { readonly doors: readonly (DoorId | '*')[]; readonly schedule: ScheduleId };

/** Part of a card's rights: doors at their times, or an access level that the configuration or HR's calendar spells out. */
export type Grant = DoorGrant | { readonly level: string };

export type CardKind = 'permanent' | 'temporary';

export const REVOCATION_REASONS = [
  'lost',
  'stolen',
  'damaged',
  'replaced',
  'left',
  'suspended',
  'expired',
  'other',
] as const;
export type RevocationReason = (typeof REVOCATION_REASONS)[number];

/** Which HR message brought a record about. */
export interface Origin {
  readonly revision: Revision;
  readonly messageId: MessageId;
  readonly appliedAt: Instant;
}

/** Where a record stands in the order of HR's changes. */
export interface Ordered {
  readonly revision: Revision;
  /**
   * Which of HR's epochs the revision counts in: 0 (or left out) the first that was known here, 1 the one after it. Every
   * message of an epoch is newer than every record of an earlier one.
   */
  readonly era?: number;
  /** Hash of the message's content, to tell a redelivery from a conflict; empty where it is not known. */
  readonly fingerprint: string;
}

/** What a card does for its holder beyond its grants; what is left out it does not do. */
export interface CardFlags {
  /** Opens doors in a lockdown too. */
  readonly overridesLockdown?: true;
  /** The person needs more time to pass: doors stay released, and may stand open, for longer. */
  readonly extendedRelease?: true;
}

/** The flags among the members of `from`: false is as good as nothing, so that a record and a hash are the same for both. */
export const flagsOf = (from: {
  readonly overridesLockdown?: boolean | undefined;
  readonly extendedRelease?: boolean | undefined;
}): CardFlags => ({
  ...(from.overridesLockdown === true && { overridesLockdown: true }),
  ...(from.extendedRelease === true && { extendedRelease: true }),
});

/** A card that HR has bound and nothing has retired. */
export interface Binding extends Ordered, CardFlags {
  readonly state: 'live';
  readonly cardholder: CardholderId;
  readonly name?: string;
  readonly department?: string;
  readonly access: readonly Grant[];
  readonly kind: CardKind;
  /** A pending card opens nothing until it was presented at an activation reader. */
  readonly activation: 'active' | 'pending';
  readonly validFrom?: Instant;
  readonly validUntil?: Instant;
  readonly origin: Origin;
}

/** A card that was revoked or superseded, or whose binding came too late. Nothing older brings it back. */
export interface Tombstone extends Ordered {
  readonly state: 'retired';
  readonly reason: RevocationReason;
  /** Whose card it was, where that is known. */
  readonly cardholder?: CardholderId;
  /** The message that retired it; its revision may be higher than the record's. */
  readonly origin: Origin;
}

export type CardRecord = Binding | Tombstone;

/** The highest revision at which all earlier cards of a person were stopped. */
export interface Watermark extends Ordered {
  readonly reason: RevocationReason;
  readonly origin: Origin;
}

export interface CardholderRecord {
  readonly watermark?: Watermark;
  /** Live cards of this person. */
  readonly cards: readonly CardNumber[];
}

/** What a look-up by card number found. */
export type CardLookup =
  | { readonly kind: 'live'; readonly binding: Binding }
  | { readonly kind: 'retired'; readonly tombstone: Tombstone }
  | { readonly kind: 'unknown' }
  /** The store failed or the record does not decode: the card opens nothing. */
  | { readonly kind: 'unreadable'; readonly detail: string };
