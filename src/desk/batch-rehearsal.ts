// A batch of replacements, tried out: each line is checked as it would be when those before it are done. Nothing is changed.

import type { CardNumber } from '../domain/card-number.ts';
import { formatInstant, type Instant } from '../domain/units.ts';
import { type CheckedState, checkReplacement, isFaulty } from './card-checks.ts';
import type { DeskState } from './desk-state.ts';
import { stopReasonOf } from './operation-records.ts';
import type { BatchRow, DeskCard, LiveCard } from './records.ts';
import type { Refusal, RefusalCode } from './refusal.ts';
import type { CardBinding } from './roster.ts';

/** What is wrong with a line. */
export interface BatchFault extends Refusal {
  readonly line: number;
}

/** A card that its holder had before and has no more: an old list must not bring it back. */
export const reissueFault = ({ newCard, cardholder }: BatchRow, state: CheckedState): Refusal | undefined => {
  const number = state.cardNumbered(newCard);
  const card = number === undefined ? undefined : state.cards.get(number);
  if (card?.state !== 'stopped' || card.cardholder !== personOf(cardholder)) return undefined;
  const detail = `card ${card.card} was stopped (${card.reason}) on ${card.stoppedAt}; to hand it out again, replace the card by itself`;
  return { code: 'already-replaced', detail, path: 'newCard' };
};

/** Whether what the line asks for is so already: the new card opens doors, and the old one does not. */
export const isAlreadyDone = (
  { cardholder, newCard, oldCard }: BatchRow,
  state: CheckedState,
): { readonly card: LiveCard } | undefined => {
  const number = state.cardNumbered(newCard);
  const card = number === undefined ? undefined : state.cards.get(number);
  if (card?.state !== 'live' || card.cardholder !== personOf(cardholder)) return undefined;
  const others = state.liveCardsOf(card.cardholder).filter((other) => other !== card);
  if (oldCard === undefined) return others.length === 0 ? { card } : undefined;
  const old = state.cardNumbered(oldCard);
  if (old === undefined || old === number || state.cards.get(old)?.cardholder !== card.cardholder) return undefined;
  return others.some((other) => other.card === old) ? undefined : { card };
};

const personOf = (text: string): string => text.trim().normalize('NFC');

export class BatchRehearsal {
  readonly #state: RehearsedState;
  readonly #now: Instant;
  /** Lines by the new card, and by the person, that they have named. */
  readonly #byCard = new Map<string, number>();
  readonly #byPerson = new Map<string, BatchRow[]>();

  constructor(state: DeskState, now: Instant) {
    this.#state = new RehearsedState(state);
    this.#now = now;
  }

  /** What is wrong with the next line; undefined for one that can be done, or is. */
  next(row: BatchRow): BatchFault | undefined {
    const refusal = this.#refusalOf(row);
    return refusal === undefined ? undefined : { line: row.line, ...refusal };
  }

  #refusalOf(row: BatchRow): Refusal | undefined {
    const twice = this.#twice(row);
    if (twice !== undefined) return twice;
    const state = this.#state;
    if (isAlreadyDone(row, state) !== undefined) return undefined;
    const reissued = reissueFault(row, state);
    if (reissued !== undefined) return reissued;
    const checked = checkReplacement(row, { state, now: this.#now });
    if (isFaulty(checked)) return checked.refusal;
    state.replace(checked, formatInstant(this.#now), row.reason);
    return undefined;
  }

  #twice(row: BatchRow): Refusal | undefined {
    const number = this.#state.cardNumbered(row.newCard);
    const before = number === undefined ? undefined : this.#byCard.get(number);
    if (before !== undefined) {
      return fault('card-in-use', `card ${number} is the new card of line ${before} already`, 'newCard');
    }
    if (number !== undefined) this.#byCard.set(number, row.line);
    const person = personOf(row.cardholder);
    const rows = this.#byPerson.get(person) ?? [];
    this.#byPerson.set(person, [...rows, row]);
    const same = rows.find((other) => !this.#isOtherCard(other, row));
    if (same === undefined) return undefined;
    return fault('invalid-request', `line ${same.line} replaces a card of ${person} already`, 'cardholder');
  }

  /** Somebody who has two cards may get two new ones, where it is said which is for which. */
  #isOtherCard(one: BatchRow, other: BatchRow): boolean {
    if (one.oldCard === undefined || other.oldCard === undefined) return false;
    return this.#state.cardNumbered(one.oldCard) !== this.#state.cardNumbered(other.oldCard);
  }
}

const fault = (code: RefusalCode, detail: string, path: string): Refusal => ({ code, detail, path });

/** No operation. */
const NOBODY = '';

/** The desk's cards, and over them those that the lines so far would have changed. */
class RehearsedState implements CheckedState {
  readonly people: CheckedState['people'];
  readonly format: CheckedState['format'];
  readonly cards = { get: (number: string): DeskCard | undefined => this.#changed.get(number) ?? this.#held(number) };
  readonly #state: DeskState;
  readonly #doors: ReadonlySet<string>;
  readonly #changed = new Map<string, DeskCard>();
  /** New cards by person, the newest first. */
  readonly #added = new Map<string, string[]>();

  constructor(state: DeskState) {
    this.#state = state;
    this.people = state.people;
    this.format = state.format;
    this.#doors = state.knownDoors();
  }

  replace(
    { oldCard, binding }: { readonly oldCard: string; readonly binding: CardBinding },
    at: string,
    reason: BatchRow['reason'],
  ): void {
    const { card, cardholder, kind = 'permanent', validUntil } = binding;
    const old = this.cards.get(oldCard);
    if (old?.state === 'live' || old?.reason === 'suspended') {
      const stopped = { state: 'stopped', stoppedAt: at, stoppedBy: NOBODY, stoppedRevision: 1 } as const;
      this.#changed.set(oldCard, { ...old, ...stopped, reason: stopReasonOf(old, reason) });
    }
    this.#changed.set(card, {
      state: 'live',
      card,
      cardholder: cardholder.id,
      revision: Number.MAX_SAFE_INTEGER,
      access: old?.access ?? [],
      kind,
      activation: 'active',
      ...(validUntil !== undefined && { validUntil }),
      boundAt: at,
      boundBy: NOBODY,
    });
    this.#added.set(cardholder.id, [card, ...(this.#added.get(cardholder.id) ?? [])]);
  }

  liveCardsOf(cardholder: string): readonly LiveCard[] {
    return this.allCardsOf(cardholder).filter((card) => card.state === 'live');
  }

  allCardsOf(cardholder: string): readonly DeskCard[] {
    const numbers = new Set([
      ...(this.#added.get(cardholder) ?? []),
      ...this.#state.allCardsOf(cardholder).map(({ card }) => card),
    ]);
    return [...numbers]
      .flatMap((number) => this.cards.get(number) ?? [])
      .filter((card) => card.cardholder === cardholder);
  }

  cardNumbered(text: string): CardNumber | undefined {
    return this.#state.cardNumbered(text);
  }

  knownDoors(): ReadonlySet<string> {
    return this.#doors;
  }

  #held(number: string): DeskCard | undefined {
    return this.#state.cards.get(number);
  }
}
