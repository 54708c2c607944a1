// What is proven about an operation, gateway by gateway and door by door, from what the gateways have told. Pure: the same records
// always give the same view.
//
// 1. A gateway has confirmed when its receipt says that the change is applied there, or its whole roster is equal to the desk's as
//    of the operation or later. That the message was sent, or taken by the broker, confirms nothing.
// 2. Where messages are signed, only what the gateway's own key has signed counts.
// 3. A gateway that says nothing is named; one that refuses the change is named with its reason.

import type { Access, GatewayRecord, Operation, Proof, Tap, Usage } from './records.ts';
import { grantedKey } from './usage-book.ts';

/** What a gateway's word counts for here. */
export interface ProofRules {
  /** Only verified receipts and statuses confirm. */
  readonly areSignaturesNeeded: boolean;
}

export type GatewayState =
  /** The broker has not taken the message yet. */
  | 'unsent'
  /** Sent; the gateway has not said anything about it. */
  | 'waiting'
  | 'confirmed'
  /** It answered that it did not apply the change. */
  | 'refused'
  /** It answered, but nothing shows that the answer is the gateway's. */
  | 'unverified';

export interface DoorProof {
  readonly door: string;
  /** Whether the new card is meant to open it; null where that hangs on an access level, which only gateways spell out. */
  readonly isExpected: boolean | null;
  /** What the gateway's receipt says; null without one. */
  readonly opens: boolean | null;
  /** The first tap of the new card that was granted there. */
  readonly firstGranted: Tap | null;
}

export interface GatewayProof {
  readonly gateway: string;
  readonly isOnline: boolean;
  readonly state: GatewayState;
  /** What confirmed it. */
  readonly by: 'receipt' | 'roster' | null;
  readonly isVerified: boolean;
  /** When the gateway applied the change, by its own clock; null where its roster has told. */
  readonly appliedAt: string | null;
  /** When the desk heard of it. */
  readonly heardAt: string | null;
  readonly code: string | null;
  readonly detail: string | null;
  readonly warnings: readonly string[];
  readonly doors: readonly DoorProof[];
  /** Taps of the cards that the operation stopped, since then; the newest first. */
  readonly oldCardTaps: readonly (Tap & { readonly card: string })[];
}

export type OperationState = 'unsent' | 'open' | 'overdue' | 'refused' | 'confirmed';

export interface OperationProof {
  readonly state: OperationState;
  readonly gateways: readonly GatewayProof[];
  /** Gateways that have not confirmed. */
  readonly missing: readonly string[];
  /** Doors that the new card is meant to open and does not, by the receipts; `gateway/door`. */
  readonly closedDoors: readonly string[];
}

export interface ProofSources {
  /** Those that are known to the desk. */
  readonly gateways: readonly GatewayRecord[];
  readonly proofOf: (gateway: string) => Proof | undefined;
  readonly usageOf: (card: string) => Usage | undefined;
  readonly now: number;
  readonly rules: ProofRules;
}

export const proofOf = (operation: Operation, sources: ProofSources): OperationProof => {
  const gateways = sources.gateways.map((gateway) => gatewayProof(operation, gateway, sources));
  const missing = gateways.filter(({ state }) => state !== 'confirmed').map(({ gateway }) => gateway);
  return {
    state: stateOf(operation, { gateways, missing, now: sources.now }),
    gateways,
    missing,
    closedDoors: closedDoorsOf(operation, gateways),
  };
};

/** An operation that was confirmed stays so: a gateway that is added later begins with HR's roster. */
const stateOf = (
  { confirmedAt, sentAt, deadline }: Operation,
  {
    gateways,
    missing,
    now,
  }: { readonly gateways: readonly GatewayProof[]; readonly missing: readonly string[]; readonly now: number },
): OperationState => {
  if (confirmedAt !== undefined) return 'confirmed';
  if (gateways.length > 0 && missing.length === 0) return 'confirmed';
  if (gateways.some(({ state }) => state === 'refused')) return 'refused';
  if (Date.parse(deadline) <= now) return 'overdue';
  return sentAt === undefined ? 'unsent' : 'open';
};

