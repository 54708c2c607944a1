// What an operation would do, for whoever is about to confirm it.

import type { DeskState } from './desk-state.ts';
import { isExpectedAt } from './proof.ts';
import type { Access, Employee, Operation } from './records.ts';

export interface CardPreview {
  readonly cardholder: Employee | null;
  readonly stoppedCards: readonly string[];
  readonly newCard: string | null;
  readonly access: Access | null;
  readonly validFrom: string | null;
  readonly validUntil: string | null;
  readonly activation: 'active' | 'pending' | null;
  /** Doors that are known and that the new card is meant to open; without those that only an access level may name. */
  readonly doors: readonly string[];
}

/** `operation` was made of a change that only tells what it would come to. */
export const previewOf = (
  { cardholder, stoppedCards, newCard, access, validFrom, validUntil, activation }: Operation,
  state: DeskState,
): CardPreview => ({
  cardholder: (cardholder === undefined ? undefined : state.people.find(cardholder)) ?? null,
  stoppedCards,
  newCard: newCard ?? null,
  access: access ?? null,
  validFrom: validFrom ?? null,
  validUntil: validUntil ?? null,
  activation: activation ?? null,
  doors:
    access === undefined ? [] : [...state.knownDoors()].filter((door) => isExpectedAt(access, door) === true).sort(),
});
