// Signed messages over a real broker: the work of a day, HR's keys and the gateway's certificate renewed in the middle of it.

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { type TestContext, test } from 'node:test';
import type { HrMessage } from '../../src/wire/change-messages.ts';
import { binding, cardText, changed, note } from '../desk/desk-samples.ts';
import { ArchivingDesk, type ArchivingDeskOptions } from '../fixtures/archiving-desk.ts';
import type { Identity } from '../fixtures/certificate-authority.ts';
import type { GatewayArchive } from '../fixtures/gateway-archive.ts';
import { GuardedMosquitto, HR_CREDENTIALS } from '../fixtures/guarded-mosquitto.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { cardNumbers, personNumbers, RandomHistory } from '../fixtures/random-history.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';
import { type SignedTrust, signedTrust } from '../fixtures/signed-trust.ts';
import { signingKey } from '../fixtures/signing-keys.ts';
import { StormGateway } from '../fixtures/storm-gateway.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const SITE = 'hq';
const GATEWAY = 'lobby-1';
const SEED = 20_261_122;
const CHANGES = 2_000;
const OLD = signingKey('hr-2026', 'bind', 'revoke', 'roster');
const NEW = signingKey('hr-2027', 'bind', 'revoke', 'roster');

interface SignedSite {
  readonly desk: ArchivingDesk;
  readonly gateway: StormGateway;
  readonly archive: GatewayArchive;
  readonly trusting: SignedTrust['trusting'];
}

interface SiteOptions {
  /** The section `mqtt` of the gateway's configuration. */
  readonly mqtt: object;
  /** How HR connects. */
  readonly hr: Pick<ArchivingDeskOptions, 'port' | 'link'>;
}

/** HR signs with the old key, the gateway with one of its own. */
const openSite = async (t: TestContext, { mqtt, hr }: SiteOptions): Promise<SignedSite> => {
  const { trusting, open } = signedTrust(t);
  const desk = await ArchivingDesk.open({ ...hr, site: SITE, seal: OLD.seal, open });
  t.after(() => desk.close());
  const gateway = StormGateway.prepare(t, { site: SITE, gateway: GATEWAY, mqtt, trust: trusting(OLD) });
  await gateway.start();
  return { desk, gateway, archive: desk.archiveOf(GATEWAY), trusting };
};

const openOnMosquitto = async (t: TestContext): Promise<SignedSite> => {
  const broker = await Mosquitto.start();
  t.after(() => broker.close());
  return openSite(t, { mqtt: { url: `mqtt://127.0.0.1:${broker.port}` }, hr: { port: broker.port } });
};

const historyOf = ({ desk }: SignedSite): RandomHistory =>
  new RandomHistory({
    roster: desk.roster,
    random: seededRandom(SEED),
    cards: cardNumbers(500),
    people: personNumbers(200),
  });

test('a binding, its replacement and a revocation, signed by HR and answered under the gateway’s signature; then what was never sent', async (t) => {
  const { desk, gateway, archive } = await openOnMosquitto(t);
  const [oldCard, newCard, lostCard] = [cardText(1), cardText(2), cardText(3)];
  const say = async ({ message }: { readonly message: HrMessage }) => {
    const before = archive.appliedCount;
    await desk.publish([message]);
    await archive.waitForApplied(before + 1);
    const receipt = archive.receipts.get(archive.appliedBy(message.messageId)[0] ?? 0);
    return [receipt?.doors, receipt?.superseded, receipt?.roster.digest === desk.digest];
  };
  assert.deepEqual(await say(changed(desk.roster.bind(binding(oldCard, 'E1'), note()))), [['front'], [], true]);
  assert.equal(await gateway.tap(oldCard), 'granted');
  assert.deepEqual(await say(changed(desk.roster.bind(binding(newCard, 'E1'), note()))), [['front'], [oldCard], true]);
  assert.deepEqual([await gateway.tap(oldCard), await gateway.tap(newCard)], ['replaced', 'granted']);
  assert.deepEqual(await say(changed(desk.roster.revokeCard(newCard, 'stolen', note()))), [[], [], true]);
  assert.equal(await gateway.tap(newCard), 'stolen');

  changed(desk.roster.bind(binding(lostCard, 'E3'), note()));
  await desk.publish([changed(desk.roster.bind(binding(oldCard, 'E2'), note())).message]);
  await gateway.holdsRoster(desk.digest);
  assert.equal(await gateway.tap(lostCard), 'granted');

  await archive.waitForEvents(await gateway.lastEvent());
  archive.assertWholeLog();
  await gateway.process.kill();
  await waitFor(() => archive.status?.online === false, 'the last will, signed too', 60_000);
  assert.deepEqual(desk.faults, []);
});

