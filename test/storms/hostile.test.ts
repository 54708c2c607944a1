// Five thousand mutated and forged messages on every topic that leads to a gateway, from somebody who may publish at its broker
// and has no key that it trusts, or a trusted key and nothing sensible to say.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { NAMELESS_RECEIPTS_PER_SECOND } from '../../src/app/apply-hr-message.ts';
import { binding, changed, note } from '../desk/desk-samples.ts';
import { ArchivingDesk } from '../fixtures/archiving-desk.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { cardNumbers, fillRoster, liveAtHr } from '../fixtures/random-history.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { freePort } from '../fixtures/server-process.ts';
import { signedTrust } from '../fixtures/signed-trust.ts';
import { signingKey } from '../fixtures/signing-keys.ts';
import { StormGateway } from '../fixtures/storm-gateway.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const SITE = 'hq';
const GATEWAY = 'lobby-1';
const SEED = 20_261_122;
const HOSTILE = 5_000;
const TOGETHER = 50;
const CARDS = cardNumbers(100);
const HR = signingKey('hr-2026', 'bind', 'revoke', 'roster', 'calendar', 'command');
const ATTACKER = signingKey('hr-2026');

const OWN = `cardea/${SITE}/gateways/${GATEWAY}`;
const TOPICS = [
  ...['card-bound', 'card-revoked', 'calendar', 'roster-digest', 'command'].map((name) => `cardea/${SITE}/hr/${name}`),
  ...['roster-page', 'event-ack', 'command'].map((name) => `${OWN}/${name}`),
];

/** What would do harm if it were believed; none of it is ever sent as it is. */
const harmful = (random: Random): Readonly<Record<string, unknown>> => {
  const card = random.pick(CARDS);
  const common = { site: SITE, messageId: `hostile-${random.below(1e9)}`, revision: 1_000 + random.below(1e6) };
  const change = { ...common, issuedAt: '2026-11-22T09:00:00+08:00', operator: 'nobody' };
  const access = [{ doors: ['*'], schedule: 'always' }];
  const window = { days: ['mon'], from: '00:00', to: '24:00' };
  const issuedAt = new Date();
  const expiresAt = new Date(issuedAt.getTime() + 60_000);
  const command = { type: 'command', site: SITE, messageId: common.messageId, issuedAt, expiresAt, operator: 'nobody' };
  const { revision } = common;
  const held = { card, revision, cardholder: 'X1', access, kind: 'permanent', state: 'active' };
  return random.pick<Readonly<Record<string, unknown>>>([
    { type: 'card-bound', ...change, card, cardholder: { id: 'X1' }, access },
    { type: 'card-revoked', ...change, card, reason: 'lost' },
    {
      type: 'calendar',
      ...change,
      schedules: { night: [window] },
      holidays: { h: ['12-25'] },
      levels: { staff: access },
    },
    { ...command, action: 'hold-open', door: '*' },
    { ...command, action: 'lockdown', door: '*' },
    { type: 'card-revoked', ...change, cardholder: 'E1', reason: 'left' },
    { type: 'roster-digest', site: SITE, revision, cards: 0, buckets: 'A'.repeat(2731).concat('='), epoch: '2027-a' },
    { type: 'roster-page', site: SITE, requestId: 'r-1', revision, page: 1, pages: 1, buckets: [3], cards: [held] },
  ]);
};

/** Of a calendar. */
const MAY_BE_LEFT_OUT = ['schedules', 'holidays', 'levels'];

/** The same with a fault that nobody may overlook. */
const broken = (random: Random): string => {
  const message = harmful(random);
  const name = random.pick(Object.keys(message));
  const required = Object.keys(message).filter((key) => !MAY_BE_LEFT_OUT.includes(key));
  return random.pick([
    () => JSON.stringify({ ...message, [random.pick(required)]: undefined }),
    () => JSON.stringify({ ...message, [name]: { nested: [[[message]]] } }),
    () => JSON.stringify({ ...message, [name]: null }),
    () => JSON.stringify({ ...message, validUntill: '2026-11-22T09:00:00Z' }),
    () => JSON.stringify({ ...message, site: 'elsewhere' }),
    () => JSON.stringify(message).slice(0, -1 - random.below(20)),
    () => JSON.stringify([message]),
  ])();
};

