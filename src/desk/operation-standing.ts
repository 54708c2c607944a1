// How an operation stands, from what is in memory alone: for those who look at many.
//
// An operation that is not among the open ones is confirmed: nothing else closes one (Confirmations).

import type { Clock } from '../ports/clock.ts';
import type { DeskState } from './desk-state.ts';
import { type OperationProof, type OperationState, type ProofRules, proofOf } from './proof.ts';
import type { GatewayRecord, Operation } from './records.ts';

export interface StandingSources {
  readonly state: DeskState;
  readonly clock: Clock;
  readonly rules: ProofRules;
}

/** Without taps. */
export type Standing = OperationProof;

const CONFIRMED: Standing = { state: 'confirmed', gateways: [], missing: [], closedDoors: [] };

export const standingOf = (id: string, { state, clock, rules }: StandingSources): Standing => {
  const operation = state.open.get(id);
  if (operation === undefined || operation.confirmedAt !== undefined) {
    return { ...CONFIRMED, closedDoors: state.closedDoors.get(id) ?? [] };
  }
  return proofAt([...state.gateways.values()], operation, { state, clock, rules });
};

/** As `standingOf`, without a look at any door: for those who look at all that are open. */
export const stateOf = (id: string, { state, clock, rules }: StandingSources): OperationState => {
  const operation = state.open.get(id);
  if (operation === undefined || operation.confirmedAt !== undefined) return 'confirmed';
  return proofAt([...state.gateways.values()], withoutCards(operation), { state, clock, rules }).state;
};

/** Gateways that are online and have not answered what was sent; next to nothing to find out where nothing is proven yet. */
export const silentGatewaysOf = (operation: Operation, { state, clock, rules }: StandingSources): readonly string[] => {
  if (operation.sentAt === undefined) return [];
  const proofs = state.proofs.get(operation.id);
  const bare = withoutCards(operation);
  const isSilent = (gateway: GatewayRecord): boolean =>
    proofs?.has(gateway.gateway) !== true ||
    proofAt([gateway], bare, { state, clock, rules }).gateways.some(({ state: is }) => is === 'waiting');
  return [...state.gateways.values()].flatMap((each) => (each.isOnline && isSilent(each) ? [each.gateway] : []));
};

const withoutCards = (operation: Operation): Operation => ({
  ...operation,
  newCard: undefined,
  revokedCard: undefined,
  stoppedCards: [],
});

const proofAt = (
  gateways: readonly GatewayRecord[],
  operation: Operation,
  { state, clock, rules }: StandingSources,
): OperationProof => {
  const proofs = state.proofs.get(operation.id);
  return proofOf(operation, {
    gateways,
    proofOf: (gateway) => proofs?.get(gateway),
    usageOf: () => undefined,
    now: clock.now(),
    rules,
  });
};
