// Everything that can be wrong with a request before it is published: numbers, people, dates, doors, cards that somebody has.

import type { CardNumber } from '../domain/card-number.ts';
import { parseCardNumber } from '../domain/card-number.ts';
import type { Instant } from '../domain/units.ts';
import type { Fault } from '../wire/message-json.ts';
import type {
  BindingRequest,
  LossRequest,
  ReinstatementRequest,
  ReplacementRequest,
  Rights as RequestedRights,
} from './card-requests.ts';
import type { DeskState } from './desk-state.ts';
import type { DeskCard, Employee, LiveCard } from './records.ts';
import type { Refusal, RefusalCode } from './refusal.ts';
import type { CardBinding } from './roster.ts';

export interface Faulty {
  readonly refusal: Refusal;
}
export type Checked<Value> = Value | Faulty;

export const isFaulty = <Value extends object>(checked: Checked<Value>): checked is Faulty => 'refusal' in checked;

/** As much of what the desk knows as the checks look at. */
export type CheckedState = Pick<
  DeskState,
  'people' | 'format' | 'liveCardsOf' | 'allCardsOf' | 'cardNumbered' | 'knownDoors'
> & { readonly cards: { get(number: string): DeskCard | undefined } };

export interface CheckContext {
  readonly state: CheckedState;
  readonly now: Instant;
}

const faulty = (code: RefusalCode, detail: string, path?: string): Faulty => ({
  refusal: { code, detail, ...(path !== undefined && { path }) },
});

/** What the roster has found, in the desk's words; its codes are those of receipts. */
export const refusalOf = ({ code, detail, path }: Fault): Refusal => ({
  code: REFUSALS[code] ?? 'invalid-request',
  detail,
  ...(path !== undefined && { path }),
});

const REFUSALS: Partial<Record<Fault['code'], RefusalCode>> = {
  'invalid-card-number': 'invalid-card-number',
  'random-uid': 'random-uid',
  'card-in-use': 'card-in-use',
  'invalid-window': 'invalid-window',
  'too-large': 'too-large',
};

export const holderOf = (id: string, { people }: Pick<CheckedState, 'people'>): Checked<Employee> => {
  const employee = people.find(id.trim().normalize('NFC'));
  return employee ?? faulty('unknown-employee', `nobody here has the id ${JSON.stringify(id)}`, 'cardholder');
};

const activeHolderOf = (id: string, state: CheckedState): Checked<Employee> => {
  const employee = holderOf(id, state);
  if (isFaulty(employee) || employee.status === 'active') return employee;
  const detail = `${employee.name} (${employee.id}) has left; let them return first`;
  return faulty('employee-left', detail, 'cardholder');
};

/** A card that may be handed out: its number is one, nobody has it, and it was not reported lost. */
const freeCard = (
  { text, path, isReused }: { readonly text: string; readonly path: string; readonly isReused: boolean },
  holder: Employee,
  { state }: CheckContext,
): Checked<{ readonly number: CardNumber; readonly known: DeskCard | undefined }> => {
  const parsed = parseCardNumber(text.trim(), state.format);
  if ('fault' in parsed) return faulty(parsed.fault.code, `${JSON.stringify(text)}: ${parsed.fault.detail}`, path);
  const { number } = parsed;
  const known = state.cards.get(number);
  if (known?.state === 'live' && known.cardholder !== holder.id) {
    return faulty('card-in-use', `card ${number} is in use by ${nameOf(known.cardholder, state)}`, path);
  }
  if (known?.state === 'stopped' && !isReused && LOST.includes(known.reason)) {
    const detail = `card ${number} of ${nameOf(known.cardholder, state)} was ${known.reason} on ${known.stoppedAt}; say that it is to be reused if it is at hand`;
    return faulty('card-was-lost', detail, path);
  }
  return { number, known };
};

const LOST: readonly string[] = ['lost', 'stolen', 'suspended'];

const nameOf = (id: string, { people }: Pick<CheckedState, 'people'>): string => {
  const person = people.find(id);
  return person === undefined ? id : `${person.name} (${id})`;
};

