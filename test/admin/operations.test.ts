import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseUid } from '../../src/admin/requests.ts';
import { instant } from '../../src/domain/units.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { CardeaError } from '../../src/errors.ts';
import { AdminBench, CARD, FRONT, FRONT_IN } from './admin-bench.ts';

const isRefusal =
  (code: ErrorCode, words: RegExp = /./) =>
  (error: unknown): boolean =>
    error instanceof CardeaError && error.code === code && words.test(error.message);

const uidOf = (hex: string): Uint8Array => {
  const uid = parseUid(hex);
  assert.ok(uid !== undefined);
  return uid;
};

const tapAt = (bench: AdminBench, reader = 'front-in', uid = CARD) =>
  bench.operations.tap({ reader, uid: uidOf(uid), operator: 'ada' });

describe('status', () => {
  it('joins the status document with what health finds and the state of the link', async () => {
    const bench = await AdminBench.start();
    bench.faults = ['the loop of reader front-in does not turn'];
    const { status, faults, isLinkConnected } = bench.operations.status();
    assert.equal(status.gateway, 'demo');
    assert.deepEqual(Object.keys(status.doors), ['front', 'lab']);
    assert.deepEqual(faults, bench.faults);
    assert.equal(isLinkConnected, false);
  });
});

describe('card', () => {
  it('shows a live binding with its person, its message and the doors that it opens now', async () => {
    const bench = await AdminBench.start();
    await bench.bind(CARD, { kind: 'temporary', validUntil: '2026-02-01T00:00:00+01:00' });
    const answer = bench.operations.card({ card: '04:a2:b3:c4:d5:e6:80' });
    assert.equal(answer.card, CARD);
    assert.equal(answer.found, 'live');
    assert.equal(answer.binding?.name, 'Ada Lovelace');
    assert.equal(answer.binding?.validUntil, '2026-01-31T23:00:00.000Z');
    assert.deepEqual(answer.origin, { revision: 1, messageId: 'message-1', appliedAt: '2026-01-05T08:00:00.000Z' });
    const normal = { doorMode: 'normal', modeOrder: null };
    assert.deepEqual(answer.doors, {
      front: {
        decision: 'granted',
        reason: null,
        ...normal,
        grants: [{ schedule: 'always', level: null, state: 'open' }],
      },
      lab: { decision: 'denied', reason: 'door-not-permitted', ...normal, grants: [] },
    });
    assert.equal(answer.rosterRevision, 1);
  });

  it('shows the tombstone of a revoked card with the message that retired it', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    await bench.revoke();
    const answer = bench.operations.card({ card: CARD });
    assert.equal(answer.found, 'retired');
    assert.equal(answer.binding, null);
    assert.deepEqual(answer.tombstone, { reason: 'lost', cardholder: 'E1001', revision: 2 });
    assert.equal(answer.origin?.messageId, 'message-2');
    assert.equal(answer.doors['front']?.reason, 'lost');
  });

  it('tells an unknown card from one whose record cannot be read', async () => {
    const bench = await AdminBench.start();
    assert.equal(bench.operations.card({ card: CARD }).found, 'unknown');
    await bench.bind();
    for (const card of bench.store.cards.keys()) bench.store.garbleCard(card);
    const answer = bench.operations.card({ card: CARD });
    assert.equal(answer.found, 'unreadable');
    assert.match(answer.detail ?? '', /decode/);
    assert.equal(answer.doors['front']?.reason, 'store-failure');
  });

  it('takes the number as HR writes it, and the UID in hex, for the same card', async () => {
    const bench = await AdminBench.start({ cardNumberFormat: 'decimal-reversed' });
    const uid = 'DEADBEEF';
    const number = String(0xefbeadde);
    await bench.bind(number);
    const byNumber = bench.operations.card({ card: number });
    const byUid = bench.operations.card({ card: uid });
    assert.equal(byNumber.found, 'live');
    assert.equal(byNumber.readAs, 'card-number');
    assert.equal(byUid.card, byNumber.card);
    assert.equal(byUid.readAs, 'uid');
  });

  it('takes text that reads as a number and as a UID for the one that the store knows', async () => {
    const bench = await AdminBench.start({ cardNumberFormat: 'decimal' });
    await bench.bind(String(0x12345678));
    assert.equal(bench.operations.card({ card: '12345678' }).readAs, 'uid');
    await bench.bind('12345678', { cardholder: { id: 'E2' } });
    assert.equal(bench.operations.card({ card: '12345678' }).readAs, 'card-number');
  });

  it('refuses text that is neither', async () => {
    const bench = await AdminBench.start();
    for (const card of ['hello', '0', '04A2B3', ' ', '\u0000']) {
      assert.throws(() => bench.operations.card({ card }), isRefusal('invalid-request', /no card number/), card);
    }
  });
});