/** Changes without a pause, some of them always under way, until there are `CHANGES` and `isOver()`. */
const stream = async ({ desk, archive }: SignedSite, history: RandomHistory, isOver: () => boolean): Promise<void> => {
  while (history.messages.length < CHANGES || !isOver()) {
    await desk.publish(history.go(50));
    const isTaken = (): boolean => history.messages.length - archive.appliedCount < 300;
    await waitFor(isTaken, 'the gateway to keep up', 60_000);
  }
};

const assertEachWasAppliedOnce = async ({ desk, gateway, archive }: SignedSite, history: RandomHistory) => {
  await archive.waitForApplied(history.messages.length);
  for (const { messageId } of history.messages) assert.equal(archive.appliedBy(messageId).length, 1, messageId);
  await gateway.holdsRoster(desk.digest);
  await archive.waitForEvents(await gateway.lastEvent());
  archive.assertWholeLog();
  assert.deepEqual(desk.faults, []);
};

test('HR’s key is replaced amid a stream of changes: none is lost, and what the old key signs afterwards is of an unknown key', async (t) => {
  const site = await openOnMosquitto(t);
  const { desk, gateway, archive, trusting } = site;
  const history = historyOf(site);
  let isReplaced = false;
  const streaming = stream(site, history, () => isReplaced);
  await archive.waitForApplied(200);
  await gateway.reload(trusting(OLD, NEW));
  desk.seal = NEW.seal;
  // The old key may go when nothing that it has signed is under way.
  const signedByOld = history.messages.length;
  await archive.waitForApplied(signedByOld);
  await gateway.reload(trusting(NEW));
  await archive.waitForApplied(signedByOld + 200);
  isReplaced = true;
  await streaming;
  await assertEachWasAppliedOnce(site, history);

  desk.seal = OLD.seal;
  const receipts = archive.receipts.size;
  await desk.repeat(history.go(1));
  await waitFor(() => archive.receipts.size > receipts, 'the answer to a message under the old key');
  const { result, code } = [...archive.receipts.values()].at(-1) ?? {};
  assert.deepEqual([result, code], ['rejected', 'unknown-key']);
});

const contentsOf = ({ cert, key }: Identity) => ({ cert: readFileSync(cert), key: readFileSync(key) });

test('the gateway’s certificate is renewed three times amid a stream of changes: each is applied once', async (t) => {
  const guarded = await GuardedMosquitto.start({
    accessList: [`user ${GATEWAY}`, 'topic read cardea/hq/hr/#', `topic readwrite cardea/hq/gateways/${GATEWAY}/+`],
  });
  t.after(() => guarded.close());
  // Made in advance, because that takes longer than the gateway needs for what is under way.
  const renewed = [1, 2, 3].map(() => contentsOf(guarded.issue(GATEWAY)));
  const files = guarded.issue(GATEWAY);
  const password = guarded.write('hr-password', HR_CREDENTIALS.password);
  const url = `mqtts://127.0.0.1:${guarded.certificatePort}`;
  const site = await openSite(t, {
    mqtt: { url, ca: guarded.ca, ...files },
    hr: {
      port: guarded.broker.port,
      link: { username: HR_CREDENTIALS.username, credentialFiles: { password } },
    },
  });
  const { gateway, archive } = site;
  const history = historyOf(site);
  const connections = (): number => gateway.process.output.split('hr link connected').length - 1;
  let isOver = false;
  const streaming = stream(site, history, () => isOver);
  for (const [index, { cert, key }] of renewed.entries()) {
    await archive.waitForApplied(archive.appliedCount + 100);
    writeFileSync(files.cert, cert);
    writeFileSync(files.key, key);
    await gateway.reload();
    await waitFor(() => connections() >= index + 2, 'a connection with the new certificate', 60_000);
  }
  isOver = true;
  await streaming;
  await assertEachWasAppliedOnce(site, history);
  const again = [...archive.receipts.values()].filter(({ result }) => result === 'duplicate');
  t.diagnostic(`${history.messages.length} changes, ${again.length} of them delivered again`);
});
