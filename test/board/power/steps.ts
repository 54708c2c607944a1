// What the writer of the power cuts does, step by step, so that the checker knows from the number of the last step alone what the
// store must hold: a tap, a change of a person's two cards, an order to a door, or a command that is remembered. Each step is one
// event of the log, and all that belongs to it is in one batch with it.

import type { StoreTransaction } from '../../../src/app/store-transaction.ts';
import type { CardNumber } from '../../../src/domain/card-number.ts';
import type { CardRecord } from '../../../src/domain/credential.ts';
import type { CommandRecord } from '../../../src/domain/door-command.ts';
import type { DoorId } from '../../../src/domain/ids.ts';
import { digestOf } from '../../../src/domain/roster-digest.ts';
import { instant } from '../../../src/domain/units.ts';
import type { CredentialStore } from '../../../src/ports/credential-store.ts';
import {
  bindingOf,
  cardholderId,
  cardNumber,
  doorId,
  messageId,
  ordersOf,
  originOf,
  revision,
  tombstoneOf,
} from '../../domain/samples.ts';
import { seededRandom } from '../../fixtures/seeded-random.ts';
import { digestFromScratch } from '../../flows/roster-model.ts';

const PEOPLE = 150;
export const DOORS = [doorId('front'), doorId('lab')];
const COMMANDS_KEPT = 20;
const AT = instant(Date.parse('2026-01-05T08:00:00Z'));

type Step =
  | { readonly kind: 'tap'; readonly card: CardNumber }
  /** The person's other card stops with it. */
  | { readonly kind: 'bind'; readonly person: number; readonly which: 0 | 1 }
  | { readonly kind: 'revoke'; readonly person: number }
  | { readonly kind: 'order'; readonly door: DoorId; readonly mode: 'blocked' | 'held-open' }
  | { readonly kind: 'command' };

const cardOf = (person: number, which: 0 | 1): CardNumber =>
  cardNumber(`F${(2 * person + which).toString(16).padStart(7, '0')}`);

/** Steps are numbered from 1, as their events are. */
const stepOf = (number: number): Step => {
  const random = seededRandom(number);
  const dice = random.below(100);
  const person = random.below(PEOPLE);
  const which = random.pick([0, 1] as const);
  if (dice < 50) return { kind: 'tap', card: cardOf(person, which) };
  if (dice < 75) return { kind: 'bind', person, which };
  if (dice < 90) return { kind: 'revoke', person };
  if (dice < 96) return { kind: 'order', door: random.pick(DOORS), mode: random.pick(['blocked', 'held-open']) };
  return { kind: 'command' };
};

/** What the step leaves of the person's cards. */
const cardsAfter = (number: number, step: Step): ReadonlyMap<CardNumber, CardRecord> => {
  if (step.kind !== 'bind' && step.kind !== 'revoke') return new Map();
  const { person } = step;
  const whose = { cardholder: cardholderId(`E${person}`), revision: revision(number), origin: originOf(number) };
  const dead = tombstoneOf({ ...whose, reason: step.kind === 'bind' ? 'replaced' : 'lost' });
  return new Map(
    ([0, 1] as const).map((which) => {
      const isBound = step.kind === 'bind' && step.which === which;
      return [cardOf(person, which), isBound ? bindingOf(whose) : dead];
    }),
  );
};

const commandOf = (number: number): CommandRecord => ({
  messageId: messageId(`command-${number}`),
  fingerprint: `${number}`.padStart(64, '0'),
  expiresAt: instant(AT + number),
});

/** Does the step that is next. Returns its number. */
export const takeStep = (tx: StoreTransaction, number: number): number => {
  const step = stepOf(number);
  const cards = cardsAfter(number, step);
  if (cards.size > 0) tx.putChange({ cards, cardholders: new Map(), revision: revision(number) });
  if (step.kind === 'order') tx.putDoorOrders(step.door, ordersOf(step.mode));
  if (step.kind === 'command') tx.putCommands([...tx.commands(), commandOf(number)].slice(-COMMANDS_KEPT));
  const event = step.kind === 'tap' ? 'access-granted' : 'card-change';
  const card = step.kind === 'tap' ? step.card : undefined;
  const news = { event, at: AT, clockSynchronized: true, card, detail: { step: number, kind: step.kind } } as const;
  const isAnswered = step.kind === 'bind' || step.kind === 'revoke';
  return tx.append(news, isAnswered ? (sequence) => `{"receipt":${sequence}}` : undefined).sequence;
};

/** What of the store is not as the steps up to the last one leave it, in words. */
export const differences = (store: CredentialStore, last: number): readonly string[] => {
  const cards = new Map<CardNumber, CardRecord>();
  const orders = new Map<DoorId, 'blocked' | 'held-open'>();
  const commands: CommandRecord[] = [];
  let newest = 0;
  for (let number = 1; number <= last; number++) {
    const step = stepOf(number);
    for (const [card, record] of cardsAfter(number, step)) cards.set(card, record);
    if (step.kind === 'bind' || step.kind === 'revoke') newest = number;
    if (step.kind === 'order') orders.set(step.door, step.mode);
    if (step.kind === 'command') commands.push(commandOf(number));
  }
  const live = [...cards].filter(([, { state }]) => state === 'live');
  const roster = store.roster();
  const held: (readonly [what: string, found: unknown, wanted: unknown])[] = [
    ...[...cards].map(([card, record]) => [`card ${card}`, recordIn(store, card), record] as const),
    ...DOORS.map((door) => [`door ${door}`, store.doorOrders(door).mode?.mode, orders.get(door)] as const),
    ['the commands', store.commands(), commands.slice(-COMMANDS_KEPT)],
    ['the revision', roster.revision, newest],
    ['the number of cards', roster.cards, live.length],
    ['the digest', digestOf(roster), digestFromScratch(live.map(([card, record]) => [card, record.revision]))],
  ];
  return held
    .map(([what, found, wanted]) => [what, JSON.stringify(found), JSON.stringify(wanted)] as const)
    .filter(([, found, wanted]) => found !== wanted)
    .map(([what, found, wanted]) => `${what} is ${found}, not ${wanted}`);
};

const recordIn = (store: CredentialStore, card: CardNumber): CardRecord | string => {
  const found = store.findCard(card);
  if (found.kind === 'live') return found.binding;
  return found.kind === 'retired' ? found.tombstone : found.kind;
};
