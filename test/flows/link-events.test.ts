// The link is no input of a door: whatever it does and whatever comes over it, no strike is driven.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type BenchOptions, settle } from '../app/door-bench.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { TOPICS } from './change-flow.ts';
import { makeGateway } from './joined-flows.ts';

const CARD = '04A2B3C4D5E680';
const STEPS = 500;
type Gateway = Awaited<ReturnType<typeof makeGateway>>;

/** One thing that a link or a broker does. What was sent before comes again with its old revision. */
const happen = (gateway: Gateway, random: Random, revision: number): void => {
  const { link, bind, revoke, clock } = gateway;
  const card = random.pick([CARD, 'DEADBEEF', 'CAFEBABE']);
  const isReplay = random.below(2) === 0;
  const number = isReplay ? 1 + random.below(revision) : revision;
  switch (random.below(8)) {
    case 0:
      return link.connect();
    case 1:
      return link.disconnect();
    case 2:
    case 3:
      return void bind(number, card, { cardholder: { id: random.pick(['E1', 'E2']) } });
    case 4:
      return void revoke(number, { card });
    case 5:
      return void link.deliver(random.pick([TOPICS.cardBound, TOPICS.cardRevoked, TOPICS.command]), '{}', {
        retained: random.below(2) === 0,
      });
    case 6:
      return void link.deliver(TOPICS.rosterDigest, '{}', { retained: true });
    default:
      return clock.advance(random.below(3000));
  }
};

const DOORS: readonly (readonly [string, BenchOptions, (gateway: Gateway) => void])[] = [
  ['locked', {}, () => {}],
  ['open', {}, ({ moveDoor }) => moveDoor('open')],
  ['blocked', { initialMode: 'blocked' }, () => {}],
  ['in a lockdown', { initialMode: 'lockdown' }, () => {}],
  ['held open', { initialMode: 'held-open' }, () => {}],
  ['unlocked by schedule', { initialMode: 'unlocked' }, () => {}],
  ['without a contact', { hasContact: false }, () => {}],
];

for (const [seed, [what, options, prepare]] of DOORS.entries()) {
  test(`invariant 6: a door that is ${what} stays so over ${STEPS} disconnects, reconnects, changes, replays and retained messages`, async () => {
    const gateway = await makeGateway(options);
    const random = seededRandom(seed);
    prepare(gateway);
    const before = { strikes: gateway.strikes(), strike: gateway.strike(), mode: gateway.controller.mode };
    for (let revision = 1; revision <= STEPS; revision++) {
      happen(gateway, random, revision);
      if (revision % 10 === 0) await settle();
    }
    gateway.link.connect();
    await settle();
    assert.deepEqual({ strikes: gateway.strikes(), strike: gateway.strike(), mode: gateway.controller.mode }, before);
    assert.ok(gateway.store.roster().revision > STEPS / 2, 'changes were applied meanwhile');
    assert.ok(gateway.published(TOPICS.receipt).length > STEPS / 4);
  });
}

test('invariant 6: a release that is under way ends in its time, whatever the link does', async () => {
  const gateway = await makeGateway();
  gateway.link.connect();
  await gateway.bind(1, CARD);
  gateway.tap(CARD);
  gateway.link.disconnect();
  gateway.clock.advance(2000);
  gateway.link.connect();
  await gateway.bind(1, CARD);
  assert.equal(gateway.strike(), 'unlocked');
  gateway.clock.advance(3000);
  assert.deepEqual(gateway.strikes(), ['unlocked', 'locked']);
});
