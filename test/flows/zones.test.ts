// A whole gateway with a zone, on simulated hardware: what the configuration says is what people meet at the door and what a
// technician is told, over a restart too.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { AdminClient } from '../../src/cli/admin-client.ts';
import type { Config } from '../../src/config/config.ts';
import type { Direction } from '../../src/domain/access-event.ts';
import { DIGEST_BYTES, emptyRoster, toggleCard } from '../../src/domain/roster-digest.ts';
import { startGateway } from '../../src/gateway.ts';
import { bindingOf, cardholderId, cardNumber } from '../domain/samples.ts';
import { configOf } from '../fixtures/simulated-config.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { openDataDir } from '../fixtures/test-store.ts';

const ADA = 'DEADBEEF';
const BOB = '0BADCAFE';

/** A gateway with two bound cards that has not started yet. */
const prepare = async (t: TestContext): Promise<{ readonly config: Config; readonly admin: AdminClient }> => {
  const folder = temporaryFolder(t);
  const config = configOf(`
site: hq
gateway: lobby-1
dataDir: ${folder}/data
mqtt: { embedded: { port: 0 } }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: simulated, debounceMilliseconds: 0 }
zones: { building: { antiPassback: hard }, vault: { antiPassback: soft } }
doors:
  front: { strike: {}, contact: {}, zone: building }
  vault: { strike: {}, zone: vault, twoPerson: {} }
readers:
  front-in: { door: front, driver: simulated }
  front-out: { door: front, driver: simulated, direction: out }
  vault-in: { door: vault, driver: simulated }
  vault-out: { door: vault, driver: simulated, direction: out }
admin: { socket: ${folder}/cardea.sock }
log: { level: silent }
`);
  const store = await openDataDir(join(folder, 'data'));
  const buckets = new Uint8Array(DIGEST_BYTES);
  for (const card of [ADA, BOB]) toggleCard(buckets, cardNumber(card), bindingOf().revision);
  await store.commit({
    cards: new Map([
      [cardNumber(ADA), bindingOf({ name: 'Ada' })],
      [cardNumber(BOB), bindingOf({ cardholder: cardholderId('E1002') })],
    ]),
    cardholders: new Map([[cardholderId('E1001'), { cards: [cardNumber(ADA)] }]]),
    roster: { ...emptyRoster(), revision: bindingOf().revision, cards: 2, buckets },
    doorOrders: new Map(),
    commands: undefined,
    entries: [],
  });
  await store.close();
  return { config, admin: new AdminClient({ socket: join(folder, 'cardea.sock') }) };
};

test('who has entered is inside, over a restart too, until leaving or a reset', async (t) => {
  const { config, admin } = await prepare(t);
  const operator = 'test';
  const tap = async (door: string, uid: string, direction: Direction = 'in'): Promise<string> => {
    const answer = await admin.call('tap', { reader: `${door}-${direction}`, uid, operator });
    return answer.outcome === 'denied' ? answer.reason : answer.outcome;
  };
  const go = async (uid: string, direction: Direction = 'in'): Promise<string> => {
    const outcome = await tap('front', uid, direction);
    await admin.call('line', { door: 'front', line: 'contact', state: 'off', operator });
    await admin.call('line', { door: 'front', line: 'contact', state: 'on', operator });
    return outcome;
  };
  const inside = async (zone: string): Promise<string[]> => {
    const { zones } = await admin.call('zone', { zone });
    return zones.flatMap((view) => view.inside.map(({ cardholder, name }) => `${cardholder} ${name}`));
  };

  const first = await startGateway(config);
  t.after(() => first.stop('end of test'));
  assert.equal(await go(ADA), 'granted');
  assert.equal(await tap('front', ADA), 'passback');
  assert.deepEqual([await tap('vault', ADA), await tap('vault', BOB)], ['second-card-required', 'granted']);
  assert.deepEqual(await inside('building'), ['E1001 Ada']);
  assert.deepEqual(await inside('vault'), ['E1001 Ada', 'E1002 null']);
  await first.stop('restart');

  const second = await startGateway(config);
  t.after(() => second.stop('end of test'));
  assert.deepEqual(second.describe().zones, {
    building: { antiPassback: 'hard', occupancy: 1 },
    vault: { antiPassback: 'soft', occupancy: 2 },
  });
  assert.equal(await tap('front', ADA), 'passback');
  const explained = await admin.call('explain', { card: ADA, door: 'front' });
  assert.deepEqual([explained.decision, explained.reason], ['denied', 'passback']);
  const leaving = await admin.call('explain', { card: ADA, door: 'front', direction: 'out' });
  assert.equal(leaving.decision, 'granted');
  const vault = await admin.call('explain', { card: ADA, door: 'vault' });
  assert.ok(vault.decision === 'granted' && vault.isPassback && vault.needsSecondCard);

  const reset = await admin.call('reset-passback', { cardholder: 'E1001', operator });
  assert.deepEqual(reset, { cardholder: 'E1001', zones: ['building', 'vault'] });
  assert.deepEqual(await inside('building'), []);
  assert.equal(await go(ADA), 'granted');
  assert.equal(await go(ADA, 'out'), 'granted');
  assert.deepEqual(await inside('building'), []);
  assert.equal(await tap('front', ADA, 'out'), 'passback');
  for (const action of ['hold-open', 'normal'] as const) {
    await admin.call('door-command', { door: 'front', action, operator });
  }
  assert.equal(await tap('front', ADA, 'out'), 'granted', 'may have gone in while the door was held open');
  await assert.rejects(admin.call('zone', { zone: 'attic' }), { code: 'unknown-zone' });
});