describe('explain', () => {
  it('gives the decision at the door with the message behind it', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    const answer = bench.operations.explain({ card: CARD, door: 'front', direction: 'in', at: undefined });
    assert.equal(answer.decision, 'granted');
    assert.equal(answer.origin?.messageId, 'message-1');
    assert.equal(answer.at, '2026-01-05T08:00:00.000Z');
    assert.deepEqual([answer.wallClock, answer.timeZone], ['mon 2026-01-05 08:00', 'UTC']);
    assert.deepEqual(answer.grants, [{ schedule: 'always', level: null, state: 'open' }]);
    assert.equal(
      bench.operations.explain({ card: CARD, door: 'lab', direction: 'in', at: undefined }).reason,
      'door-not-permitted',
    );
  });

  it('judges a time of its own as if the clock were right, and now with the clock as it is', async () => {
    const bench = await AdminBench.start();
    await bench.bind(CARD, { validFrom: '2026-03-01T00:00:00Z' });
    bench.clock.setSynchronized(false);
    const explain = (at?: string) =>
      bench.operations.explain({
        card: CARD,
        door: 'front',
        direction: 'in',
        at: at === undefined ? undefined : instant(Date.parse(at)),
      });
    assert.equal(explain().reason, 'clock-untrusted');
    assert.equal(explain('2026-02-28T23:59:59Z').reason, 'not-yet-valid');
    assert.equal(explain('2026-03-01T00:00:00Z').decision, 'granted');
  });

  it('takes the mode of the door into account', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    bench.doors.get(FRONT)?.setMode('blocked');
    assert.equal(
      bench.operations.explain({ card: CARD, door: 'front', direction: 'in', at: undefined }).reason,
      'door-blocked',
    );
  });

  for (const cardNumberFormat of ['hex', 'decimal', 'decimal-reversed', 'wiegand26', 'wiegand34'] as const) {
    it(`says of a random UID that it is one, as the door does, where card numbers are ${cardNumberFormat}`, async () => {
      const bench = await AdminBench.start({ cardNumberFormat });
      const uid = '08A1B2C3';
      const explained = bench.operations.explain({ card: uid, door: 'front', direction: 'in', at: undefined });
      assert.deepEqual([explained.decision, explained.reason], ['denied', 'random-uid']);
      assert.equal(bench.operations.card({ card: uid }).doors['front']?.reason, 'random-uid');
      const tapped = await tapAt(bench, 'front-in', uid);
      assert.equal(tapped.outcome === 'denied' && tapped.reason, 'random-uid');
    });
  }

  it('says so too when another card shares the number of a random UID', async () => {
    const bench = await AdminBench.start({ cardNumberFormat: 'wiegand26' });
    await bench.bind('161,45763');
    const reasonOf = (card: string) =>
      bench.operations.explain({ card, door: 'front', direction: 'in', at: undefined }).reason;
    assert.equal(reasonOf('08A1B2C3'), 'random-uid');
    assert.equal(reasonOf('161,45763'), null);
    assert.equal(reasonOf('99A1B2C3'), null);
  });
});

