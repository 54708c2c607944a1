// `cardea desk card` and `desk report-loss`: what the desk knows of a card, and what is done with one beside its replacement.

import {
  type BindingRequest,
  type CardAnswer,
  type CardHistory,
  cardAnswer,
  cardHistory,
  type LossRequest,
  type ReinstatementRequest,
  type RevocationRequest,
} from '../desk-api/contract.ts';
import type { RevocationReason } from '../domain/credential.ts';
import { CardeaError } from '../errors.ts';
import { columns } from './columns.ts';
import { LOSS_REASONS } from './desk-choices.ts';
import { pathOf } from './desk-client.ts';
import { numberOfNewCard, type ReaderOptions, type RightsOptions, rightsOf } from './desk-new-card.ts';
import { accessText, carryOut, type OperationOptions, personText } from './desk-operation.ts';
import { type PageOptions, pageOf, type ServiceOptions } from './desk-options.ts';
import { chooseCard, findPerson } from './desk-person.ts';
import { operationsText, validityFacts } from './desk-proof-text.ts';
import { type DeskVisit, visitDesk } from './desk-visit.ts';
import { localTime } from './local-times.ts';
import type { CliSession } from './session.ts';

export interface BindingOptions extends OperationOptions, RightsOptions, ReaderOptions {}

export interface LossOptions extends OperationOptions {
  readonly card?: string;
  readonly reason?: LossRequest['reason'];
}

export interface ReinstatementOptions extends OperationOptions {
  readonly keepOthers?: boolean;
}

export interface RevocationOptions extends OperationOptions {
  readonly reason: RevocationReason;
}

/** Ends with `no` for a card that opens nothing. */
export const showCard = async (number: string, options: ServiceOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const card = await visit.desk.ask(cardAnswer, { path: pathOf`/v1/cards/${number}` });
  session.conclude(card.state === 'live');
  await visit.print(card, () => cardText(card));
};

const cardText = (card: CardAnswer): string => {
  const { holder, cardholder, kind, access, boundAt, boundBy, usage } = card;
  const facts = columns([
    ['card', card.card],
    [
      'state',
      card.state === 'live' ? 'in use' : `stopped ${localTime(card.stoppedAt)}: ${card.reason}, ${card.stoppedBy}`,
    ],
    ['person', holder === null ? cardholder : `${personText(holder)}${holder.status === 'left' ? ', left' : ''}`],
    ['kind', kind],
    ['access', access.map(accessText).join('; ')],
    ...validityFacts(card),
    ['bound', `${localTime(boundAt)}, ${boundBy}`],
    [
      'last used',
      usage?.lastGranted === undefined
        ? 'never'
        : `${localTime(usage.lastGranted.time)}, ${usage.lastGranted.door ?? ''}`,
    ],
  ]);
  return usage === null || usage.taps.length === 0 ? facts : `${facts}\n${tapsText(usage.taps)}`;
};

const tapsText = (taps: Readonly<CardHistory['taps']>): string =>
  columns([
    ['TAP', 'GATEWAY', 'DOOR', 'WHAT'],
    ...taps.map(({ time, gateway, door, event, reason }) => [
      localTime(time),
      gateway,
      door ?? '',
      reason === null ? event : `${event}: ${reason}`,
    ]),
  ]);

export const showCardHistory = async (number: string, options: PageOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const history = await visit.desk.ask(cardHistory, {
    path: pathOf`/v1/cards/${number}/history`,
    query: pageOf(options),
  });
  await visit.print(history, () => `${operationsText(history)}\n${tapsText(history.taps)}`);
};

/** A first card, or one more. */
export const bindCard = (
  words: { readonly person: string | undefined; readonly card: string | undefined },
  options: BindingOptions,
  session: CliSession,
): Promise<void> => bind(words, { ...options, isTemporary: false }, session);

/** One more card, until a time. */
export const lendCard = async (
  words: { readonly person: string | undefined; readonly card: string | undefined },
  options: BindingOptions,
  session: CliSession,
): Promise<void> => bind(words, { ...options, isTemporary: true }, session);

const bind = async (
  words: { readonly person: string | undefined; readonly card: string | undefined },
  options: BindingOptions & { readonly isTemporary: boolean },
  session: CliSession,
): Promise<void> => {
  const visit = await visitDesk(session, options);
  const { isTemporary, note } = options;
  const person = await findPerson(visit, words.person, 'active');
  const card = await numberOfNewCard(visit, { named: words.card, option: 'CARD', reader: options });
  const until = isTemporary
    ? await visit.questions.orAsk(options.until, '--until', (prompts) =>
        prompts.text('Until when? (such as 2026-11-30 or 2026-11-30T18:00)'),
      )
    : options.until;
  const body: BindingRequest = {
    cardholder: person.id,
    card,
    ...(isTemporary && { isTemporary }),
    ...(note !== undefined && { note }),
    ...rightsOf({ ...options, ...(until !== undefined && { until }) }),
  };
  const question = `Bind the card to ${personText(person)}?`;
  await carryOut(visit, { path: '/v1/bindings', body, question }, options);
};

/** The card stops at once, and may come back. */
export const reportLoss = async (
  named: string | undefined,
  options: LossOptions,
  session: CliSession,
): Promise<void> => {
  const { card, note } = options;
  if (named !== undefined && card !== undefined) {
    throw new CardeaError('invalid-request', 'name either a person or --card, not both');
  }
  const visit = await visitDesk(session, options);
  const whose = card === undefined ? await ownerOf(visit, named) : { card };
  const reason = await visit.questions.orAsk(options.reason, '--reason', (prompts) =>
    prompts.choose(
      'Lost or stolen?',
      LOSS_REASONS.map((value) => ({ value, text: value })),
    ),
  );
  const body: LossRequest = { ...whose, reason, ...(note !== undefined && { note }) };
  await carryOut(visit, { path: '/v1/loss-reports', body, question: 'Stop the card until it is found?' }, options);
};

const ownerOf = async (
  visit: DeskVisit,
  named: string | undefined,
): Promise<Pick<LossRequest, 'card' | 'cardholder'>> => {
  const person = await findPerson(visit, named);
  const card = await chooseCard(visit, person, '--card');
  return card === undefined ? { cardholder: person.id } : { card };
};

export const reinstateCard = async (
  card: string,
  { keepOthers, ...options }: ReinstatementOptions,
  session: CliSession,
): Promise<void> => {
  const { note } = options;
  const body: ReinstatementRequest = {
    card,
    ...(keepOthers === true && { keepsOthers: true }),
    ...(note !== undefined && { note }),
  };
  const visit = await visitDesk(session, options);
  await carryOut(visit, { path: '/v1/reinstatements', body, question: 'Take the card into use again?' }, options);
};

export const revokeCard = async (card: string, options: RevocationOptions, session: CliSession): Promise<void> => {
  const { reason, note } = options;
  const body: RevocationRequest = { card, reason, ...(note !== undefined && { note }) };
  const visit = await visitDesk(session, options);
  await carryOut(visit, { path: '/v1/revocations', body, question: 'Stop the card for good?' }, options);
};