const gatewayProof = (operation: Operation, gateway: GatewayRecord, sources: ProofSources): GatewayProof => {
  const proof = sources.proofOf(gateway.gateway);
  const { state, by } = confirmationOf(operation, proof, sources.rules);
  const receipt = proof?.receipt;
  return {
    gateway: gateway.gateway,
    isOnline: gateway.isOnline,
    state,
    by,
    isVerified: proof?.isVerified ?? false,
    appliedAt: by === 'receipt' ? (receipt?.appliedAt ?? null) : null,
    heardAt: (by === 'roster' ? proof?.roster?.at : proof?.receivedAt) ?? null,
    code: receipt?.code ?? null,
    detail: receipt?.detail ?? null,
    warnings: receipt?.warnings ?? [],
    doors: doorsOf(operation, gateway, sources),
    oldCardTaps: oldCardTapsOf(operation, gateway.gateway, sources),
  };
};

const CONFIRMING: readonly string[] = ['applied', 'duplicate'];

const confirmationOf = (
  { sentAt }: Operation,
  proof: Proof | undefined,
  { areSignaturesNeeded }: ProofRules,
): Pick<GatewayProof, 'state' | 'by'> => {
  if (proof === undefined) return { state: sentAt === undefined ? 'unsent' : 'waiting', by: null };
  if (areSignaturesNeeded && !proof.isVerified) return { state: 'unverified', by: null };
  if (proof.receipt !== undefined && CONFIRMING.includes(proof.receipt.result)) {
    return { state: 'confirmed', by: 'receipt' };
  }
  if (proof.roster !== undefined) return { state: 'confirmed', by: 'roster' };
  // A stale change is known there by something newer, which the roster will tell.
  return { state: proof.receipt?.result === 'rejected' ? 'refused' : 'waiting', by: null };
};

const doorsOf = (operation: Operation, { gateway, doors }: GatewayRecord, sources: ProofSources): DoorProof[] => {
  const { newCard, access, message } = operation;
  if (newCard === undefined || access === undefined) return [];
  const receipt = sources.proofOf(gateway)?.receipt;
  const usage = sources.usageOf(newCard);
  const isSameBinding = usage?.bindingRevision === message.revision;
  return doors.map((door) => {
    const tap = isSameBinding ? usage.granted[grantedKey(gateway, door)] : undefined;
    return {
      door,
      isExpected: isExpectedAt(access, door),
      opens: receipt === undefined || receipt.result === 'rejected' ? null : receipt.doors.includes(door),
      firstGranted: tap?.gateway === gateway ? tap : null,
    };
  });
};

/** Whether the grants name the door; null where only an access level may. */
export const isExpectedAt = (access: Access, door: string): boolean | null => {
  if (access.some((grant) => 'doors' in grant && (grant.doors.includes('*') || grant.doors.includes(door))))
    return true;
  return access.some((grant) => 'level' in grant) ? null : false;
};

const oldCardTapsOf = ({ stoppedCards, revokedCard, at }: Operation, gateway: string, { usageOf }: ProofSources) =>
  [...new Set([...stoppedCards, ...(revokedCard === undefined ? [] : [revokedCard])])]
    .flatMap((card) => (usageOf(card)?.taps ?? []).map((tap) => ({ ...tap, card })))
    .filter((tap) => tap.gateway === gateway && Date.parse(tap.time) >= Date.parse(at))
    .sort((a, b) => Date.parse(b.time) - Date.parse(a.time));

/** What excuses a door that does not open: the card is not meant to open anything yet, or only at its hours. */
const isExcused = ({ activation, validFrom }: Operation, now: readonly string[]): boolean =>
  activation === 'pending' ||
  validFrom !== undefined ||
  now.some((warning) => warning === 'outside-schedule' || warning === 'not-yet-valid' || warning === 'pending');

const closedDoorsOf = (operation: Operation, gateways: readonly GatewayProof[]): readonly string[] => {
  const due = gateways.filter(({ state, warnings }) => state === 'confirmed' && !isExcused(operation, warnings));
  const closed = due.flatMap(({ gateway, doors }) => closedAt(gateway, doors, (door) => door.isExpected === true));
  if (closed.length > 0 || due.length < gateways.length) return closed;
  // An access level that no gateway knows, or that has no door.
  const opensNothing = due.every(({ doors }) => doors.every(({ opens }) => opens === false));
  return opensNothing ? due.flatMap(({ gateway, doors }) => closedAt(gateway, doors, () => true)) : [];
};

const closedAt = (gateway: string, doors: readonly DoorProof[], isMeant: (door: DoorProof) => boolean): string[] =>
  doors.filter((door) => door.opens === false && isMeant(door)).map(({ door }) => `${gateway}/${door}`);
