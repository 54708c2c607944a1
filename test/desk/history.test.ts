// What happened to a person and to a card, as the desk finds it again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Desk } from '../../src/desk/desk.ts';
import { historyOfCard, historyOfPerson } from '../../src/desk/history.ts';
import { ADMIN, CLERK, openDesk, refusalOf, SECURITY, taken } from '../fixtures/open-desk.ts';
import { accountsOf, PASSWORD } from '../fixtures/open-desk-api.ts';

const OLD = '04A2B3C4D5E680';
const NEW = '04A2B3C4D5E681';
const LIMIT = { limit: 50 };

const addPerson = (desk: Desk, id: string) => taken(desk.employees.add({ id, name: `Name of ${id}` }, CLERK));

test('a person has what was done and what was refused, the newest first, whatever the id looks like', async (t) => {
  const { desk, store } = await openDesk(t);
  const { state } = desk;
  // The second id is in the index where the operations of the first one are.
  const [id, other] = ['A', 'A/000000001'];
  await addPerson(desk, id);
  await addPerson(desk, other);
  await taken(desk.cards.bind({ cardholder: other, card: OLD }, CLERK));
  await taken(desk.cards.bind({ cardholder: id, card: NEW }, CLERK));
  await refusalOf(desk.cards.replace({ cardholder: ' A ', newCard: OLD, reason: 'lost' }, CLERK));
  await taken(desk.cards.reportLoss({ card: NEW, reason: 'lost' }, SECURITY));
  const history = await historyOfPerson(id, { store, state }, LIMIT);
  assert.deepEqual(history?.ids, ['op-3', 'op-2']);
  assert.deepEqual(
    history?.audit.map(({ action, outcome }) => `${action} ${outcome}`),
    ['report-loss done', 'replace-card refused', 'bind-card done', 'add-employee done'],
  );
  assert.deepEqual((await historyOfPerson(other, { store, state }, LIMIT))?.ids, ['op-1']);
  assert.equal(await historyOfPerson('B', { store, state }, LIMIT), undefined);
});

test('a person has nothing of an operator or a program whose name is their id', async (t) => {
  const opened = await openDesk(t);
  const { desk, store } = opened;
  const { operators, tokens, signIn } = await accountsOf(opened);
  await taken(operators.add({ name: 'root', password: PASSWORD, roles: ['admin'] }, ADMIN));
  await refusalOf(signIn.signIn('root', 'wrong'));
  await taken(signIn.signIn('root', PASSWORD));
  await taken(tokens.add({ name: 'hr', roles: ['clerk'] }, ADMIN));
  for (const id of ['root', 'hr']) {
    await addPerson(desk, id);
    const history = await historyOfPerson(id, { store, state: desk.state }, LIMIT);
    assert.deepEqual(
      history?.audit.map(({ action }) => action),
      ['add-employee'],
    );
  }
});

test('a long history comes in pages', async (t) => {
  const { desk, store } = await openDesk(t);
  const { state, usage } = desk;
  await addPerson(desk, 'E1');
  for (let index = 0; index < 5; index++) {
    await taken(desk.cards.bind({ cardholder: 'E1', card: OLD, validUntil: `2027-01-0${index + 1}T00:00:00Z` }, CLERK));
  }
  const first = await historyOfPerson('E1', { store, state }, { limit: 2 });
  assert.deepEqual([first?.ids, first?.next, first?.audit.length], [['op-5', 'op-4'], 'op-4', 2]);
  const rest = await historyOfCard(OLD, { store, state, usage }, { limit: 3, before: 'op-4' });
  assert.deepEqual([rest?.ids, rest?.next], [['op-3', 'op-2', 'op-1'], null]);
});

test('a card has its operations and its taps, also in the format in which it was typed', async (t) => {
  const { desk, store, link } = await openDesk(t);
  const { state, usage } = desk;
  await addPerson(desk, 'E1');
  await taken(desk.cards.bind({ cardholder: 'E1', card: OLD }, CLERK));
  await taken(desk.cards.replace({ cardholder: 'E1', newCard: NEW, reason: 'damaged' }, CLERK));
  const tap = {
    ...{ type: 'event', gateway: 'lobby-1', sequence: 3, event: 'access-denied', time: '2026-01-05T09:00:00Z' },
    ...{ clockSynchronized: true, door: 'front', reader: 'front-in', direction: 'in', card: OLD, cardholder: 'E1' },
    ...{ bindingRevision: null, reason: 'replaced', detail: null, previousHash: '0'.repeat(64), hash: '0'.repeat(64) },
  };
  link.connect();
  await link.deliver('cardea/hq/gateways/lobby-1/event', JSON.stringify(tap));
  const history = await historyOfCard('04:a2:b3:c4:d5:e6:80', { store, state, usage }, LIMIT);
  assert.deepEqual(history?.ids, ['op-2', 'op-1']);
  assert.deepEqual(
    history?.taps.map(({ sequence, reason }) => [sequence, reason]),
    [[3, 'replaced']],
  );
  assert.deepEqual((await historyOfCard('04FFFFFFFFFFFF', { store, state, usage }, LIMIT))?.ids, []);
  assert.equal(await historyOfCard('none', { store, state, usage }, LIMIT), undefined);
});
