// Whether a card opens a door now, and if not, why not. Pure: the same facts give the same answer at the door and in `cardea explain`.
//
// 1. Any doubt denies: an unreadable record, a window that an untrusted clock would have to judge, a name nobody knows.

import type { DenialReason } from './access-event.ts';
import type { Binding, CardLookup, RevocationReason } from './credential.ts';
import type { DoorMode } from './door-mode.ts';
import type { DoorId } from './ids.ts';
import { type AccessRules, permissionAt, type WallClock } from './schedule.ts';
import type { Instant } from './units.ts';

export interface AccessQuestion {
  readonly card: CardLookup;
  readonly door: DoorId;
  readonly mode: DoorMode;
  readonly now: Instant;
  /** Now, at the door. */
  readonly wall: WallClock;
  /** The roster has not been compared with HR's for longer than this site allows. */
  readonly isRosterStale: boolean;
  readonly rules: AccessRules;
}

export type AccessDecision =
  | {
      readonly kind: 'granted';
      readonly binding: Binding;
      /** It is a second time the same way, which the zone only wants to know of. */
      readonly isPassback?: true;
      /** Nobody goes through this door alone: another card has to follow, or to have come before. */
      readonly needsSecondCard?: true;
    }
  | { readonly kind: 'denied'; readonly reason: DenialReason; readonly detail?: string };

export const decideAccess = (question: AccessQuestion): AccessDecision => {
  const { card } = question;
  switch (card.kind) {
    case 'unreadable':
      return denied('store-failure');
    case 'unknown':
      return denied('unknown-card');
    case 'retired':
      return denied(denialOf(card.tombstone.reason));
    case 'live': {
      const reason = objection(card.binding, question);
      return reason === undefined ? { kind: 'granted', binding: card.binding } : denied(reason);
    }
  }
};

const denied = (reason: DenialReason): AccessDecision => ({ kind: 'denied', reason });

const objection = (binding: Binding, question: AccessQuestion): DenialReason | undefined => {
  const { door, mode, now, wall, isRosterStale, rules } = question;
  if (binding.activation === 'pending') return 'pending';
  const { validFrom, validUntil } = binding;
  if (validFrom !== undefined || validUntil !== undefined) {
    if (!wall.isTrusted) return 'clock-untrusted';
    if (validFrom !== undefined && now < validFrom) return 'not-yet-valid';
    if (validUntil !== undefined && now >= validUntil) return 'expired';
  }
  const permission = permissionAt(binding.access, door, { rules, wall });
  if (permission === 'not-permitted') return 'door-not-permitted';
  if (permission !== 'permitted') return permission;
  if (isRosterStale) return 'roster-stale';
  if (mode === 'lockdown' && binding.overridesLockdown !== true) return 'lockdown';
  return mode === 'blocked' ? 'door-blocked' : undefined;
};

/** What the employee at the door is told about a card that HR revoked for `reason`. */
export const denialOf = (reason: RevocationReason): DenialReason => {
  switch (reason) {
    case 'damaged':
      return 'replaced';
    case 'other':
      return 'revoked';
    default:
      return reason;
  }
};
