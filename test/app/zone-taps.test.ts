// Anti-passback and the rule of two people, through the whole tap flow.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { bindingOf, cardholderId, revision, tombstoneOf } from '../domain/samples.ts';
import { BUILDING, passageBookOf } from '../fixtures/passage-book.ts';
import { settle } from './door-bench.ts';
import { ADA, ADA_TOO, BOB, FRONT, makeZoneBench, WITHIN } from './zone-bench.ts';

describe('hard anti-passback', () => {
  it('denies whoever has entered a second entering, until they have left', async () => {
    const bench = await makeZoneBench();
    assert.deepEqual(
      [bench.go(ADA), bench.go(ADA), bench.go(BOB), bench.go(ADA, 'out'), bench.go(ADA)],
      ['granted', 'passback', 'granted', 'granted', 'granted'],
    );
    assert.equal(bench.occupancy(), 2);
    const denied = (await bench.events()).find(({ event }) => event === 'access-denied');
    assert.deepEqual(
      [denied?.reason, denied?.card, denied?.cardholder, denied?.door, denied?.direction],
      ['passback', ADA, 'E1001', 'front', 'in'],
    );
  });

  it('denies whoever has left a second leaving', async () => {
    const bench = await makeZoneBench();
    assert.deepEqual([bench.go(ADA, 'out'), bench.go(ADA, 'out'), bench.go(ADA)], ['granted', 'passback', 'granted']);
  });

  it('is about the person: another card of theirs changes nothing, whether it replaces the first one or not', async () => {
    const bench = await makeZoneBench();
    bench.go(ADA);
    assert.equal(bench.tap(ADA_TOO), 'passback');
    await bench.change(ADA, tombstoneOf());
    assert.equal(bench.tap(ADA_TOO), 'passback');
    assert.equal(bench.go(ADA_TOO, 'out'), 'granted');
  });

  it('counts who went through the door, not who was granted to: a grant that nobody takes changes nothing', async () => {
    const bench = await makeZoneBench();
    assert.equal(bench.tap(ADA), 'granted');
    bench.clock.advance(60_000);
    assert.equal(bench.occupancy(), 0);
    assert.equal(bench.tap(ADA), 'granted');
  });

  it('counts the grant itself at a door that cannot tell', async () => {
    const bench = await makeZoneBench({ hasContact: false });
    assert.deepEqual([bench.tap(ADA), bench.tap(ADA)], ['granted', 'passback']);
  });

  it('tells why a card is denied for its own sake first', async () => {
    const bench = await makeZoneBench();
    bench.go(ADA);
    await bench.change(ADA, tombstoneOf({ reason: 'lost' }));
    assert.equal(bench.tap(ADA), 'lost');
  });

  it('goes on while the store refuses every write', async () => {
    const bench = await makeZoneBench();
    bench.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
    assert.deepEqual([bench.go(ADA), bench.go(ADA), bench.go(ADA, 'out')], ['granted', 'passback', 'granted']);
  });
});

