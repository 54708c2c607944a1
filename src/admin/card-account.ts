// What the store holds about one card, and what each door would say to it now, for `cardea card show` and `cardea explain`.
// Names appear here only: whoever may use the admin socket may see them.

import type { AccessJudge } from '../app/access-judge.ts';
import { explainAccess, grantStates } from '../app/explain.ts';
import type { AccessDecision } from '../domain/access-decision.ts';
import type { Direction } from '../domain/access-event.ts';
import {
  type CardNumber,
  type CardNumberFormat,
  cardNumberOfUid,
  isRandomUid,
  parseCardNumber,
} from '../domain/card-number.ts';
import type { Binding, CardLookup, Origin, Tombstone } from '../domain/credential.ts';
import type { DoorMode, DoorOrders } from '../domain/door-mode.ts';
import type { DoorId } from '../domain/ids.ts';
import { type LocalTime, weekdayOf } from '../domain/local-time.ts';
import { formatInstant, type Instant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type {
  BindingView,
  CardAnswer,
  DecisionView,
  ExplainAnswer,
  ModeView,
  OriginView,
  TombstoneView,
} from './protocol.ts';
import { parseUid } from './requests.ts';

interface Dependencies {
  readonly store: CredentialStore;
  readonly cardNumberFormat: CardNumberFormat;
  readonly judge: Pick<AccessJudge, 'decide' | 'rules' | 'wallClock'>;
  /** IANA names, of each door here. */
  readonly timeZones: ReadonlyMap<DoorId, string>;
  readonly clock: Clock;
}

interface ReadCard {
  readonly card: CardNumber;
  readonly readAs: CardAnswer['readAs'];
  /** It is a UID that changes at every presentation: no door looks it up, whatever number it has. */
  readonly isRandom: boolean;
}

/**
 * The card that a technician means by `text`: a number as HR writes it, or else the UID in hex. Where it reads as both, the one
 * that the store knows. Throws CardeaError `invalid-request` when it reads as neither.
 */
export const readCard = (text: string, { store, cardNumberFormat }: Dependencies): ReadCard => {
  const asNumber = parseCardNumber(text, cardNumberFormat);
  const uid = parseUid(text);
  const ofUid = uid === undefined ? undefined : cardNumberOfUid(uid, cardNumberFormat);
  const candidates: ReadCard[] = [
    ...('number' in asNumber ? [{ card: asNumber.number, readAs: 'card-number' as const, isRandom: false }] : []),
    ...(uid === undefined || ofUid === undefined
      ? []
      : [{ card: ofUid, readAs: 'uid' as const, isRandom: isRandomUid(uid) }]),
  ];
  const meant = candidates.find(({ card }) => store.findCard(card).kind !== 'unknown') ?? candidates[0];
  if (meant !== undefined) return meant;
  const detail = 'fault' in asNumber ? asNumber.fault.detail : 'the UID has no number in this format';
  throw new CardeaError(
    'invalid-request',
    `this is no card number in the format ${cardNumberFormat} and no UID in hex: ${detail}`,
  );
};

export const showCard = (
  deps: Dependencies,
  text: string,
  doors: ReadonlyMap<DoorId, { readonly mode: DoorMode }>,
): CardAnswer => {
  const { store, judge } = deps;
  const { card, readAs, isRandom } = readCard(text, deps);
  const found = store.findCard(card);
  const accounts = [...doors].map(([door, { mode }]) => {
    const decision = decisionView(isRandom ? RANDOM : judge.decide({ card: found, door, mode, direction: 'in' }));
    const grants = grantStates(judge, { card: found, door });
    return [door, { ...decision, ...modeView(mode, store.doorOrders(door)), grants }] as const;
  });
  return {
    card,
    readAs,
    found: found.kind,
    detail: found.kind === 'unreadable' ? found.detail : null,
    binding: found.kind === 'live' ? bindingView(found.binding) : null,
    tombstone: found.kind === 'retired' ? tombstoneView(found.tombstone) : null,
    origin: originOf(found),
    doors: Object.fromEntries(accounts),
    rosterRevision: store.roster().revision,
  };
};

/** A question about another time than now is judged as if the clock were right then. */
export const explainCard = (
  deps: Dependencies,
  question: {
    readonly card: string;
    readonly door: DoorId;
    readonly mode: DoorMode;
    readonly direction: Direction;
    readonly at: Instant | undefined;
  },
): Omit<ExplainAnswer, 'isLinkConnected' | keyof DecisionView> & DecisionView => {
  const { door, mode, direction } = question;
  const { card, isRandom } = readCard(question.card, deps);
  const at = question.at ?? deps.clock.now();
  const isClockSynchronized = question.at !== undefined || deps.clock.isSynchronized();
  const explanation = explainAccess(deps, { card, door, mode, direction, at: question.at });
  return {
    ...decisionView(isRandom ? RANDOM : explanation.decision),
    card,
    door,
    at: formatInstant(at),
    ...modeView(mode, deps.store.doorOrders(door)),
    grants: explanation.grants,
    wallClock: wallText(deps.judge.wallClock(door, question.at).local),
    timeZone: deps.timeZones.get(door) ?? 'UTC',
    clockSynchronized: isClockSynchronized,
    found: explanation.found,
    origin: originView(explanation.origin),
    rosterRevision: explanation.rosterRevision,
  };
};

/** As at the door, where the UID is judged before its number is looked up. */
const RANDOM: AccessDecision = { kind: 'denied', reason: 'random-uid' };

const decisionView = (decision: AccessDecision): DecisionView => {
  if (decision.kind === 'denied') return { decision: 'denied', reason: decision.reason };
  const { isPassback, needsSecondCard } = decision;
  return {
    decision: 'granted',
    reason: null,
    ...(isPassback && { isPassback }),
    ...(needsSecondCard && { needsSecondCard }),
  };
};

/** The mode, and the order that has brought it about, where it is one that is stored. */
const modeView = (mode: DoorMode, orders: DoorOrders): ModeView => {
  const order = mode === 'lockdown' ? orders.lockdown : orders.mode?.mode === mode ? orders.mode : undefined;
  if (order === undefined) return { doorMode: mode, modeOrder: null };
  const { operator, reason, at, until } = order;
  return { doorMode: mode, modeOrder: { operator, reason, at: formatInstant(at), until: timeView(until) } };
};

const wallText = (local: LocalTime): string => {
  const two = (part: number): string => String(part).padStart(2, '0');
  const { year, month, day, minute } = local;
  const time = `${two(Math.floor(minute / 60))}:${two(minute % 60)}`;
  return `${weekdayOf(local)} ${year}-${two(month)}-${two(day)} ${time}`;
};

export const bindingView = (binding: Binding): BindingView => ({
  cardholder: binding.cardholder,
  name: binding.name ?? null,
  department: binding.department ?? null,
  access: binding.access,
  kind: binding.kind,
  state: binding.activation,
  validFrom: timeView(binding.validFrom),
  validUntil: timeView(binding.validUntil),
  overridesLockdown: binding.overridesLockdown ?? false,
  extendedRelease: binding.extendedRelease ?? false,
  revision: binding.revision,
});

export const tombstoneView = ({ reason, cardholder, revision }: Tombstone): TombstoneView => ({
  reason,
  cardholder: cardholder ?? null,
  revision,
});

const timeView = (time: Instant | undefined): string | null => (time === undefined ? null : formatInstant(time));

const originOf = (found: CardLookup): OriginView | null => {
  if (found.kind === 'live') return originView(found.binding.origin);
  return found.kind === 'retired' ? originView(found.tombstone.origin) : null;
};

export const originView = (origin: Origin | null): OriginView | null =>
  origin === null
    ? null
    : { revision: origin.revision, messageId: origin.messageId, appliedAt: formatInstant(origin.appliedAt) };
