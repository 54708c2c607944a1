// Operations that somebody looks for, the newest first.

import type { DeskRecordKind, DeskStore } from '../ports/desk-store.ts';
import type { DeskState } from './desk-state.ts';
import type { OperationState } from './proof.ts';
import { OPERATION_PREFIX, type Operation, operationKey } from './records.ts';
import { turnOfOthers } from './turn-of-others.ts';

export interface OperationQuery {
  readonly state?: OperationState | undefined;
  /** Both as they are kept. */
  readonly cardholder?: string | undefined;
  readonly card?: string | undefined;
  /** Only those that are older than the one with this id. */
  readonly before?: string | undefined;
  readonly limit: number;
}

export interface FoundOperations {
  readonly ids: readonly string[];
  /** For `before`, to go on with; null where there are no more. */
  readonly next: string | null;
}

export interface OperationSources {
  readonly state: DeskState;
  readonly store: Pick<DeskStore, 'keys' | 'read'>;
  /** Asked of every operation that may be one: without doors and taps. */
  readonly stateOf: (id: string) => OperationState;
}

/** Operations that are looked at in one go. */
const SLICE = 100;

export const findOperations = async (query: OperationQuery, sources: OperationSources): Promise<FoundOperations> => {
  const ids: string[] = [];
  let count = 0;
  for await (const id of candidates(query, sources)) {
    count += 1;
    if (count % SLICE === 0) await turnOfOthers();
    if (query.state !== undefined && sources.stateOf(id) !== query.state) continue;
    if (ids.length === query.limit) return { ids, next: ids.at(-1) ?? null };
    ids.push(id);
  }
  return { ids, next: null };
};

/** Whatever is not confirmed is in memory. */
async function* candidates(query: OperationQuery, { state, store }: OperationSources): AsyncGenerator<string> {
  if (query.state === undefined || query.state === 'confirmed') return yield* stored(query, store);
  const end = query.before === undefined ? undefined : operationKey(query.before);
  for (const operation of [...state.open.values()].reverse()) {
    const isOlder = end === undefined || operationKey(operation.id) < end;
    if (isOlder && isAbout(operation, query)) yield operation.id;
  }
}

const isAbout = (operation: Operation, { cardholder, card }: OperationQuery): boolean => {
  const { newCard, revokedCard, stoppedCards } = operation;
  if (cardholder !== undefined && operation.cardholder !== cardholder) return false;
  return card === undefined || [newCard, revokedCard, ...stoppedCards].includes(card);
};

async function* stored(
  { cardholder, card, before }: OperationQuery,
  store: OperationSources['store'],
): AsyncGenerator<string> {
  const end = before === undefined ? undefined : operationKey(before);
  if (card !== undefined) {
    for await (const key of keysUnder(store, 'card-operation', { name: card, end })) {
      const isTheirs =
        cardholder === undefined || (await store.read('person-operation', `${cardholder}/${key}`)) !== undefined;
      if (isTheirs) yield idOf(key);
    }
    return;
  }
  const keys =
    cardholder === undefined
      ? store.keys('operation', { ...(end !== undefined && { to: end }), isReversed: true })
      : keysUnder(store, 'person-operation', { name: cardholder, end });
  for await (const key of keys) yield idOf(key);
}

/** A person's id may have a slash itself. */
async function* keysUnder(
  store: OperationSources['store'],
  kind: DeskRecordKind,
  { name, end }: { readonly name: string; readonly end: string | undefined },
): AsyncGenerator<string> {
  const prefix = `${name}/`;
  const range = { from: prefix, to: end === undefined ? `${name}0` : `${prefix}${end}`, isReversed: true };
  for await (const key of store.keys(kind, range)) {
    const rest = key.slice(prefix.length);
    if (/^\d+$/.test(rest)) yield rest;
  }
}

const idOf = (key: string): string => `${OPERATION_PREFIX}${Number(key)}`;
