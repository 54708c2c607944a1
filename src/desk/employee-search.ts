// How a clerk finds a person: by what People.search looks at, or by a card that the person has or had.

import type { DeskState } from './desk-state.ts';
import type { SearchOptions } from './people.ts';
import type { Employee } from './records.ts';

/** Whoever has a card of that number comes first. */
export const findEmployees = (
  text: string,
  state: Pick<DeskState, 'people' | 'cards' | 'cardNumbered'>,
  { limit, status }: SearchOptions,
): readonly Employee[] => {
  const { people, cards } = state;
  const number = state.cardNumbered(text);
  const card = number === undefined ? undefined : cards.get(number);
  const holder = card === undefined ? undefined : people.find(card.cardholder);
  const isWanted = holder !== undefined && (status === undefined || holder.status === status);
  const others = people.search(text, { limit, status }).filter((person) => person !== holder);
  return [...(isWanted ? [holder] : []), ...others].slice(0, limit);
};