const mutated = (jws: string, random: Random): Buffer => {
  const bytes = Buffer.from(jws);
  for (let edits = 1 + random.below(3); edits > 0; edits--) {
    const at = random.below(bytes.length);
    bytes[at] = bytes.readUInt8(at) ^ (1 << random.below(8));
  }
  return random.below(4) === 0 ? bytes.subarray(0, random.below(bytes.length)) : bytes;
};

const noise = (random: Random): Buffer =>
  Buffer.from(Array.from({ length: random.below(600) }, () => random.below(256)));

const hostilePayload = async (random: Random): Promise<string | Buffer> => {
  switch (random.below(6)) {
    case 0:
      return JSON.stringify(harmful(random));
    case 1:
      return ATTACKER.seal(JSON.stringify(harmful(random)));
    case 2:
      return HR.seal(broken(random));
    case 3:
      return random.below(50) === 0 ? '['.repeat(70_000 + random.below(500_000)) : noise(random);
    default: {
      const jws = await HR.seal(JSON.stringify(harmful(random)));
      const changedSomewhere = mutated(jws, random);
      return changedSomewhere.toString('latin1') === jws ? '' : changedSomewhere;
    }
  }
};

const open = async (t: TestContext) => {
  const port = await freePort();
  const { trusting, open } = signedTrust(t);
  const mqtt = { embedded: { port } };
  const gateway = StormGateway.prepare(t, { site: SITE, gateway: GATEWAY, mqtt, trust: trusting(HR) });
  await gateway.start();
  const desk = await ArchivingDesk.open({ port, site: SITE, seal: HR.seal, open });
  t.after(() => desk.close());
  const stranger = await HrClient.connect({ port, topics: ['cardea/nothing'] });
  t.after(() => stranger.close());
  return { gateway, desk, stranger };
};

test(`of ${HOSTILE} mutated and forged messages on all topics none has any effect, and those without a name are answered ten times a second`, async (t) => {
  const { gateway, desk, stranger } = await open(t);
  const archive = desk.archiveOf(GATEWAY);
  await desk.publish([fillRoster(desk.roster, CARDS.slice(0, 50))]);
  await gateway.holdsRoster(desk.digest);
  const { pid } = gateway.process;
  const answered = archive.receipts.size;

  const random = seededRandom(SEED);
  const begun = performance.now();
  for (let sent = 0; sent < HOSTILE; sent += TOGETHER) {
    const payloads = await Promise.all(Array.from({ length: TOGETHER }, () => hostilePayload(random)));
    const options = { retain: random.below(20) === 0 };
    await Promise.all(payloads.map((payload) => stranger.publish(random.pick(TOPICS), payload, options)));
  }
  // Behind all of that HR still is heard.
  const { message } = changed(desk.roster.bind(binding(CARDS[99] ?? '', 'E99'), note()));
  await desk.publish([message]);
  await waitFor(() => archive.appliedBy(message.messageId).length === 1, 'the change behind the hostile ones', 120_000);
  const seconds = Math.ceil((performance.now() - begun) / 1000);

  const { status, faults } = await gateway.status();
  assert.equal(status.roster.digest, desk.digest);
  assert.equal(status.calendar, null);
  assert.deepEqual([...new Set(Object.values(status.doors).map(({ mode }) => mode))], ['normal']);
  assert.deepEqual(await gateway.allowListOf(CARDS), liveAtHr(desk.roster, CARDS));
  assert.deepEqual([status.roster.epoch, status.roster.revision, faults], ['2026-a', message.revision, []]);
  const answers = [...archive.receipts.values()]
    .slice(answered)
    .filter(({ messageId }) => messageId !== message.messageId);
  assert.deepEqual([...new Set(answers.map(({ result }) => result))], ['rejected']);
  const nameless = answers.filter(({ messageId }) => messageId === null).length;
  assert.ok(nameless > 0 && nameless <= NAMELESS_RECEIPTS_PER_SECOND * (seconds + 1), `${nameless} in ${seconds} s`);
  assert.equal(gateway.process.pid, pid);
  assert.deepEqual([desk.faults, archive.faults], [[], []]);
  const codes = [...new Set(answers.map(({ code }) => code))].sort();
  t.diagnostic(
    `${seconds} s; ${nameless} answers to messages without a name, ${answers.length} in all: ${codes.join(', ')}`,
  );
});
