// What every HrLink keeps, whatever it talks to: run on the fake, on the embedded broker and, in the broker tests, on mosquitto.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { CardeaError } from '../../src/errors.ts';
import type { HrLink, HrLinkListener, InboundMessage } from '../../src/ports/hr-link.ts';
import { waitFor } from '../fixtures/wait-for.ts';

export interface HrLinkHarness {
  /** Subscribed to CONTRACT_TOPICS, with CONTRACT_WILL; not started. */
  readonly link: HrLink;
  /** Resolves when the broker has it; while the link is away the broker keeps it for the link. */
  publishToGateway(topic: string, payload: string, options?: { readonly retain?: boolean }): Promise<void>;
  /** What the broker got on `topic`, wills included, in order. */
  received(topic: string): readonly string[];
  /** Resolves with the copy that the broker keeps for later subscribers, once there is one. */
  retained(topic: string): Promise<string>;
  /** Ends the connection under the link's feet; the link may connect anew at once. */
  cut(): void;
  /** Ends the connection and lets the link connect again only after unblock(). */
  block(): void;
  unblock(): void;
  /** The broker goes away, and comes back with no memory of any session. */
  stopBroker(): Promise<void>;
  startBroker(): Promise<void>;
  close(): Promise<void>;
}

export const CONTRACT_TOPICS = ['contract/hr/card-bound', 'contract/hr/card-revoked'] as const;
export const CONTRACT_WILL = { topic: 'contract/status', payload: 'gone' } as const;

const [BOUND, REVOKED] = CONTRACT_TOPICS;
const EVENTS = 'contract/event';

/** Takes notes, and handles messages as the test says; unless told otherwise, at once and well. */
class Recorder implements HrLinkListener {
  readonly messages: InboundMessage[] = [];
  readonly disconnects: string[] = [];
  connects = 0;
  busiest = 0;
  handle: (message: InboundMessage) => Promise<void> = async () => {};
  #busy = 0;