describe('a door of a zone that lets everybody pass', () => {
  for (const mode of ['unlocked', 'held-open'] as const) {
    it(`${mode}: keeps nobody in or out who has gone through it without a card`, async () => {
      const bench = await makeZoneBench();
      assert.deepEqual([bench.go(ADA), bench.go(ADA, 'out'), bench.go(BOB)], ['granted', 'granted', 'granted']);
      bench.controller.setMode(mode);
      // Ada goes in and Bob goes out, and neither holds a card to a reader.
      bench.controller.setMode('normal');
      assert.equal(bench.occupancy(), 1, 'what is known is counted still');
      assert.deepEqual([bench.go(ADA, 'out'), bench.go(BOB)], ['granted', 'granted']);
      assert.deepEqual([bench.go(ADA, 'out'), bench.go(BOB)], ['passback', 'passback']);
    });
  }

  it('grants to whoever holds a card to it all the same, counts them, and holds nothing of it against them', async () => {
    const bench = await makeZoneBench();
    bench.controller.setMode('unlocked');
    assert.deepEqual([bench.tap(ADA), bench.tap(ADA)], ['granted', 'granted']);
    assert.equal(bench.occupancy(), 1);
    bench.controller.setMode('normal');
    assert.equal(bench.go(ADA), 'granted');
    assert.equal(bench.go(ADA), 'passback');
  });

  it('is forgiven over a restart too', async () => {
    const { store, writer, clock, ...bench } = await makeZoneBench();
    bench.go(ADA);
    bench.controller.setMode('held-open');
    await settle();
    const book = passageBookOf({ store, writer, clock });
    await book.load();
    const ada = { door: FRONT, direction: 'in', cardholder: cardholderId('E1001') } as const;
    assert.equal(book.judge(ada), 'clear');
    assert.equal(book.view()[BUILDING]?.occupancy, 1);
  });

  it('takes one card where it takes two while it is locked', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    bench.controller.setMode('held-open');
    assert.equal(bench.tap(ADA), 'granted');
    bench.controller.setMode('normal');
    assert.equal(bench.tap(ADA), 'second-card-required');
  });
});

describe('soft anti-passback', () => {
  it('grants a second entering, and the event says that it is one', async () => {
    const bench = await makeZoneBench({ rule: { mode: 'soft' } });
    assert.deepEqual([bench.go(ADA), bench.go(ADA)], ['granted', 'granted']);
    const details = (await bench.events()).map(({ detail }) => detail);
    assert.deepEqual(details, [null, { passback: true }]);
    assert.equal(bench.occupancy(), 1);
  });
});

describe('timed anti-passback', () => {
  it('denies a second entering for its time, and leaving never', async () => {
    const bench = await makeZoneBench({ rule: { mode: 'timed', within: milliseconds(60_000) } });
    assert.deepEqual([bench.go(ADA), bench.go(ADA)], ['granted', 'passback']);
    bench.clock.advance(60_000);
    assert.deepEqual([bench.go(ADA), bench.go(ADA, 'out'), bench.go(ADA, 'out')], ['granted', 'granted', 'granted']);
  });
});