/** The card to be replaced, and the binding that does it. */
export const checkReplacement = (
  request: ReplacementRequest,
  context: CheckContext,
): Checked<{ readonly oldCard: string; readonly binding: CardBinding }> => {
  const { state } = context;
  const holder = activeHolderOf(request.cardholder, state);
  if (isFaulty(holder)) return holder;
  const old = cardToReplace(request, holder, state);
  if (isFaulty(old)) return old;
  const { newCard, isReused = false } = request;
  const free = freeCard({ text: newCard, path: 'newCard', isReused }, holder, context);
  if (isFaulty(free)) return free;
  if (free.number === old.card) {
    return faulty('same-card', `card ${old.card} cannot replace itself; bring it back instead`, 'newCard');
  }
  if (free.known?.state === 'live') {
    return faulty('card-in-use', `card ${free.number} is in use by ${nameOf(holder.id, state)} already`, 'newCard');
  }
  const others = state.liveCardsOf(holder.id).filter(({ card }) => card !== old.card);
  const binding = bindingOf(holder, free.number, {
    ...rightsOfCard(old),
    ...givenRights(request),
    supersedes: others.length === 0 ? 'all' : [old.card],
  });
  return checkRights(binding, context) ?? { oldCard: old.card, binding };
};

const cardToReplace = (
  { oldCard: text, reason }: ReplacementRequest,
  holder: Employee,
  state: CheckedState,
): Checked<DeskCard> => {
  if (text !== undefined) return cardOf(text, holder, state);
  const live = state.liveCardsOf(holder.id);
  const [only] = live;
  // Whoever has a card may mean the one that was reported lost, but for a reason that a lost card cannot have.
  const missing = only === undefined || AT_HAND.includes(reason) ? [] : suspendedCardsOf(holder, state);
  const meant = [...live, ...missing];
  if (meant.length > 1) {
    const detail = `${nameOf(holder.id, state)} has ${meant.length} cards (${meant.map(textOf).join(', ')}); say which one`;
    return faulty('ambiguous-card', detail, 'oldCard');
  }
  const card = only ?? state.allCardsOf(holder.id)[0];
  return card ?? faulty('no-card', `${nameOf(holder.id, state)} has never had a card; bind one instead`, 'cardholder');
};

const AT_HAND: readonly string[] = ['damaged', 'expired'];

const suspendedCardsOf = ({ id }: Employee, state: CheckedState): readonly DeskCard[] =>
  state.allCardsOf(id).filter((card) => card.state === 'stopped' && card.reason === 'suspended');

const textOf = ({ card, state }: DeskCard): string => (state === 'live' ? card : `${card}, reported lost`);

const cardOf = (text: string, holder: Employee, state: CheckedState): Checked<DeskCard> => {
  const number = state.cardNumbered(text);
  if (number === undefined)
    return faulty('invalid-card-number', `${JSON.stringify(text)} is no card number`, 'oldCard');
  const card = state.cards.get(number);
  if (card === undefined) return faulty('unknown-card', `nobody here has had card ${number}`, 'oldCard');
  if (card.cardholder === holder.id) return card;
  const detail = `card ${number} is that of ${nameOf(card.cardholder, state)}, not of ${nameOf(holder.id, state)}`;
  return faulty('not-their-card', detail, 'oldCard');
};

export const checkBinding = (request: BindingRequest, context: CheckContext): Checked<CardBinding> => {
  const { state } = context;
  const holder = activeHolderOf(request.cardholder, state);
  if (isFaulty(holder)) return holder;
  const { card, isReused = false, isTemporary = false } = request;
  const free = freeCard({ text: card, path: 'card', isReused }, holder, context);
  if (isFaulty(free)) return free;
  if (isTemporary && request.validUntil === undefined) {
    return faulty('invalid-window', 'a temporary card needs the time until which it is valid', 'validUntil');
  }
  const binding = bindingOf(holder, free.number, {
    access: holder.access,
    ...givenRights(request),
    ...(isTemporary && { kind: 'temporary' }),
    supersedes: 'none',
  });
  return checkRights(binding, context) ?? binding;
};