  async onMessage(message: InboundMessage): Promise<void> {
    this.messages.push(message);
    this.#busy += 1;
    this.busiest = Math.max(this.busiest, this.#busy);
    try {
      await this.handle(message);
    } finally {
      this.#busy -= 1;
    }
  }

  onConnect(): void {
    this.connects += 1;
  }

  onDisconnect(reason: string): void {
    this.disconnects.push(reason);
  }

  get payloads(): string[] {
    return this.messages.map(({ payload }) => Buffer.from(payload).toString());
  }

  /** Fails the next message so, and handles those after it well. */
  failOnce(fail: () => Promise<void>): void {
    this.handle = () => {
      this.handle = async () => {};
      return fail();
    };
  }

  /** Holds every message from now on; returns the function that lets all of them, held and to come, pass. */
  hold(): () => void {
    const waiting: (() => void)[] = [];
    this.handle = () => new Promise((resolve) => waiting.push(resolve));
    return () => {
      this.handle = async () => {};
      for (const resolve of waiting) resolve();
    };
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `message ${index}`);
const isOffline = (error: unknown): boolean => error instanceof CardeaError && error.code === 'link-offline';

export const hrLinkContract = (name: string, makeHarness: () => Promise<HrLinkHarness>): void => {
  describe(`HrLink contract: ${name}`, () => {
    let harness: HrLinkHarness;
    let recorder: Recorder;

    const connect = async (): Promise<void> => {
      harness.link.start(recorder);
      await waitFor(() => recorder.connects === 1, 'the first connection');
    };
    const until = (count: number): Promise<void> =>
      waitFor(() => recorder.messages.length >= count, `${count} messages`);

    beforeEach(async () => {
      harness = await makeHarness();
      recorder = new Recorder();
    });

    afterEach(async () => {
      await harness.link.stop();
      await harness.close();
    });

    it('connects in the background and says so once', async () => {
      assert.equal(harness.link.isConnected(), false);
      await connect();
      assert.equal(harness.link.isConnected(), true);
      assert.deepEqual(recorder.disconnects, []);
    });

    it('hands messages out in order, with topic and payload untouched, without waiting for the ones before', async () => {
      const release = recorder.hold();
      await connect();
      const payloads = numbered(15);
      for (const [index, payload] of payloads.entries()) {
        await harness.publishToGateway(index % 2 === 0 ? BOUND : REVOKED, payload);
      }
      await until(15);
      assert.equal(recorder.busiest, 15);
      release();
      assert.deepEqual(recorder.payloads, payloads);
      assert.deepEqual(
        recorder.messages.map(({ topic }) => topic),
        payloads.map((_, index) => (index % 2 === 0 ? BOUND : REVOKED)),
      );
    });

    it('hands out a bounded number of messages that are not acknowledged, and the others once there is room', async () => {
      await connect();
      const release = recorder.hold();
      const payloads = numbered(600);
      await Promise.all(payloads.map((payload) => harness.publishToGateway(BOUND, payload)));
      await until(15);
      release();
      await until(600);
      assert.deepEqual(recorder.payloads, payloads);
      assert.ok(recorder.busiest <= 257, `${recorder.busiest} at a time`);
    });

    it('delivers the backlog of an absence in order', async () => {
      await connect();
      harness.block();
      await waitFor(() => !harness.link.isConnected(), 'the link to notice');
      const payloads = numbered(100);
      for (const payload of payloads) await harness.publishToGateway(BOUND, payload);
      assert.deepEqual(recorder.payloads, []);
      harness.unblock();
      await until(100);
      assert.deepEqual(recorder.payloads, payloads);
    });

    it("tells the broker's retained copy from a live delivery", async () => {
      await harness.publishToGateway(BOUND, 'kept', { retain: true });
      await connect();
      await until(1);
      await harness.publishToGateway(REVOKED, 'live', { retain: true });
      await until(2);
      assert.deepEqual(
        recorder.messages.map(({ retained }) => retained),
        [true, false],
      );
    });

    it("gets the broker's retained copy at every connect, marked as such, also when its session is remembered", async () => {
      await harness.publishToGateway(BOUND, 'kept', { retain: true });
      await connect();
      await until(1);
      harness.cut();
      await waitFor(() => recorder.connects === 2, 'the second connection');
      await until(2);
      assert.deepEqual(recorder.payloads, ['kept', 'kept']);
      assert.deepEqual(
        recorder.messages.map(({ retained }) => retained),
        [true, true],
      );
    });

    it('acknowledges nothing before it is handled, and delivers it again only when its first handling is over', async () => {
      await connect();
      const release = recorder.hold();
      await harness.publishToGateway(BOUND, 'first');
      await harness.publishToGateway(BOUND, 'second');
      await until(2);
      harness.cut();
      await waitFor(() => recorder.connects === 2, 'the second connection');
      assert.deepEqual(recorder.payloads, ['first', 'second']);
      release();
      await until(4);
      assert.deepEqual(recorder.payloads, ['first', 'second', 'first', 'second']);
      assert.equal(recorder.busiest, 2);
    });

    it('does not acknowledge a message before those that arrived earlier', async () => {
      await connect();
      const release = recorder.hold();
      await harness.publishToGateway(BOUND, 'slow');
      await until(1);
      recorder.handle = async () => {};
      await harness.publishToGateway(BOUND, 'quick');
      await until(2);
      harness.cut();
      await waitFor(() => recorder.connects === 2, 'the second connection');
      release();
      await until(4);
      assert.deepEqual(recorder.payloads, ['slow', 'quick', 'slow', 'quick']);
    });

    it('gets again the message that failed and those behind it, handled or not, and none before it', async () => {
      await connect();
      await harness.publishToGateway(BOUND, 'before');
      await until(1);
      let fail = (): void => {};
      recorder.failOnce(
        () =>
          new Promise((_resolve, reject) => {
            fail = () => reject(new Error('the disk is full'));
          }),
      );
      await harness.publishToGateway(BOUND, 'failing');
      await harness.publishToGateway(BOUND, 'behind');
      await until(3);
      fail();
      await until(5);
      assert.deepEqual(recorder.payloads, ['before', 'failing', 'behind', 'failing', 'behind']);
      assert.equal(recorder.disconnects.length, 1);
    });

    it('does not deliver again what was acknowledged', async () => {
      await connect();
      await harness.publishToGateway(BOUND, 'first');
      await until(1);
      // The second message is handled after the acknowledgement of the first has been sent.
      await harness.publishToGateway(BOUND, 'second');
      await until(2);
      harness.cut();
      await waitFor(() => recorder.connects === 2, 'the second connection');
      await harness.publishToGateway(BOUND, 'third');
      await waitFor(() => recorder.payloads.includes('third'), 'the third message');
      assert.equal(recorder.payloads.filter((payload) => payload === 'first').length, 1);
    });

    for (const [how, fail] of [
      ['rejects', () => Promise.reject(new Error('the disk is full'))],
      [
        'throws before it returns a promise',
        () => {
          throw new Error('a mistake');
        },
      ],
    ] as const) {
      it(`drops the connection when the handler ${how}, and gets the message again before the next`, async () => {
        await connect();
        recorder.failOnce(fail);
        await harness.publishToGateway(BOUND, 'first');
        await waitFor(() => recorder.disconnects.length === 1, 'the connection to be dropped');
        await harness.publishToGateway(BOUND, 'second');
        await until(3);
        assert.deepEqual(recorder.payloads, ['first', 'first', 'second']);
        await waitFor(() => recorder.connects === 2, 'the second connection');
        assert.equal(recorder.disconnects.length, 1);
      });
    }

    it('does not acknowledge on a later connection what came by an earlier one', async () => {
      await connect();
      const releaseFirst = recorder.hold();
      await harness.publishToGateway(BOUND, 'only');
      await until(1);
      harness.cut();
      await waitFor(() => recorder.connects === 2, 'the second connection');
      releaseFirst();
      recorder.failOnce(() => Promise.reject(new Error('not this time')));
      // Had the first handling acknowledged on the second connection, the broker would not deliver a third time.
      await waitFor(() => recorder.disconnects.length === 2, 'the second delivery to be refused');
      await until(3);
      assert.deepEqual(recorder.payloads, ['only', 'only', 'only']);
      assert.equal(recorder.busiest, 1);
    });

    it('publishes when connected, and settles when the broker has it', async () => {
      await connect();
      await harness.link.publish(EVENTS, 'one');
      await harness.link.publish('contract/kept', 'two', { retain: true });
      await waitFor(() => harness.received('contract/kept').length === 1, 'the publishes to arrive');
      assert.deepEqual(harness.received(EVENTS), ['one']);
      assert.deepEqual(harness.received('contract/kept'), ['two']);
      assert.equal(await harness.retained('contract/kept'), 'two');
    });

    it('publishes many at once in order', async () => {
      await connect();
      const payloads = numbered(500);
      await Promise.all(payloads.map((payload) => harness.link.publish(EVENTS, payload)));
      await waitFor(() => harness.received(EVENTS).length === 500, 'all to arrive');
      assert.deepEqual(harness.received(EVENTS), payloads);
    });

    it('refuses to publish while it is not connected', async () => {
      await assert.rejects(harness.link.publish(EVENTS, 'before the start'), isOffline);
      await connect();
      harness.block();
      await waitFor(() => recorder.disconnects.length === 1, 'the link to notice');
      assert.equal(harness.link.isConnected(), false);
      await assert.rejects(harness.link.publish(EVENTS, 'during an outage'), isOffline);
      harness.unblock();
      await waitFor(() => recorder.connects === 2, 'the second connection');
      await harness.link.publish(EVENTS, 'afterwards');
      await waitFor(() => harness.received(EVENTS).length === 1, 'the publish to arrive');
      assert.deepEqual(harness.received(EVENTS), ['afterwards']);
    });

    it('settles a publish that was under way when the connection was cut', async () => {
      await connect();
      const publishes = numbered(30).map((payload) => harness.link.publish(EVENTS, payload));
      harness.cut();
      await Promise.all(publishes);
      await waitFor(() => new Set(harness.received(EVENTS)).size === 30, 'all to arrive');
    });

    it('settles a publish that was under way when the broker lost its memory, and subscribes anew', async () => {
      await connect();
      const publishes = numbered(30).map((payload) => harness.link.publish(EVENTS, payload));
      await harness.stopBroker();
      await waitFor(() => !harness.link.isConnected(), 'the link to notice');
      await harness.startBroker();
      await Promise.all(publishes);
      await waitFor(() => harness.link.isConnected(), 'the link to be connected');
      await harness.publishToGateway(REVOKED, 'still listening');
      await until(1);
      assert.deepEqual(recorder.payloads, ['still listening']);
    });

    it('connects anew when told to, giving the reason', async () => {
      await connect();
      harness.link.reconnect('the certificate was renewed');
      await waitFor(() => recorder.connects === 2, 'the second connection');
      assert.deepEqual(recorder.disconnects, ['the certificate was renewed']);
    });

    it('leaves its will when the connection is cut, and its farewell instead when it is stopped', async () => {
      await connect();
      harness.cut();
      await waitFor(() => harness.received(CONTRACT_WILL.topic).length === 1, 'the will');
      assert.equal(await harness.retained(CONTRACT_WILL.topic), CONTRACT_WILL.payload);
      await waitFor(() => recorder.connects === 2, 'the second connection');
      await harness.link.stop({ topic: CONTRACT_WILL.topic, payload: 'goodbye' });
      await harness.publishToGateway(BOUND, 'marker');
      await waitFor(() => harness.received(BOUND).length === 1, 'everything before the marker');
      assert.deepEqual(harness.received(CONTRACT_WILL.topic), [CONTRACT_WILL.payload, 'goodbye']);
      assert.equal(await harness.retained(CONTRACT_WILL.topic), 'goodbye');
    });

    it('waits for the messages under way before it has stopped, and hands out none after them', async () => {
      await connect();
      const release = recorder.hold();
      await harness.publishToGateway(BOUND, 'first');
      await harness.publishToGateway(BOUND, 'second');
      await until(2);
      let isStopped = false;
      const stopping = harness.link.stop().then(() => {
        isStopped = true;
      });
      await harness.publishToGateway(BOUND, 'third');
      assert.equal(isStopped, false);
      release();
      await stopping;
      assert.deepEqual(recorder.payloads, ['first', 'second']);
      assert.equal(harness.link.isConnected(), false);
      await assert.rejects(harness.link.publish(EVENTS, 'too late'), isOffline);
      await harness.link.stop();
      assert.deepEqual(recorder.disconnects, []);
    });

    it('can be stopped before it was started and while there is no broker', async () => {
      harness.block();
      harness.link.start(recorder);
      await harness.link.stop({ topic: CONTRACT_WILL.topic, payload: 'goodbye' });
      assert.equal(recorder.connects, 0);
    });
  });
};
