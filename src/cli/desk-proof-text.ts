// An operation and what is proven of it, as text for a person: gateway by gateway and door by door.

import type { OperationView } from '../desk-api/contract.ts';
import { columns } from './columns.ts';
import { localTime } from './local-times.ts';

type GatewayProof = OperationView['proof']['gateways'][number];
type DoorProof = GatewayProof['doors'][number];

/** Every gateway has confirmed, and no door that the new card should open stays closed. */
export const isProven = ({ proof: { state, closedDoors } }: OperationView): boolean =>
  state === 'confirmed' && closedDoors.length === 0;

/** Nothing more is to be expected of waiting. */
export const isSettled = ({ proof: { state } }: OperationView): boolean => state === 'confirmed' || state === 'refused';

export const operationText = (view: OperationView): string => {
  const table = view.proof.gateways.flatMap((gateway) => gatewayRows(view, gateway));
  const head = columns(operationFacts(view));
  if (table.length === 0) return head;
  return `${head}\n${columns([['GATEWAY', 'DOOR', 'MESSAGE', 'NEW CARD', 'FIRST USED', 'OLD CARD SINCE'], ...table])}`;
};

const operationFacts = (view: OperationView): string[][] => {
  const { operation } = view;
  const { id, operator, at, cardholder, stoppedCards, newCard, revokedCard, note, batch } = operation;
  const stopped = [...new Set([...stoppedCards, ...(revokedCard === undefined ? [] : [revokedCard])])];
  return [
    ['operation', `${id}: ${whatText(view)}`],
    ['by', `${operator}, ${localTime(at)}${batch === undefined ? '' : `, batch ${batch.id} line ${batch.line}`}`],
    ...(note === undefined ? [] : [['note', note]]),
    ...(cardholder === undefined ? [] : [['person', cardholder]]),
    ...(stopped.length === 0 ? [] : [['old card', stopped.join(', ')]]),
    ...(newCard === undefined ? [] : [['new card', newCard]]),
    ...validityFacts(operation),
    ['state', stateText(view)],
  ];
};

export const whatText = ({ operation: { kind, reason } }: OperationView): string =>
  reason === undefined ? kind : `${kind} (${reason})`;

/** When a card opens doors, where that is not from now on for ever. */
export const validityFacts = ({
  validFrom,
  validUntil,
  activation,
}: {
  readonly validFrom?: string | null | undefined;
  readonly validUntil?: string | null | undefined;
  readonly activation?: 'active' | 'pending' | null | undefined;
}): string[][] => [
  ...(validFrom == null ? [] : [['valid from', localTime(validFrom)]]),
  ...(validUntil == null ? [] : [['valid until', localTime(validUntil)]]),
  ...(activation === 'pending' ? [['activation', 'opens nothing until it is held to an activation reader']] : []),
];

/** The state, and whoever keeps it from being better. */
export const stateText = ({ proof: { state, gateways, missing, closedDoors } }: OperationView): string => {
  const waiting = missing.length === 0 ? '' : `, not confirmed by ${missing.join(', ')}`;
  const closed = closedDoors.length === 0 ? '' : `; stays closed: ${closedDoors.join(', ')}`;
  const nobody = gateways.length === 0 ? ': no gateway is known yet' : '';
  return `${state}${state === 'confirmed' ? '' : waiting}${closed}${nobody}`;
};

const gatewayRows = (view: OperationView, gateway: GatewayProof): string[][] => {
  const { doors, oldCardTaps } = gateway;
  const message = messageText(gateway);
  if (doors.length === 0) return [[gateway.gateway, '', message, '', '', tapText(oldCardTaps[0])]];
  return doors.map((door) => [
    gateway.gateway,
    door.door,
    message,
    doorText(door, view),
    door.firstGranted === null ? '' : localTime(door.firstGranted.time),
    tapText(oldCardTaps.find((tap) => tap.door === door.door)),
  ]);
};

export const messageText = ({ state, isOnline, by, appliedAt, code, detail }: GatewayProof): string => {
  const offline = isOnline ? '' : ', offline';
  switch (state) {
    case 'unsent':
      return `not sent${offline}`;
    case 'waiting':
      return `sent, no answer${offline}`;
    case 'confirmed':
      return by === 'roster' || appliedAt === null ? 'confirmed by its roster' : `confirmed ${localTime(appliedAt)}`;
    case 'refused':
      return `refused: ${[code, detail].filter((text) => text !== null).join(': ')}`;
    case 'unverified':
      return 'answered, but its signature is not known';
  }
};

const doorText = ({ isExpected, opens }: DoorProof, { operation }: OperationView): string => {
  if (opens === true) return 'opens';
  if (isExpected === false) return 'closed, as it should be';
  if (opens === null) return '';
  if (operation.activation === 'pending') return 'closed until it is activated';
  return isExpected === true ? 'stays closed' : 'closed by its access level';
};

const tapText = (tap: GatewayProof['oldCardTaps'][number] | undefined): string => {
  if (tap === undefined) return '';
  return `${tap.reason === null ? tap.event : `${tap.event}: ${tap.reason}`} ${localTime(tap.time)}`;
};

/** One line for each gateway of which there is news since `before`. */
export const newsOf = (view: OperationView, before: OperationView | undefined): readonly string[] => {
  if (view.proof.gateways.length === 0) return before === undefined ? ['no gateway is known to the desk yet'] : [];
  return view.proof.gateways.flatMap((gateway) => {
    const known = before?.proof.gateways.find((other) => other.gateway === gateway.gateway);
    const text = newsText(gateway);
    return known !== undefined && newsText(known) === text ? [] : [`${gateway.gateway}: ${text}`];
  });
};

const newsText = (gateway: GatewayProof): string => {
  const open = gateway.doors.filter(({ opens }) => opens === true).map(({ door }) => door);
  const opens = open.length === 0 ? '' : `, the new card opens ${open.join(', ')}`;
  return `${messageText(gateway)}${opens}`;
};

/** A line for each operation, and how to see those before. */
export const operationsText = ({
  operations,
  next,
}: {
  readonly operations: readonly OperationView[];
  readonly next: string | null;
}): string => {
  if (operations.length === 0) return 'no operations\n';
  const rows = operations.map((view) => {
    const { id, at, operator, cardholder = '', stoppedCards, revokedCard, newCard = '' } = view.operation;
    const stopped = stoppedCards.length === 0 ? (revokedCard ?? '') : stoppedCards.join(', ');
    return [id, localTime(at), operator, whatText(view), cardholder, stopped, newCard, stateText(view)];
  });
  const head = ['OPERATION', 'TIME', 'OPERATOR', 'WHAT', 'PERSON', 'OLD CARD', 'NEW CARD', 'STATE'];
  return `${columns([head, ...rows])}${next === null ? '' : `older ones: --before ${next}\n`}`;
};
