// What HR and the gateway can rely on whichever broker stands between them, with the bundled gateway as a process of its own.
// The tests share one broker and have a site each, because some brokers take ten seconds to start.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it, type TestContext } from 'node:test';
import { binding, changed, note } from '../desk/desk-samples.ts';
import type { BrokerKind, TestBroker } from '../fixtures/broker.ts';
import { numberedCard, Site } from '../fixtures/broker-site.ts';
import { Desk } from '../fixtures/desk.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const OLD_CARD = 'DEADBEEF';
const NEW_CARD = '04A2B3C4D5E680';

export const brokerContract = (kind: BrokerKind): void => {
  for (const protocolVersion of kind.protocolVersions) {
    describe(`the gateway on ${kind.name}, MQTT ${protocolVersion === 4 ? '3.1.1' : '5'}`, () => {
      let broker: TestBroker;
      let sites = 0;

      before(async () => {
        broker = await kind.start();
      });
      after(() => broker.close());

      const openSite = async (t: TestContext): Promise<Site> => {
        sites += 1;
        const site = await Site.open({ broker, protocolVersion, site: `hq-${sites}` });
        t.after(() => site.close());
        return site;
      };

      it('is told of a binding, its replacement and a revocation, and answers with doors, superseded cards and digest', async (t) => {
        const site = await openSite(t);
        await site.bind(1, OLD_CARD, 'E1001');
        const bound = await site.receiptOf('m-1');
        assert.deepEqual([bound.result, bound.doors, bound.superseded], ['applied', ['front'], []]);
        assert.deepEqual(bound.roster, { revision: 1, cards: 1, digest: digestOf({ [OLD_CARD]: 1 }) });
        assert.match((await site.gateway.cardea('tap', 'front-in', OLD_CARD)).stdout, /^granted/);

        await site.bind(2, NEW_CARD, 'E1001', { access: [{ doors: ['*'] }] });
        const replaced = await site.receiptOf('m-2');
        assert.deepEqual(replaced.doors, ['front', 'lab']);
        assert.deepEqual(replaced.superseded, [OLD_CARD]);
        assert.deepEqual(replaced.roster, { revision: 2, cards: 1, digest: digestOf({ [NEW_CARD]: 2 }) });
        assert.match((await site.gateway.cardea('tap', 'front-in', OLD_CARD)).stdout, /^denied: replaced/);
        assert.match((await site.gateway.cardea('tap', 'front-in', NEW_CARD)).stdout, /^granted/);

        await site.revoke(3, { card: NEW_CARD });
        const revoked = await site.receiptOf('m-3');
        assert.deepEqual([revoked.result, revoked.doors], ['applied', []]);
        assert.deepEqual(revoked.roster, { revision: 3, cards: 0, digest: digestOf({}) });
        assert.match((await site.gateway.cardea('tap', 'front-in', NEW_CARD)).stdout, /^denied: lost/);
      });

      it('answers a message that HR sends again, and changes nothing', async (t) => {
        const site = await openSite(t);
        for (let i = 0; i < 2; i++) await site.bind(1, OLD_CARD, 'E1001');
        await waitFor(() => site.receipts().length === 2, 'the second receipt');
        const [first, second] = site.receipts();
        assert.deepEqual([first?.result, second?.result], ['applied', 'duplicate']);
        assert.deepEqual(second?.roster, first?.roster);
      });

      it('gets the changes of an absence when it is back, in order, and answers each', async (t) => {
        const site = await openSite(t);
        await site.gateway.stop();
        const changes = numbers(500);
        await Promise.all(changes.map((revision) => site.bind(revision, OLD_CARD, 'E1001')));
        await site.startGateway();
        await site.receiptOf('m-500');
        const first = new Map(site.receipts().map(({ revision, sequence }) => [sequence, revision] as const));
        assert.deepEqual([...new Set(first.values())], changes);
        const applied = site.receipts().filter(({ result }) => result === 'applied');
        assert.equal(new Set(applied.map(({ sequence }) => sequence)).size, 500);
      });

      it('gets again what it had not acknowledged when it was killed', async (t) => {
        const site = await openSite(t);
        // Stopped in its tracks, it takes what the broker sends into its socket and acknowledges nothing.
        process.kill(site.gateway.pid ?? 0, 'SIGSTOP');
        await site.bind(1, OLD_CARD, 'E1001');
        await site.gateway.kill();
        await site.startGateway();
        assert.equal((await site.receiptOf('m-1')).result, 'applied');
      });

      it('loses no change when it is killed amid a stream of them', async (t) => {
        const site = await openSite(t);
        const changes = numbers(300);
        const publishing = Promise.all(changes.map((i) => site.bind(i, numberedCard(i), `E${i}`)));
        await waitFor(() => site.receipts().length > 0, 'the first receipt');
        await site.gateway.kill();
        await site.startGateway();
        await publishing;
        const applied = (): number => {
          const receipts = site.receipts().filter(({ result }) => result === 'applied');
          return new Set(receipts.map(({ messageId }) => messageId)).size;
        };
        await waitFor(() => applied() === 300, 'a receipt for each change', 60_000);
        const last = site.receipts().findLast(({ roster }) => roster.cards === 300);
        assert.equal(last?.roster.digest, digestOf(Object.fromEntries(changes.map((i) => [numberedCard(i), i]))));
        site.assertWholeLog();
      });

      it('keeps a retained status, which the broker replaces by the last will when the gateway dies', async (t) => {
        const site = await openSite(t);
        await retainedStatus(broker, site, true);
        await site.gateway.kill();
        await retainedStatus(broker, site, false);
        await site.startGateway();
        await retainedStatus(broker, site, true);
        assert.equal(await site.gateway.stop(), 0);
        await retainedStatus(broker, site, false);
      });

      it('publishes on its own four topics and nowhere else', async (t) => {
        const site = await openSite(t);
        const observer = await HrClient.connect({ port: broker.port, topics: ['#'] });
        t.after(() => observer.close());
        await site.bind(1, OLD_CARD, 'E1001');
        await site.hr.publish(site.topic('hr/card-bound'), 'garbage');
        await site.gateway.cardea('tap', 'front-in', OLD_CARD);
        await site.gateway.kill();
        await site.startGateway();
        await site.revoke(2, { card: OLD_CARD });
        await site.receiptOf('m-2');
        await site.gateway.stop();
        await observer.waitFor(({ topic, payload }) => isFarewell(site, topic, payload), 'the farewell');
        // Topics that begin with $ are the broker's own (MQTT 3.1.1, 4.7.2), and former sites have left retained statuses.
        const isOfThisTest = (topic: string): boolean =>
          !topic.startsWith('$') && !(topic.startsWith('cardea/') && !topic.startsWith(site.topic('')));
        const topics = new Set(observer.messages.map(({ topic }) => topic).filter(isOfThisTest));
        for (const sentByHr of ['hr/card-bound', 'hr/card-revoked']) topics.delete(site.topic(sentByHr));
        assert.deepEqual(
          [...topics].sort(),
          ['event', 'receipt', 'status'].map((name) => site.own(name)),
        );
      });

      it('refuses a retained change', async (t) => {
        const site = await openSite(t);
        await site.gateway.stop();
        await site.hr.publish(site.topic('hr/card-bound'), site.bound(1, OLD_CARD, 'E1001'), { retain: true });
        await site.startGateway();
        const isRefused = ({ code }: { readonly code: string | null }): boolean => code === 'retained-not-allowed';
        await waitFor(() => site.receipts().some(isRefused), 'the refusal', 20_000);
      });

      it('gets HR’s retained calendar when it connects, and answers it at the first time only', async (t) => {
        const site = await openSite(t);
        const push = (revision: number) =>
          site.hr.publish(site.topic('hr/calendar'), site.calendar(revision), { retain: true });
        await site.gateway.stop();
        await push(1);
        await push(2);
        await site.startGateway();
        await site.receiptOf('calendar-2');
        // What is answered behind it says that the retained copy, which comes with the subscription, is through.
        await site.bind(3, OLD_CARD, 'E1001');
        await site.receiptOf('m-3');
        const answers = (): Set<number> =>
          new Set(site.receipts().flatMap(({ messageId, sequence }) => (messageId === 'calendar-2' ? [sequence] : [])));
        const before = answers();
        await site.gateway.stop();
        await site.startGateway();
        await site.bind(4, OLD_CARD, 'E1001');
        await site.receiptOf('m-4');
        assert.deepEqual(answers(), before);
      });

      const openDesk = async (t: TestContext, { site }: Site, cards: number): Promise<Desk> => {
        const desk = await Desk.open({ site, port: broker.port });
        t.after(() => desk.close());
        for (const i of numbers(cards)) changed(desk.roster.bind(binding(numberedCard(i), `E${i}`), note()));
        return desk;
      };

      it('fills itself from HR’s roster when it is empty, and fetches what never reached it', async (t) => {
        const site = await openSite(t);
        const desk = await openDesk(t, site, 450);
        const { message } = changed(desk.roster.bind(binding(NEW_CARD, 'E1'), note()));
        await desk.publisher.publish(message);
        await site.holdsRoster(desk.digest);

        changed(desk.roster.revokeCard(numberedCard(8), 'stolen', note()));
        await desk.publisher.publish(changed(desk.roster.revokeCardholder('E9', 'left', note())).message);
        await site.holdsRoster(desk.digest);
        assert.equal((await site.gateway.cardea('tap', 'front-in', numberedCard(8))).code, 1);
        assert.deepEqual(desk.faults, []);
      });

      it('is repaired when the broker was killed and has lost a revocation that waited for it', async (t) => {
        const site = await openSite(t);
        const desk = await openDesk(t, site, 20);
        const { message } = changed(desk.roster.bind(binding(NEW_CARD, 'E1'), note()));
        await desk.publisher.publish(message);
        await site.holdsRoster(desk.digest);
        assert.match((await site.gateway.cardea('tap', 'front-in', NEW_CARD)).stdout, /^granted/);

        await site.gateway.stop();
        await desk.publisher.publish(changed(desk.roster.revokeCard(NEW_CARD, 'lost', note())).message);
        await broker.kill();
        await broker.resume({ forget: true });
        await desk.connected();
        await waitFor(() => site.hr.isConnected(), 'HR to be back');
        await site.startGateway();
        await site.holdsRoster(desk.digest);
        assert.equal((await site.gateway.cardea('tap', 'front-in', NEW_CARD)).code, 1);
      });

      const restarts = [
        ...(kind.hasMemory ? [['was restarted', { forget: false }] as const] : []),
        ['was killed and has lost its memory', { forget: true }] as const,
      ];
      for (const [what, { forget }] of restarts) {
        it(`finds its way back to a broker that ${what}, and brings the events of the outage`, async (t) => {
          const site = await openSite(t);
          await site.bind(1, OLD_CARD, 'E1001');
          await site.receiptOf('m-1');
          await site.heardEverything();
          await (forget ? broker.kill() : broker.stop());
          assert.match((await site.gateway.cardea('tap', 'front-in', OLD_CARD)).stdout, /^granted/);
          await broker.resume({ forget });
          await waitFor(() => site.hr.isConnected(), 'HR to be back');
          await site.connections(2);
          await site.bind(2, NEW_CARD, 'E1001');
          assert.deepEqual((await site.receiptOf('m-2')).superseded, [OLD_CARD]);
          site.assertWholeLog();
          assert.ok(site.events().some(({ event }) => event === 'access-granted'));
        });
      }

      if (kind.hasMemory) {
        it('gets a change that waited for it while the broker was restarted', async (t) => {
          const site = await openSite(t);
          await site.gateway.stop();
          await site.bind(1, OLD_CARD, 'E1001');
          await broker.stop();
          await broker.resume();
          await waitFor(() => site.hr.isConnected(), 'HR to be back');
          await site.startGateway();
          assert.equal((await site.receiptOf('m-1')).result, 'applied');
        });
      }
    });
  }
};

const isFarewell = (site: Site, topic: string, payload: Buffer): boolean =>
  topic === site.own('status') && payload.includes('"online":false');

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

/** Resolves when a newcomer who subscribes to the gateway's status gets a retained one that says `online`. */
const retainedStatus = async (broker: TestBroker, site: Site, online: boolean): Promise<void> => {
  const newcomer = await HrClient.connect({ port: broker.port, topics: [site.own('status')] });
  await newcomer.waitFor(
    ({ payload }) => JSON.parse(payload.toString()).online === online,
    `a status with online: ${online}`,
    20_000,
  );
  await newcomer.close();
};

/** The digest as PROTOCOL.md defines it, of live cards and their revisions. */
const digestOf = (cards: Readonly<Record<string, number>>): string => {
  const sha256 = (data: string | Uint8Array): Buffer => createHash('sha256').update(data).digest();
  const buckets = Buffer.alloc(256 * 8);
  for (const [card, revision] of Object.entries(cards)) {
    const at = sha256(card).readUInt8(0) * 8;
    const value = sha256(`${card}|${revision}`).readBigUInt64BE(0);
    buckets.writeBigUInt64BE(buckets.readBigUInt64BE(at) ^ value, at);
  }
  return sha256(buckets).toString('hex');
};
