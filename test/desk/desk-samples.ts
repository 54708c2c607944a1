// Rosters and changes for the tests of the HR side.

import assert from 'node:assert/strict';
import { type CardBinding, type ChangeNote, type ChangeOutcome, Roster } from '../../src/desk/roster.ts';
import type { RosterCard } from '../../src/domain/roster-repair.ts';
import { siteId } from '../domain/samples.ts';

export const SETTINGS = { site: siteId('hq'), cardNumberFormat: 'hex' } as const;
export const ALL_BUCKETS = [...Array(256).keys()];

export const newRoster = (): Roster => new Roster(SETTINGS, { epoch: '2026-a', revision: 0, cards: [] });

let notes = 0;

export const note = (): ChangeNote => {
  notes += 1;
  return { messageId: `message-${notes}`, issuedAt: '2026-11-22T09:00:00+08:00', operator: 'hr.desk-2' };
};

/** The card for that person, at all doors and in place of all others, apart from what `changes` says. */
export const binding = (card: string, cardholder: string, changes: Partial<CardBinding> = {}): CardBinding => ({
  card,
  cardholder: { id: cardholder },
  access: [{ doors: ['*'] }],
  ...changes,
});

export const changed = (outcome: ChangeOutcome): Extract<ChangeOutcome, { kind: 'changed' }> => {
  assert.ok(outcome.kind === 'changed', JSON.stringify(outcome));
  return outcome;
};

/** Why it was refused: code and place. */
export const refusal = (outcome: ChangeOutcome): readonly (string | undefined)[] => {
  assert.ok(outcome.kind === 'refused', 'the change was not refused');
  return [outcome.fault.code, outcome.fault.path];
};

/** 4-byte card numbers that are no random UIDs: F0000000 and up. */
export const cardText = (index: number): string => `F${index.toString(16).padStart(7, '0')}`.toUpperCase();

/** A roster of so many cards of as many people. */
export const rosterOf = (count: number, access: CardBinding['access'] = [{ doors: ['*'] }]): Roster => {
  const roster = newRoster();
  for (let index = 0; index < count; index++) {
    changed(roster.bind(binding(cardText(index), `E${index}`, { access }), note()));
  }
  return roster;
};

export const cardsOf = (roster: Roster): readonly RosterCard[] =>
  [...roster.save().cards].sort((a, b) => (a.card < b.card ? -1 : 1));