export const checkReinstatement = (
  { card: text, keepsOthers = false }: ReinstatementRequest,
  context: CheckContext,
): Checked<CardBinding> => {
  const { state } = context;
  const number = state.cardNumbered(text);
  const card = number === undefined ? undefined : state.cards.get(number);
  if (card === undefined) return faulty('unknown-card', `nobody here has had card ${text}`, 'card');
  if (card.state === 'live' || card.reason !== 'suspended') {
    const is = card.state === 'live' ? 'is in use' : `was stopped for good (${card.reason})`;
    return faulty('not-suspended', `card ${card.card} ${is}; only a card that was reported lost can come back`, 'card');
  }
  const holder = activeHolderOf(card.cardholder, state);
  if (isFaulty(holder)) return holder;
  const others = state.liveCardsOf(holder.id);
  if (others.length > 0 && !keepsOthers) {
    const detail = `${nameOf(holder.id, state)} has card ${others.map((other) => other.card).join(', ')} by now; say whether to keep both`;
    return faulty('already-replaced', detail, 'card');
  }
  const binding = bindingOf(holder, card.card, {
    ...rightsOfCard(card),
    state: card.activation,
    supersedes: 'none',
  });
  return checkRights(binding, context) ?? binding;
};

/** The card of a report of loss: it is named, or it is the only one of the person. */
export const lostCard = ({ card: text, cardholder }: LossRequest, { state }: CheckContext): Checked<LiveCard> => {
  if (text !== undefined) {
    const number = state.cardNumbered(text);
    const card = number === undefined ? undefined : state.cards.get(number);
    if (card?.state === 'live') return card;
    const what = card === undefined ? 'is not known here' : 'opens nothing any more';
    return faulty('unknown-card', `card ${text} ${what}`, 'card');
  }
  const holder = holderOf(cardholder ?? '', state);
  if (isFaulty(holder)) return holder;
  const live = state.liveCardsOf(holder.id);
  const [only] = live;
  if (only === undefined)
    return faulty('no-card', `${nameOf(holder.id, state)} has no card that opens anything`, 'cardholder');
  if (live.length === 1) return only;
  const detail = `${nameOf(holder.id, state)} has ${live.length} cards (${live.map(({ card }) => card).join(', ')}); say which one`;
  return faulty('ambiguous-card', detail, 'card');
};

type Rights = Omit<CardBinding, 'card' | 'cardholder'>;

const bindingOf = ({ id, name, department }: Employee, card: string, rights: Rights): CardBinding => ({
  card,
  cardholder: { id, name, ...(department !== undefined && { department }) },
  ...rights,
});

/** A replacement does what the card before it did. */
const rightsOfCard = ({ access, kind, validFrom, validUntil, overridesLockdown, extendedRelease }: DeskCard) => ({
  access,
  kind,
  ...(validFrom !== undefined && { validFrom }),
  ...(validUntil !== undefined && { validUntil }),
  ...(overridesLockdown === true && { overridesLockdown }),
  ...(extendedRelease === true && { extendedRelease }),
});

const givenRights = ({
  access,
  validFrom,
  validUntil,
  isPending,
  overridesLockdown,
  extendedRelease,
}: RequestedRights) => ({
  ...(access !== undefined && { access }),
  ...(validFrom !== undefined && { validFrom }),
  ...(validUntil !== undefined && { validUntil }),
  ...(isPending === true && { state: 'pending' as const }),
  ...(overridesLockdown !== undefined && { overridesLockdown }),
  ...(extendedRelease !== undefined && { extendedRelease }),
});

/** Undefined where nothing is wrong. */
const checkRights = ({ access, validUntil }: CardBinding, { state, now }: CheckContext): Faulty | undefined => {
  if (validUntil !== undefined && Date.parse(validUntil) <= now) {
    return faulty('date-in-past', `${validUntil} is over: the card would open nothing`, 'validUntil');
  }
  const known = state.knownDoors();
  const doors = access.flatMap((grant) => ('doors' in grant ? grant.doors : []));
  const unknown = doors.find((door) => door !== '*' && !known.has(door));
  if (unknown === undefined) return undefined;
  const doorsText = known.size === 0 ? 'no gateway has said which it has' : `known are ${[...known].sort().join(', ')}`;
  return faulty('unknown-door', `no gateway has a door ${JSON.stringify(unknown)}; ${doorsText}`, 'access');
};
