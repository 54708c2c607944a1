// The fake keeps the port's contract, so that what the application does with it holds for the real link.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CONTRACT_WILL, type HrLinkHarness, hrLinkContract } from '../contracts/hr-link.contract.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { FakeHrLink } from './fake-hr-link.ts';

/** The fake with a broker around it that lets it connect whenever it may, as the real link does by itself. */
class SelfConnectingHrLink extends FakeHrLink {
  readonly wills: string[] = [];
  /** What the broker keeps for whoever subscribes, by topic. */
  readonly kept = new Map<string, string>();
  mayConnect = true;

  override start(listener: Parameters<FakeHrLink['start']>[0]): void {
    super.start(listener);
    this.connectSoon();
  }

  override disconnect(reason?: string): void {
    if (this.isConnected()) this.wills.push(CONTRACT_WILL.payload);
    super.disconnect(reason);
    this.connectSoon();
  }

  connectSoon(): void {
    setImmediate(() => {
      if (!this.mayConnect || !this.isStarted || this.isConnected()) return;
      this.connect();
      for (const [topic, payload] of this.kept) void this.deliver(topic, payload, { retained: true });
    });
  }
}

const makeHarness = async (): Promise<HrLinkHarness> => {
  const link = new SelfConnectingHrLink();
  const fromHr: { topic: string; payload: string }[] = [];
  const received = (topic: string): string[] => [
    ...(topic === CONTRACT_WILL.topic ? link.wills : []),
    ...[...fromHr, ...link.published, ...(link.farewell ? [link.farewell] : [])]
      .filter((message) => message.topic === topic)
      .map(({ payload }) => payload),
  ];
  const block = (): void => {
    link.mayConnect = false;
    link.disconnect();
  };
  const unblock = (): void => {
    link.mayConnect = true;
    link.connectSoon();
  };
  return {
    link,
    publishToGateway: async (topic, payload, { retain = false } = {}) => {
      fromHr.push({ topic, payload });
      if (retain) link.kept.set(topic, payload);
      if (!retain || link.isConnected()) void link.deliver(topic, payload);
    },
    received,
    retained: async (topic) => received(topic).at(-1) ?? '',
    cut: () => link.disconnect(),
    block,
    unblock,
    stopBroker: async () => block(),
    startBroker: async () => unblock(),
    close: async () => {},
  };
};

hrLinkContract('FakeHrLink', makeHarness);

test('the fake tells whether a delivered message was acknowledged or refused', async () => {
  const link = new FakeHrLink();
  let isRefusing = true;
  link.start({
    onMessage: async () => {
      if (isRefusing) throw new Error('not now');
    },
    onConnect: () => {},
    onDisconnect: () => {},
  });
  link.connect();
  assert.equal(await link.deliver('a', '1'), 'refused');
  assert.equal(link.isConnected(), false);
  isRefusing = false;
  link.connect();
  assert.equal(await link.deliver('a', '2'), 'acknowledged');
});

test('the fake holds publishes until it is told to acknowledge them, and fails one on request', async () => {
  const link = new FakeHrLink();
  link.start({ onMessage: async () => {}, onConnect: () => {}, onDisconnect: () => {} });
  link.connect();
  link.failNextPublish(new Error('no room'));
  await assert.rejects(link.publish('a', '1'), /no room/);
  link.holdPublishes();
  let isSettled = false;
  const publish = link.publish('a', '2', { retain: true }).then(() => {
    isSettled = true;
  });
  link.disconnect();
  await new Promise((resolve) => setImmediate(resolve));
  assert.equal(isSettled, false);
  link.acknowledgePublishes();
  await publish;
  await waitFor(() => isSettled, 'the publish to settle');
  assert.deepEqual(link.published, [{ topic: 'a', payload: '2', retain: true }]);
});
