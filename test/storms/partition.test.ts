// Two gateways of a site, one of them cut off while a thousand changes are made: it goes on with what it has, says so, and
// catches up.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { cardNumber } from '../domain/samples.ts';
import { ArchivingDesk } from '../fixtures/archiving-desk.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { cardNumbers, fillRoster, personNumbers, RandomHistory } from '../fixtures/random-history.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { StormGateway } from '../fixtures/storm-gateway.ts';
import { TcpProxy } from '../fixtures/tcp-proxy.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const SITE = 'hq';
const CARDS = cardNumbers(700);
const BOUND = 500;
const CHANGES = 1_000;
const SEED = 20_261_122;

const open = async (t: TestContext) => {
  const broker = await Mosquitto.start();
  t.after(() => broker.close());
  const desk = await ArchivingDesk.open({ port: broker.port, site: SITE });
  t.after(() => desk.close());
  const cable = await TcpProxy.open(broker.port);
  t.after(() => cable.close());
  const gatewayAt = async (gateway: string, port: number): Promise<StormGateway> => {
    const mqtt = { url: `mqtt://127.0.0.1:${port}`, keepaliveSeconds: 5, connectTimeoutSeconds: 2 };
    const prepared = StormGateway.prepare(t, { site: SITE, gateway, mqtt });
    await prepared.start();
    return prepared;
  };
  const near = await gatewayAt('lobby-1', broker.port);
  const far = await gatewayAt('annex-1', cable.port);
  await desk.publish([fillRoster(desk.roster, CARDS.slice(0, BOUND))]);
  for (const gateway of [near, far]) await gateway.holdsRoster(desk.digest);
  return { desk, cable, near, far };
};

const partitions: readonly (readonly [string, (cable: TcpProxy) => void])[] = [
  ['a cable that was pulled behind the next switch', (cable) => cable.silence()],
  ['a network that refuses connections', (cable) => cable.refuse()],
];

for (const [what, partition] of partitions) {
  test(`${what}: the gateway behind it decides by what it has, HR is told, and afterwards both hold HR’s roster`, async (t) => {
    const { desk, cable, near, far } = await open(t);
    const before = new Set(CARDS.slice(0, BOUND));
    const digestBefore = desk.digest;
    partition(cable);
    const archive = desk.archiveOf(far.id);
    await waitFor(() => archive.status?.online === false, 'the last will', 60_000);
    await far.waitUntil(({ isLinkConnected }) => isLinkConnected === false, 'aware of it');

    const random = seededRandom(SEED);
    const history = new RandomHistory({ roster: desk.roster, random, cards: CARDS, people: personNumbers(BOUND) });
    await desk.publish(history.go(CHANGES));
    await near.holdsRoster(desk.digest);

    const isLive = (card: string): boolean => desk.roster.find(cardNumber(card)) !== undefined;
    const retired = random.pick(CARDS.filter((card) => before.has(card) && !isLive(card)));
    const issued = random.pick(CARDS.filter((card) => !before.has(card) && isLive(card)));
    assert.deepEqual([await far.tap(retired), await far.tap(issued)], ['granted', 'unknown-card']);
    assert.notEqual(await near.tap(retired), 'granted');
    assert.equal(await near.tap(issued), 'granted');
    assert.equal((await far.status()).status.roster.digest, digestBefore);

    cable.restore();
    await far.holdsRoster(desk.digest);
    await archive.waitForStatus(({ roster }) => roster.digest === desk.digest, 'online, with HR’s roster');
    assert.notEqual(await far.tap(retired), 'granted');
    assert.equal(await far.tap(issued), 'granted');
    for (const gateway of [near, far]) {
      await desk.archiveOf(gateway.id).waitForEvents(await gateway.lastEvent());
      desk.archiveOf(gateway.id).assertWholeLog();
    }
    const grants = [...archive.events.values()].filter(
      ({ card, event }) => card === retired && event === 'access-granted',
    );
    assert.equal(grants.length, 1, 'HR hears of what the gateway did in the dark');
    assert.deepEqual(desk.faults, []);
  });
}
