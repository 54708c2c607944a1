// What happened to a person and to a card, the newest first.

import type { DeskStore } from '../ports/desk-store.ts';
import type { DeskState } from './desk-state.ts';
import { type FoundOperations, findOperations } from './operation-search.ts';
import type { DeskAction } from './permissions.ts';
import { type AuditRecord, auditRecord, decodeRecord, type Tap } from './records.ts';
import { turnOfOthers } from './turn-of-others.ts';
import type { UsageBook } from './usage-book.ts';

export interface HistoryRequest {
  /** Operations at most; of the audit log the same. */
  readonly limit: number;
  /** Only operations that are older than this one. */
  readonly before?: string | undefined;
}

export interface PersonHistory extends FoundOperations {
  /** What was done, or refused, about the person. */
  readonly audit: readonly AuditRecord[];
}

export interface CardHistory extends FoundOperations {
  /** The last ones (UsageBook). */
  readonly taps: readonly Tap[];
}

interface Sources {
  readonly store: Pick<DeskStore, 'read' | 'entries' | 'keys'>;
  readonly state: DeskState;
}

/** About people and cards. An operator may have the name that is a person's id, and is nobody's business but the admins'. */
const ACTIONS: ReadonlySet<string> = new Set<DeskAction>([
  'add-employee',
  'change-employee',
  'employee-left',
  'return-employee',
  'replace-card',
  'bind-card',
  'reinstate-card',
  'report-loss',
  'revoke-card',
]);
/** Operations of one person whose audit records are looked for. */
const MOST_OPERATIONS = 1_000;
/** The audit log is looked through as far back as this, from its end on. */
const MOST_LOOKED_AT = 100_000;
/** Records that are looked at in one go. */
const SLICE = 200;

/** Histories do not go by it. */
const ANY_STATE = () => 'confirmed' as const;

/** Undefined for somebody who is not known. */
export const historyOfPerson = async (
  text: string,
  { store, state }: Sources,
  { limit, before }: HistoryRequest,
): Promise<PersonHistory | undefined> => {
  const id = canonical(text);
  if (state.people.find(id) === undefined) return undefined;
  const search = (most: number, end?: string) =>
    findOperations({ cardholder: id, limit: most, before: end }, { state, store, stateOf: ANY_STATE });
  const operations = new Set((await search(MOST_OPERATIONS)).ids);
  const isAbout = ({ action, subject, operation }: AuditRecord): boolean =>
    ACTIONS.has(action) &&
    ((subject !== null && canonical(subject) === id) || (operation !== null && operations.has(operation)));
  return { ...(await search(limit, before)), audit: await newestRecords(store, isAbout, limit) };
};

/** A card that nobody here had may have taps. Undefined for text that is no card number. */
export const historyOfCard = async (
  text: string,
  { store, state, usage }: Sources & { readonly usage: UsageBook },
  { limit, before }: HistoryRequest,
): Promise<CardHistory | undefined> => {
  const card = state.cardNumbered(text);
  if (card === undefined) return undefined;
  const found = await findOperations({ card, limit, before }, { state, store, stateOf: ANY_STATE });
  return { ...found, taps: (await usage.find(card))?.taps ?? [] };
};

const canonical = (id: string): string => id.trim().normalize('NFC');

const newestRecords = async (
  store: Pick<DeskStore, 'entries'>,
  isMeant: (record: AuditRecord) => boolean,
  limit: number,
): Promise<readonly AuditRecord[]> => {
  const found: AuditRecord[] = [];
  let count = 0;
  for await (const [key, value] of store.entries('audit', { isReversed: true, limit: MOST_LOOKED_AT })) {
    count += 1;
    if (count % SLICE === 0) await turnOfOthers();
    const record = decodeRecord(auditRecord, value, `audit ${key}`);
    if (isMeant(record)) found.push(record);
    if (found.length === limit) break;
  }
  return found;
};
