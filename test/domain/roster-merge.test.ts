import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CardRecord } from '../../src/domain/credential.ts';
import { emptyRoster, type RosterSummary } from '../../src/domain/roster-digest.ts';
import { matchEpochs, placedRecord, planRestoredCard, type SeenUpTo, seenUpTo } from '../../src/domain/roster-merge.ts';
import { bindingOf, cardNumber, revision, tombstoneOf } from './samples.ts';

const rosterOf = (...epochs: string[]): RosterSummary => {
  const epoch = epochs.pop();
  const named = epoch === undefined ? {} : { epoch };
  return { ...emptyRoster(), revision: revision(9), cards: 1, pastEpochs: epochs, ...named };
};

/** The eras here of the backup's eras 0, 1 and 2. */
const eras = (here: RosterSummary, backup: RosterSummary) => {
  const { isAhead, eraOf } = matchEpochs(here, backup);
  return [isAhead, eraOf(0), eraOf(1), eraOf(2)];
};

describe('the epochs of a backup', () => {
  it('are taken over by an empty store', () => {
    assert.deepEqual(eras(emptyRoster(), rosterOf('a', 'b', 'c')), [true, 0, 1, 2]);
  });

  it('are taken over where they go on from those here', () => {
    assert.deepEqual(eras(rosterOf('a'), rosterOf('a', 'b')), [true, 0, 1, undefined]);
  });

  it('are found by name among those here', () => {
    assert.deepEqual(eras(rosterOf('a', 'b', 'c'), rosterOf('b', 'c')), [false, 1, 2, undefined]);
    assert.deepEqual(eras(rosterOf('c'), rosterOf('a', 'b', 'c')), [false, undefined, undefined, 0]);
    assert.deepEqual(eras(rosterOf('x'), rosterOf('a', 'b', 'c')), [false, undefined, undefined, undefined]);
  });

  it('have no place beside records of an epoch without a name, unless there was only one', () => {
    assert.deepEqual(eras(rosterOf(), rosterOf('a')), [false, 0, undefined, undefined]);
    assert.deepEqual(eras(rosterOf(), rosterOf('a', 'b')), [false, undefined, undefined, undefined]);
  });

  it('are placed in the records', () => {
    const match = matchEpochs(rosterOf('a', 'b'), rosterOf('b'));
    assert.deepEqual(placedRecord(bindingOf(), match), bindingOf({ era: 1 }));
    assert.equal(placedRecord(bindingOf({ era: 1 }), match), undefined);
  });
});

describe('a card of a backup', () => {
  const CARD = cardNumber('DEADBEEF');
  const NOTHING: SeenUpTo = { era: 0, revision: 0 };
  const result = (held: CardRecord | undefined, record: CardRecord, seen = NOTHING) => {
    const view = { roster: () => emptyRoster(), card: () => held, cardholder: () => undefined };
    return planRestoredCard(view, CARD, { record, seen }).cards.get(CARD);
  };

  it('is taken where it is newer, and left where it is not', () => {
    const live = bindingOf({ revision: revision(5) });
    assert.deepEqual(result(undefined, live), live);
    assert.deepEqual(result(tombstoneOf({ revision: revision(4) }), live), live);
    assert.equal(result(tombstoneOf({ revision: revision(5) }), live), undefined);
    assert.equal(result(tombstoneOf({ revision: revision(1), era: 1 }), live), undefined);
  });

  it('is denied where one of the two denies it at the same revision', () => {
    const retired = tombstoneOf({ revision: revision(5) });
    assert.deepEqual(result(bindingOf({ revision: revision(5) }), retired), retired);
  });

  it('stays out where HR was heard of as a whole since, and did not hold it', () => {
    const live = bindingOf({ revision: revision(5) });
    assert.equal(result(undefined, live, { era: 0, revision: revision(6) })?.state, 'retired');
    assert.equal(result(undefined, live, { era: 1, revision: revision(2) })?.state, 'retired');
    assert.equal(result(undefined, live, { era: 0, revision: revision(4) })?.state, 'live');
    assert.equal(result(tombstoneOf({ revision: revision(2) }), live, { era: 0, revision: revision(6) }), undefined);
  });

  it('is not taken for seen because of what the backup itself says', () => {
    const restored = { era: 0, revision: 0 } as const;
    assert.deepEqual(seenUpTo({ ...rosterOf('a', 'b'), reconciled: revision(8), restored }), restored);
  });
});
