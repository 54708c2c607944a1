// What operators ask the desk to do with cards. Card numbers are in the site's format; times are RFC 3339 with offset.

import type { RevocationReason } from '../domain/credential.ts';
import type { Role } from './permissions.ts';
import type { Access, ReplacementReason } from './records.ts';

/** Who acts. */
export interface Actor {
  readonly name: string;
  readonly roles: readonly Role[];
}

export interface Named {
  /** The caller's name for the request, 1 to 128 characters: the same again is not done again. */
  readonly requestId?: string | undefined;
  /** In the operator's words, for the record. */
  readonly note?: string | undefined;
}

/** What a new card opens and when. Times are RFC 3339 with offset. */
export interface Rights {
  readonly access?: Access | undefined;
  readonly validFrom?: string | undefined;
  readonly validUntil?: string | undefined;
  /** It opens nothing until it is held to an activation reader. */
  readonly isPending?: boolean | undefined;
  readonly overridesLockdown?: boolean | undefined;
  readonly extendedRelease?: boolean | undefined;
  /** Takes a card that was once reported lost or stolen. */
  readonly isReused?: boolean | undefined;
}

/** Card numbers are in the site's format. */
export interface ReplacementRequest extends Named, Rights {
  readonly cardholder: string;
  readonly newCard: string;
  /** Needed where the person has several. */
  readonly oldCard?: string | undefined;
  readonly reason: ReplacementReason;
}

export interface BindingRequest extends Named, Rights {
  readonly cardholder: string;
  readonly card: string;
  /** Valid until `validUntil`, which is needed then. */
  readonly isTemporary?: boolean | undefined;
}

export interface LossRequest extends Named {
  /** One of the two; the person where they have one card. */
  readonly card?: string | undefined;
  readonly cardholder?: string | undefined;
  readonly reason: 'lost' | 'stolen';
}

export interface ReinstatementRequest extends Named {
  readonly card: string;
  /** Although the person has other cards by now. */
  readonly keepsOthers?: boolean | undefined;
}

export interface RevocationRequest extends Named {
  readonly card: string;
  readonly reason: RevocationReason;
}

export interface LeaveRequest extends Named {
  readonly cardholder: string;
}
