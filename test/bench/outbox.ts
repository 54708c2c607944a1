// What the log and the outbox take: events recorded with sync, and a hundred thousand of them told to mosquitto after an outage.

import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { connectAsync } from 'mqtt';
import { EventPublisher } from '../../src/app/publish-events.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { SystemClock } from '../../src/drivers/clock/system-clock.ts';
import type { LevelStore } from '../../src/drivers/level/level-store.ts';
import { MqttHrLink } from '../../src/drivers/mqtt/mqtt-hr-link.ts';
import { createLog } from '../../src/log.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { subscriptionsOf, topicsOf } from '../../src/wire/topics.ts';
import { cardholderId, cardNumber, doorId, gatewayId, readerId, revision, siteId } from '../domain/samples.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { linkOptions } from '../fixtures/mqtt-hr-link-harness.ts';
import { openTestStore } from '../fixtures/test-store.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import type { Figure } from './figures.ts';

const LOG = createLog('silent');
const GATEWAY = gatewayId('bench');
const TOPICS = topicsOf(siteId('hq'), GATEWAY);
const CLOCK = new SystemClock({ trust: 'always' });
/** Events recorded at once, within what the writer lets wait. */
const BURST = 5_000;
/** Messages in flight in the baseline. */
const BARE_WINDOW = 1_000;

export const measureOutbox = async (events: number): Promise<readonly Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const store = await openTestStore(join(folder, 'store'));
  const recorded = await fillLog(store, events);
  const payload = JSON.stringify(store.entryAt(events)?.event);
  const bareWrites = await measureBareWrites(join(folder, 'bare'), { count: events, value: payload });
  const broker = await Mosquitto.start({ settings: ['set_tcp_nodelay true', 'max_inflight_messages 1000'] });
  const drained = await drain(store, broker.port);
  const barePublishes = await measureBarePublishes(broker.port, { count: events, payload });
  await broker.close();
  await store.close();
  rmSync(folder, { recursive: true });
  const rate = (milliseconds: number): string => `${Math.round(events / (milliseconds / 1000))}/s`;
  return [
    {
      what: `${events} events to the log, synced, ${BURST} at a time`,
      median: rate(recorded),
      p99: '',
      baseline: `bare synced batches of 128: ${rate(bareWrites)}`,
      aim: '',
    },
    {
      what: `${events} events to mosquitto after an outage`,
      median: `${(drained / 1000).toFixed(2)} s, ${rate(drained)}`,
      p99: '',
      baseline: `bare mqtt.js, ${BARE_WINDOW} in flight: ${(barePublishes / 1000).toFixed(2)} s, ${rate(barePublishes)}`,
      aim: '100,000 under 5 s',
    },
  ];
};

const fillLog = async (store: LevelStore, count: number): Promise<number> => {
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock: CLOCK, log: LOG });
  const start = performance.now();
  for (let done = 0; done < count; done += BURST) {
    for (let i = 0; i < BURST; i++) {
      writer.record({
        event: 'access-granted',
        at: CLOCK.now(),
        clockSynchronized: true,
        door: doorId('front'),
        reader: readerId('front-in'),
        direction: 'in',
        card: cardNumber('04A2B3C4D5E680'),
        cardholder: cardholderId('E1001'),
        bindingRevision: revision(1042),
      });
    }
    await writer.idle();
  }
  return performance.now() - start;
};

const drain = async (store: LevelStore, port: number): Promise<number> => {
  const link = new MqttHrLink(linkOptions(port, { clientId: 'cardea-bench', subscriptions: subscriptionsOf(TOPICS) }));
  const publisher = new EventPublisher({
    eventLog: store,
    link,
    topics: TOPICS,
    seal: unsignedSeal,
    clock: CLOCK,
    log: LOG,
  });
  let start = 0;
  link.start({
    onMessage: async () => {},
    onConnect: () => {
      start = performance.now();
      publisher.onConnect();
    },
    onDisconnect: () => {},
  });
  await waitFor(() => store.acknowledgedUpTo() === store.tail().sequence, 'everything to be sent', 120_000);
  const took = performance.now() - start;
  await publisher.stop();
  await link.stop();
  return took;
};

interface Load {
  readonly count: number;
}

const measureBareWrites = async (
  location: string,
  { count, value }: Load & { readonly value: string },
): Promise<number> => {
  const db = new Level<string, string>(location);
  await db.open();
  const start = performance.now();
  for (let done = 0; done < count; done += 128) {
    const batch = db.batch();
    for (let i = 0; i < 128; i++) batch.put(String(done + i).padStart(14, '0'), value);
    await batch.write({ sync: true });
  }
  const took = performance.now() - start;
  await db.close();
  return took;
};

const measureBarePublishes = async (
  port: number,
  { count, payload }: Load & { readonly payload: string },
): Promise<number> => {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
  const start = performance.now();
  let sent = 0;
  let acknowledged = 0;
  await new Promise<void>((resolve) => {
    const send = (): void => {
      while (sent < count && sent - acknowledged < BARE_WINDOW) {
        sent += 1;
        client.publish(TOPICS.event, payload, { qos: 1 }, () => {
          acknowledged += 1;
          if (acknowledged === count) resolve();
          else if (sent - acknowledged <= BARE_WINDOW / 2) send();
        });
      }
    };
    send();
  });
  const took = performance.now() - start;
  await client.endAsync(true);
  return took;
};
