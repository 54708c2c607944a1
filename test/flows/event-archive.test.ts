// The log of a gateway on its way into HR's archive, over a real broker, with a line that breaks.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { EventPublisher } from '../../src/app/publish-events.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { EventArchive } from '../../src/desk/event-archive.ts';
import { seconds } from '../../src/domain/units.ts';
import { SystemClock } from '../../src/drivers/clock/system-clock.ts';
import { JournalFile } from '../../src/drivers/journal/journal-file.ts';
import { MqttHrLink } from '../../src/drivers/mqtt/mqtt-hr-link.ts';
import { createLog } from '../../src/log.ts';
import { deskTopicsOf } from '../../src/wire/desk-topics.ts';
import { decodeHrMessage } from '../../src/wire/hr-messages.ts';
import { unsignedEnvelope, unsignedSeal } from '../../src/wire/message-envelope.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { EMBEDDED } from '../fixtures/embedded.ts';
import { linkOptions } from '../fixtures/mqtt-hr-link-harness.ts';
import { TcpProxy } from '../fixtures/tcp-proxy.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { GATEWAY, SITE, TOPICS } from './change-flow.ts';

const LOG = createLog('silent');
const EVENTS = 600;

test('invariant 7: every event is in the archive once and in order, and leaves the outbox, though the line breaks', async (t) => {
  const broker = await EMBEDDED.start();
  t.after(() => broker.close());
  const proxy = await TcpProxy.open(broker.port);
  t.after(() => proxy.close());
  const folder = mkdtempSync(join(tmpdir(), 'cardea-archive-'));
  t.after(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'events.ndjson');

  const journal = await JournalFile.open(file);
  const deskTopics = deskTopicsOf(SITE);
  const subscriptions = [deskTopics.events, deskTopics.statuses];
  const deskLink = new MqttHrLink(linkOptions(broker.port, { clientId: 'archive', subscriptions }));
  const archive = new EventArchive({
    site: SITE,
    journal,
    link: deskLink,
    seal: unsignedSeal,
    open: async (payload) => payload,
    onFault: (text) => assert.fail(text),
  });
  deskLink.start(archive);
  t.after(async () => {
    await deskLink.stop();
    await journal.close();
  });

  const clock = new SystemClock({ trust: 'always' });
  const store = new MemoryStore();
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log: LOG });
  const link = new MqttHrLink(linkOptions(proxy.port, { clientId: 'cardea-flow', subscriptions: [TOPICS.eventAck] }));
  const publisher = new EventPublisher({
    eventLog: store,
    link,
    topics: TOPICS,
    seal: unsignedSeal,
    resendAfter: seconds(60),
    clock,
    log: LOG,
  });
  writer.onCommit = () => publisher.wake();
  const settings = {
    site: SITE,
    gateway: GATEWAY,
    topics: TOPICS,
    cardNumberFormat: 'hex',
    envelope: unsignedEnvelope,
  } as const;
  link.start({
    onMessage: async (message) => {
      const decoded = await decodeHrMessage(message, settings);
      if (decoded.kind === 'event-ack') await publisher.acknowledge(decoded.ack.upTo);
    },
    onConnect: () => publisher.onConnect(),
    onDisconnect: () => {},
  });
  t.after(async () => {
    await publisher.stop();
    await link.stop();
  });

  for (let i = 1; i <= EVENTS; i++) {
    writer.record({ event: 'door-opened', at: clock.now(), clockSynchronized: true });
    if (i % 100 === 0) await waitFor(() => store.acknowledgedUpTo() > i - 150, 'some of it to be acknowledged');
    if (i % 150 === 0) proxy.cut();
  }
  await waitFor(() => store.acknowledgedUpTo() === EVENTS, 'all of it to be acknowledged');
  const sequences = readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => Number(JSON.parse(line).sequence));
  assert.deepEqual(
    sequences,
    Array.from({ length: EVENTS }, (_, index) => index + 1),
  );
});