describe('tap', () => {
  it('grants a bound card, releases the strike and names whose card it is', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    assert.deepEqual(await tapAt(bench), {
      reader: 'front-in',
      card: CARD,
      outcome: 'granted',
      door: 'front',
      cardholder: 'E1001',
      name: 'Ada Lovelace',
    });
    assert.equal(bench.io.strike(FRONT), 'unlocked');
  });

  it('denies with the reason', async () => {
    const bench = await AdminBench.start();
    const answer = await tapAt(bench);
    assert.equal(answer.outcome, 'denied');
    assert.equal(answer.outcome === 'denied' && answer.reason, 'unknown-card');
    assert.equal(bench.io.strike(FRONT), 'locked');
  });

  it('takes the card away, so that the next tap of the same card counts', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    for (let time = 0; time < 3; time++) assert.equal((await tapAt(bench)).outcome, 'granted');
  });

  it('gives each of several taps at once its own outcome', async () => {
    const bench = await AdminBench.start({ recordBeforeRelease: true });
    await bench.bind();
    const answers = await Promise.all([tapAt(bench), tapAt(bench, 'front-in', 'DEADBEEF'), tapAt(bench)]);
    assert.deepEqual(
      answers.map(({ card, outcome }) => [card, outcome]),
      [
        [CARD, 'granted'],
        ['DEADBEEF', 'denied'],
        [CARD, 'granted'],
      ],
    );
  });

  it('gives up on a disk that hangs, and takes the next tap all the same', async () => {
    const bench = await AdminBench.start({ recordBeforeRelease: true });
    await bench.bind();
    bench.store.holdCommits();
    const hanging = tapAt(bench);
    const refused = assert.rejects(hanging, isRefusal('timed-out'));
    await new Promise((resolve) => setImmediate(resolve));
    bench.clock.advance(5_000);
    await refused;
    assert.equal(bench.dependencies.readers.get(FRONT_IN)?.handler.waiting, 0, 'nobody waits for it any more');
    const next = await tapAt(bench, 'front-in', 'DEADBEEF');
    assert.equal(next.outcome, 'denied');
  });

  it('is refused at a real reader and at one that is not here', async () => {
    const bench = await AdminBench.start();
    await assert.rejects(tapAt(bench, 'lab-in'), isRefusal('not-simulated', /real hardware/));
    await assert.rejects(tapAt(bench, 'attic-in'), isRefusal('unknown-reader', /front-in, lab-in/));
  });
});

describe('line', () => {
  const line = (bench: AdminBench, name: 'contact' | 'exit-button', isActive: boolean, door = 'front') =>
    bench.operations.setLine({ door, line: name, isActive, operator: 'ada' });

  it('opens and closes a door, and presses its button', async () => {
    const bench = await AdminBench.start();
    assert.equal(line(bench, 'exit-button', true).strike, 'unlocked');
    assert.equal(line(bench, 'contact', false).position, 'open');
    assert.deepEqual(line(bench, 'contact', true), {
      door: 'front',
      line: 'contact',
      state: 'on',
      position: 'closed',
      strike: 'locked',
    });
  });

  it('is refused for a line or door that is not there, and for real hardware', async () => {
    const bench = await AdminBench.start();
    assert.throws(() => line(bench, 'contact', true, 'lab'), isRefusal('unknown-line'));
    assert.throws(() => line(bench, 'contact', true, 'attic'), isRefusal('unknown-door'));
  });
});

describe('report', () => {
  const REQUEST = {
    report: 'denied',
    operator: 'ada',
    from: '2026-01-01',
    to: undefined,
    cardholder: undefined,
  } as const;

  it('is recorded with who takes it before it is answered', async () => {
    const bench = await AdminBench.start();
    await bench.bind();
    const { lastSequence, cards } = await bench.operations.report(REQUEST);
    const event = bench.store.entries.at(-1)?.event;
    assert.deepEqual([lastSequence, cards], [event?.sequence, 1]);
    assert.equal(event?.event, 'operator-action');
    assert.deepEqual(event?.detail, { action: 'report', report: 'denied', operator: 'ada', from: '2026-01-01' });
  });

  it('is not given out while nobody could tell afterwards that it was', async () => {
    const bench = await AdminBench.start();
    bench.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
    await assert.rejects(bench.operations.report(REQUEST), isRefusal('store-write-failed'));
  });
});
