// HR as a process of its own, with a roster of as many cards as the second argument says, on the broker at the port of the first. Told
// `miss`, it binds ten more cards that no gateway hears of and publishes the digest. It says what it has published in pages so far.

import { Roster } from '../../src/desk/roster.ts';
import { RosterPublisher } from '../../src/desk/roster-publisher.ts';
import { parseRevision } from '../../src/domain/ids.ts';
import { digestOf, emptyRoster } from '../../src/domain/roster-digest.ts';
import { SystemClock } from '../../src/drivers/clock/system-clock.ts';
import { MqttHrLink } from '../../src/drivers/mqtt/mqtt-hr-link.ts';
import type { HrLink } from '../../src/ports/hr-link.ts';
import { deskTopicsOf } from '../../src/wire/desk-topics.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { encodeRosterDigest } from '../../src/wire/roster-messages.ts';
import { siteId } from '../domain/samples.ts';
import { linkOptions } from '../fixtures/mqtt-hr-link-harness.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { bindingAt, cardAt } from './roster-fixture.ts';

export interface DeskReport {
  /** As the gateways state it when they hold the same. */
  readonly digest: string;
  readonly pages: number;
  readonly pageBytes: number;
  readonly requests: number;
}

const SITE = siteId('hq');
const MISSED = 10;

const cardsOf = function* (count: number) {
  for (let index = 0; index < count; index++) {
    const { revision, cardholder, access, kind, activation } = bindingAt(index);
    yield { card: cardAt(index), revision, cardholder, access, kind, activation };
  }
};

const [port = 0, count = 0] = process.argv.slice(2).map(Number);
const settings = { site: SITE, cardNumberFormat: 'hex' } as const;
const roster = new Roster(settings, { epoch: 'bench', revision: parseRevision(count) ?? 0, cards: cardsOf(count) });
const topics = deskTopicsOf(SITE);
const mqtt = new MqttHrLink(linkOptions(port, { clientId: 'desk', subscriptions: [topics.rosterRequests] }));
const pages = { requests: 0, pages: 0, pageBytes: 0 };
const link: HrLink = {
  start: (listener) => mqtt.start(listener),
  isConnected: () => mqtt.isConnected(),
  reconnect: (reason) => mqtt.reconnect(reason),
  stop: (farewell) => mqtt.stop(farewell),
  publish: (topic, payload, options) => {
    if (topic.endsWith('/roster-page')) {
      pages.pages += 1;
      pages.pageBytes += Buffer.byteLength(payload);
    }
    return mqtt.publish(topic, payload, options);
  },
};
const publisher = new RosterPublisher({
  roster,
  link,
  clock: new SystemClock({ trust: 'always' }),
  seal: unsignedSeal,
  onFault: (error) => console.error(String(error)),
});
mqtt.start({
  onConnect: () => publisher.onConnect(),
  onDisconnect: () => publisher.onDisconnect(),
  onMessage: (message) => {
    if (message.topic.endsWith('/roster-request')) pages.requests += 1;
    return publisher.onMessage(message);
  },
});

const report = (): DeskReport => ({ digest: digestOf({ ...emptyRoster(), ...roster.digest() }), ...pages });

const miss = async (): Promise<void> => {
  const note = { issuedAt: '2026-11-22T09:00:00+08:00', operator: 'bench' };
  for (let index = 0; index < MISSED; index++) {
    const binding = { card: cardAt(count + index), cardholder: { id: `M${index}` }, access: [{ doors: ['front'] }] };
    roster.bind(binding, { ...note, messageId: `missed-${index}` });
  }
  await mqtt.publish(topics.rosterDigest, encodeRosterDigest(SITE, roster.digest()), { retain: true });
};

process.on('message', (request) => {
  const done = request === 'miss' ? miss() : Promise.resolve();
  void done.then(() => process.send?.(report()));
});
await waitFor(() => mqtt.isConnected(), 'the desk to be connected');
process.send?.(report());