describe('a door that nobody enters alone', () => {
  it('opens to the second of two people, and both are inside then', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    assert.equal(bench.tap(ADA), 'second-card-required');
    assert.deepEqual(bench.strikes(), []);
    assert.equal(bench.go(BOB), 'granted');
    assert.deepEqual(
      bench.passages.occupants(BUILDING).map(({ cardholder }) => cardholder),
      ['E1001', 'E1002'],
    );
    const [first, second] = await bench.events();
    assert.deepEqual(
      [first?.event, first?.reason, first?.cardholder],
      ['access-denied', 'second-card-required', 'E1001'],
    );
    assert.deepEqual(
      [second?.event, second?.card, second?.detail],
      ['access-granted', BOB, { with: { card: ADA, cardholder: 'E1001' } }],
    );
  });

  it('records nobody as inside where nobody takes the grant', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    bench.tap(ADA);
    bench.tap(BOB);
    bench.clock.advance(60_000);
    assert.equal(bench.occupancy(), 0);
  });

  it('opens neither to one card twice nor to two cards of one person', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    for (const card of [ADA, ADA, ADA_TOO, ADA]) assert.equal(bench.tap(card), 'second-card-required');
    assert.deepEqual(bench.strikes(), []);
  });

  it('does not wait longer than it is told to', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    bench.tap(ADA);
    bench.clock.advance(WITHIN + 1);
    assert.equal(bench.tap(BOB), 'second-card-required');
    bench.clock.advance(WITHIN);
    assert.equal(bench.tap(ADA), 'granted');
  });

  it('waits by the monotonic clock', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    bench.tap(ADA);
    bench.clock.setNow('2036-01-01T00:00:00Z');
    assert.equal(bench.tap(BOB), 'granted');
  });

  it('takes each card for one pair only', async () => {
    const bench = await makeZoneBench({ isForTwo: true, rule: { mode: 'off' } });
    assert.deepEqual(
      [bench.tap(ADA), bench.tap(BOB), bench.tap(ADA)],
      ['second-card-required', 'granted', 'second-card-required'],
    );
  });

  it('judges the first card again: one that was lost meanwhile completes nothing, and the second one waits', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    bench.tap(ADA);
    await bench.change(ADA, tombstoneOf());
    assert.equal(bench.tap(BOB), 'second-card-required');
    assert.equal(bench.tap(ADA), 'lost');
    assert.equal(bench.tap(ADA_TOO), 'granted');
  });

  it('does not take a first card that has become the second person’s', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    bench.tap(ADA);
    await bench.change(ADA, bindingOf({ revision: revision(9), cardholder: cardholderId('E1002') }));
    assert.equal(bench.tap(BOB), 'second-card-required');
  });

  it('is not helped by a card that would not open it alone', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    bench.go(ADA);
    bench.go(BOB);
    assert.deepEqual([bench.tap(ADA), bench.tap(BOB)], ['passback', 'passback']);
    await bench.change(ADA, tombstoneOf());
    assert.equal(bench.tap('F00DF00D'), 'unknown-card');
  });

  it('is left alone', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    bench.tap(ADA);
    bench.go(BOB);
    assert.equal(bench.go(ADA, 'out'), 'granted');
    assert.equal(bench.occupancy(), 1);
  });

  it('says in the event which of the two goes a second time', async () => {
    const bench = await makeZoneBench({ isForTwo: true, rule: { mode: 'soft' } });
    bench.tap(ADA);
    bench.go(BOB);
    bench.go(BOB, 'out');
    bench.tap(ADA);
    bench.go(BOB);
    assert.deepEqual((await bench.events()).at(-1)?.detail, {
      with: { card: ADA, cardholder: 'E1001', passback: true },
    });
  });

  it('stays released for longer where either of the two needs it', async () => {
    const bench = await makeZoneBench({ isForTwo: true });
    await bench.change(ADA, bindingOf({ extendedRelease: true }));
    bench.tap(ADA);
    bench.tap(BOB);
    bench.clock.advance(5_000);
    assert.equal(bench.io.strike(FRONT), 'unlocked');
  });

  it('in a lockdown takes two cards that override it', async () => {
    const bench = await makeZoneBench({ isForTwo: true, binding: { overridesLockdown: true } });
    bench.tap(ADA);
    bench.controller.setMode('lockdown');
    assert.equal(bench.tap(BOB), 'granted');
    const other = await makeZoneBench({ isForTwo: true });
    await other.change(BOB, bindingOf({ cardholder: cardholderId('E1002'), overridesLockdown: true }));
    other.tap(ADA);
    other.controller.setMode('lockdown');
    assert.equal(other.tap(BOB), 'second-card-required');
    assert.deepEqual(other.strikes(), []);
  });
});

describe('a door that nobody enters alone and that records before it releases', () => {
  const options = { isForTwo: true, recordBeforeRelease: true } as const;

  it('opens once the event is durable', async () => {
    const bench = await makeZoneBench(options);
    bench.tap(ADA);
    bench.tap(BOB);
    assert.deepEqual(bench.strikes(), []);
    await settle();
    assert.deepEqual([bench.last(), bench.strikes()], ['granted', ['unlocked']]);
    bench.pass();
    assert.equal(bench.occupancy(), 2);
  });

  it('stays shut where the first card was revoked while the event was written', async () => {
    const bench = await makeZoneBench(options);
    bench.tap(ADA);
    await settle();
    bench.store.holdCommits();
    bench.tap(BOB);
    const changed = bench.change(ADA, tombstoneOf());
    bench.store.releaseCommits();
    await changed;
    await settle();
    assert.equal(bench.last(), 'second-card-required');
    assert.deepEqual(bench.strikes(), []);
    const [, granted, withdrawn] = await bench.events();
    assert.deepEqual(
      [granted?.event, withdrawn?.event, withdrawn?.reason],
      ['access-granted', 'access-not-taken', 'second-card-required'],
    );
  });
});
