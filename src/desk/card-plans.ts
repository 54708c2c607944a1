// From what an operator asks for to what is to be done about it, or why it is not: every check that there is, and nothing changed yet.

import { flagsOf, type RevocationReason } from '../domain/credential.ts';
import { formatInstant } from '../domain/units.ts';
import {
  type CheckContext,
  type Checked,
  checkBinding,
  checkReinstatement,
  checkReplacement,
  holderOf,
  isFaulty,
  lostCard,
} from './card-checks.ts';
import type {
  BindingRequest,
  LeaveRequest,
  LossRequest,
  ReinstatementRequest,
  ReplacementRequest,
  RevocationRequest,
} from './card-requests.ts';
import type { DeskState } from './desk-state.ts';
import type { SigningRole } from './permissions.ts';
import type { DeskCard, Employee, OperationKind } from './records.ts';
import type { CardBinding, ChangeOutcome, RosterNote } from './roster.ts';

export interface PlanContext extends CheckContext {
  readonly state: DeskState;
}

/** The line of a batch that an operation comes from. */
export interface BatchPlace {
  readonly id: string;
  readonly line: number;
}

/** An operation that is about to be. */
export interface Plan {
  readonly kind: OperationKind;
  readonly signedAs: SigningRole;
  readonly reason?: RevocationReason;
  readonly cardholder?: string;
  readonly batch?: BatchPlace;
  /** Why cards stop. */
  readonly stopReason: RevocationReason;
  /** Cards that are stopped already, and will not come back now. */
  readonly buried?: readonly string[];
  readonly change: (note: RosterNote) => ChangeOutcome;
  /** Further records, which the operation brings along. */
  readonly employee?: Employee;
}

export const planReplacement = (
  request: ReplacementRequest,
  context: PlanContext,
  batch?: BatchPlace,
): Checked<Plan> => {
  const checked = checkReplacement(request, context);
  if (isFaulty(checked)) return checked;
  return {
    kind: 'replacement',
    signedAs: 'clerk',
    reason: request.reason,
    cardholder: checked.binding.cardholder.id,
    ...(batch !== undefined && { batch }),
    stopReason: request.reason,
    buried: [checked.oldCard],
    change: (note) => context.state.roster.bind(checked.binding, note),
  };
};

export const planBinding = (request: BindingRequest, context: PlanContext): Checked<Plan> =>
  bindingPlan(checkBinding(request, context), 'binding', context);

export const planReinstatement = (request: ReinstatementRequest, context: PlanContext): Checked<Plan> =>
  bindingPlan(checkReinstatement(request, context), 'reinstatement', context);

/** The card is active at every gateway from then on. */
export const planActivation = (card: DeskCard, context: PlanContext): Checked<Plan> =>
  bindingPlan({ ...asHeld(card, context), state: 'active' }, 'activation', context);

const bindingPlan = (checked: Checked<CardBinding>, kind: OperationKind, { state }: PlanContext): Checked<Plan> => {
  if (isFaulty(checked)) return checked;
  return {
    kind,
    signedAs: 'clerk',
    cardholder: checked.cardholder.id,
    stopReason: 'replaced',
    change: (note) => state.roster.bind(checked, note),
  };
};

const asHeld = (
  { card, cardholder, access, kind, validFrom, validUntil, ...rest }: DeskCard,
  { state }: PlanContext,
): CardBinding => {
  const person = state.people.find(cardholder);
  return {
    card,
    cardholder: {
      id: cardholder,
      ...(person !== undefined && { name: person.name }),
      ...(person?.department !== undefined && { department: person.department }),
    },
    access,
    kind,
    ...(validFrom !== undefined && { validFrom }),
    ...(validUntil !== undefined && { validUntil }),
    ...flagsOf(rest),
    supersedes: 'none',
  };
};

export const planLossReport = (request: LossRequest, context: PlanContext): Checked<Plan> => {
  const card = lostCard(request, context);
  if (isFaulty(card)) return card;
  return {
    kind: 'loss-report',
    signedAs: 'security',
    reason: request.reason,
    cardholder: card.cardholder,
    stopReason: 'suspended',
    change: (note) => context.state.roster.revokeCard(card.card, 'suspended', note),
  };
};

export const planRevocation = ({ card, reason }: RevocationRequest, { state }: PlanContext): Plan => {
  const number = state.cardNumbered(card);
  const cardholder = number === undefined ? undefined : state.cards.get(number)?.cardholder;
  return {
    kind: 'revocation',
    signedAs: 'security',
    reason,
    ...(cardholder !== undefined && { cardholder }),
    stopReason: reason,
    ...(number !== undefined && { buried: [number] }),
    change: (note) => state.roster.revokeCard(card.trim(), reason, note),
  };
};

export const planLeave = (request: LeaveRequest, { state, now }: PlanContext): Checked<Plan> => {
  const employee = holderOf(request.cardholder, state);
  if (isFaulty(employee)) return employee;
  if (employee.status === 'left' && state.liveCardsOf(employee.id).length === 0) {
    const detail = `${employee.name} (${employee.id}) has left already`;
    return { refusal: { code: 'employee-left', detail, path: 'cardholder' } };
  }
  return {
    kind: 'leave',
    signedAs: 'security',
    reason: 'left',
    cardholder: employee.id,
    stopReason: 'left',
    buried: state.allCardsOf(employee.id).map(({ card }) => card),
    change: (note) => state.roster.revokeCardholder(employee.id, 'left', note),
    employee: { ...employee, status: 'left', changedAt: formatInstant(now) },
  };
};
