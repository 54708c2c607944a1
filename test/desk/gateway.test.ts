// The HR side and a whole gateway, with the real link and broker between them.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { Roster } from '../../src/desk/roster.ts';
import { RosterPublisher } from '../../src/desk/roster-publisher.ts';
import { digestOf, emptyRoster } from '../../src/domain/roster-digest.ts';
import { SystemClock } from '../../src/drivers/clock/system-clock.ts';
import { MqttHrLink } from '../../src/drivers/mqtt/mqtt-hr-link.ts';
import { startGateway } from '../../src/gateway.ts';
import { deskTopicsOf } from '../../src/wire/desk-topics.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { linkOptions } from '../fixtures/mqtt-hr-link-harness.ts';
import { freePort } from '../fixtures/server-process.ts';
import { simulatedConfig } from '../fixtures/simulated-config.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { binding, cardText, changed, note, rosterOf, SETTINGS } from './desk-samples.ts';

const startSite = async (t: TestContext) => {
  const port = await freePort();
  const { config } = simulatedConfig(t, port);
  const gateway = await startGateway(config);
  t.after(() => gateway.stop('the test is over'));
  return { gateway, port };
};

const startDesk = (t: TestContext, roster: Roster, port: number) => {
  const subscriptions = [deskTopicsOf(SETTINGS.site).rosterRequests];
  const link = new MqttHrLink(linkOptions(port, { clientId: 'hr-desk', subscriptions }));
  const clock = new SystemClock({ trust: 'always' });
  const faults: unknown[] = [];
  const publisher = new RosterPublisher({
    roster,
    link,
    clock,
    seal: unsignedSeal,
    onFault: (error) => faults.push(error),
  });
  t.after(async () => {
    publisher.stop();
    await link.stop();
  });
  link.start(publisher);
  return { link, publisher, faults };
};

const digest = (roster: Roster): string => digestOf({ ...emptyRoster(), ...roster.digest() });

test('an empty gateway fills itself with HR’s roster, takes changes, and fetches what it was never sent', async (t) => {
  const { gateway, port } = await startSite(t);
  const roster = rosterOf(450);
  const { link, publisher, faults } = startDesk(t, roster, port);
  const holdsTheRoster = (): boolean => gateway.describe().roster.digest === digest(roster);
  await waitFor(() => link.isConnected() && holdsTheRoster(), 'the gateway to hold the roster');

  const replacement = changed(roster.bind(binding('04A2B3C4D5E680', 'E7'), note()));
  assert.deepEqual(replacement.stopped, [cardText(7)]);
  await publisher.publish(replacement.message);
  await waitFor(holdsTheRoster, 'the replacement at the gateway');

  changed(roster.revokeCard(cardText(8), 'lost', note()));
  const { message } = changed(roster.revokeCardholder('E9', 'left', note()));
  await publisher.publish(message);
  await waitFor(holdsTheRoster, 'the revocation that was never published at the gateway');
  assert.deepEqual([gateway.describe().roster.cards, faults], [448, []]);
});
