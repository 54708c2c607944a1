// A lost card is replaced over a real broker: the desk as a service, two gateways as processes of their own, everything signed, and
// one or the other of them down for a while.

import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import type { LockdownAnswer, OperationView, StatusAnswer } from '../../src/desk-api/contract.ts';
import { askUntil, type DeskApi, DeskService } from '../fixtures/desk-service.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { gatewayKey } from '../fixtures/signed-trust.ts';
import { StormGateway } from '../fixtures/storm-gateway.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const [OLD, NEW, NEWEST] = ['04A2B3C4D5E680', '04A2B3C4D5E681', '04A2B3C4D5E682'];

interface DeskSite {
  readonly desk: DeskService;
  readonly clerk: DeskApi;
  readonly security: DeskApi;
  readonly lobby: StormGateway;
  readonly garage: StormGateway;
  /** What the desk has published for gateways to read. */
  readonly published: () => readonly Buffer[];
}

/** Wang with one card, at a site of two gateways with one door each. */
const openSite = async (t: TestContext): Promise<DeskSite> => {
  const broker = await Mosquitto.start();
  t.after(() => broker.close());
  const keys = { 'lobby-1': gatewayKey(t), 'garage-1': gatewayKey(t) };
  const desk = new DeskService(t, {
    folder: temporaryFolder(t),
    port: broker.port,
    trust: { messages: 'signed' },
    gateways: {
      'lobby-1': { publicKey: keys['lobby-1'].publicKey },
      'garage-1': { publicKey: keys['garage-1'].publicKey },
    },
  });
  const trusted = Object.fromEntries((await desk.keys()).map(({ kid, publicKey, may }) => [kid, { publicKey, may }]));
  const gateway = (id: keyof typeof keys, door: string): StormGateway =>
    StormGateway.prepare(t, {
      site: 'hq',
      gateway: id,
      mqtt: { url: `mqtt://127.0.0.1:${broker.port}` },
      trust: { messages: 'signed', keys: trusted, gatewayKeyFile: keys[id].file },
      doors: { [door]: { strike: {} } },
      readers: { [`${door}-in`]: { door, driver: 'simulated' } },
      events: { acknowledgement: 'application', resendAfterSeconds: 5 },
    });
  const [lobby, garage] = [gateway('lobby-1', 'front'), gateway('garage-1', 'gate')];
  const hr = await HrClient.connect({
    port: broker.port,
    topics: ['cardea/hq/hr/#', 'cardea/hq/gateways/+/event-ack'],
  });
  t.after(() => hr.close());
  await Promise.all([desk.start(), lobby.start(), garage.start()]);
  const { clerk, security } = await desk.staff('clerk', 'security');
  await askUntil(
    () => clerk.status(),
    ({ gateways }) => gateways.filter(({ isOnline, isVerified }) => isOnline && isVerified).length === 2,
  );
  await clerk.post('/v1/employees', { id: 'E1001', name: '王小明' });
  const bound = await clerk.post<OperationView>('/v1/bindings', { cardholder: 'E1001', card: OLD });
  assert.equal((await clerk.operation(bound.operation.id, 60)).proof.state, 'confirmed');
  const published = () => hr.messages.map(({ payload }) => payload);
  return { desk, clerk, security, lobby, garage, published };
};

const untilOffline = (api: DeskApi): Promise<StatusAnswer> =>
  askUntil(
    () => api.status(),
    ({ gateways }) => gateways.some(({ isOnline }) => !isOnline),
  );

const replace = (clerk: DeskApi, newCard: string | undefined): Promise<OperationView> =>
  clerk.post('/v1/replacements', { cardholder: 'E1001', newCard, reason: 'lost' });

const gatewayIn = ({ proof }: OperationView, name: string) => proof.gateways.find(({ gateway }) => gateway === name);

/** The first granted taps of the new card, and those of the old one. */
const tapsIn = ({ proof }: OperationView) =>
  proof.gateways.flatMap(({ doors, oldCardTaps }) => [
    ...doors.flatMap(({ firstGranted }) => firstGranted ?? []),
    ...oldCardTaps,
  ]);

test('a replacement is complete when both gateways have said so, not before, and shows what the cards do at the doors', async (t) => {
  const { clerk, lobby, garage, published } = await openSite(t);
  assert.equal(await lobby.tap(OLD ?? '', 'front-in'), 'granted');
  await garage.process.stop();
  await untilOffline(clerk);

  const { operation } = await replace(clerk, NEW);
  assert.deepEqual(operation.stoppedCards, [OLD]);
  const halfway = await askUntil(
    () => clerk.operation(operation.id),
    (view) => gatewayIn(view, 'lobby-1')?.state === 'confirmed',
  );
  assert.equal(halfway.proof.state, 'open');
  assert.deepEqual(halfway.proof.missing, ['garage-1']);
  assert.equal(gatewayIn(halfway, 'lobby-1')?.isVerified, true);
  assert.equal(gatewayIn(halfway, 'garage-1')?.isOnline, false);
  assert.deepEqual(gatewayIn(halfway, 'lobby-1')?.doors, [
    { door: 'front', isExpected: true, opens: true, firstGranted: null },
  ]);

  assert.equal(await lobby.tap(OLD ?? '', 'front-in'), 'replaced');
  assert.equal(await lobby.tap(NEW ?? '', 'front-in'), 'granted');
  await garage.start();
  const whole = await clerk.operation(operation.id, 60);
  assert.equal(whole.proof.state, 'confirmed');
  assert.deepEqual(
    whole.proof.gateways.map(({ gateway, state, isVerified }) => [gateway, state, isVerified].join(' ')).sort(),
    ['garage-1 confirmed true', 'lobby-1 confirmed true'],
  );
  assert.equal(await garage.tap(OLD ?? '', 'gate-in'), 'replaced');
  assert.equal(await garage.tap(NEW ?? '', 'gate-in'), 'granted');

  const shown = await askUntil(
    () => clerk.operation(operation.id),
    (view) => tapsIn(view).length === 4,
  );
  assert.equal(gatewayIn(shown, 'lobby-1')?.doors[0]?.firstGranted?.event, 'access-granted');
  assert.deepEqual(
    gatewayIn(shown, 'garage-1')?.oldCardTaps.map(({ card, event, reason }) => [card, event, reason]),
    [[OLD, 'access-denied', 'replaced']],
  );
  // The gateways may forget what is stored here.
  await lobby.waitUntil(({ status }) => status.outbox.pending === 0, 'told that its events are stored');
  assert.ok(published().length > 5);
  for (const payload of published()) assert.match(payload.toString('latin1'), /^eyJ[\w-]+\.[\w-]+\.[\w-]{86}$/);
});

test('what gateways tell while the desk is down it knows when it is back', async (t) => {
  const { desk, clerk, lobby, garage } = await openSite(t);
  await garage.process.stop();
  const { operation } = await replace(clerk, NEW);
  assert.deepEqual((await clerk.operation(operation.id, 5)).proof.missing.includes('garage-1'), true);
  assert.equal(await desk.stop(), 0);

  await garage.start();
  await garage.waitUntil(({ status }) => status.roster.revision === operation.message.revision, 'told by the broker');
  assert.equal(await garage.tap(NEW ?? '', 'gate-in'), 'granted');
  assert.equal(await lobby.tap(OLD ?? '', 'front-in'), 'replaced');

  await desk.start();
  const view = await clerk.operation(operation.id, 60);
  assert.equal(view.proof.state, 'confirmed');
  assert.equal(gatewayIn(view, 'garage-1')?.isVerified, true);
  await askUntil(
    () => clerk.operation(operation.id),
    (later) => tapsIn(later).length === 2,
  );
  // And what was begun goes on as if nothing had been.
  const next = await replace(clerk, NEWEST);
  assert.equal(next.operation.message.revision, operation.message.revision + 1);
  assert.equal((await clerk.operation(next.operation.id, 60)).proof.state, 'confirmed');
});

test('security locks the whole site down and ends that; a gateway that is away is named', async (t) => {
  const { clerk, security, lobby, garage } = await openSite(t);
  const locked = await security.post<LockdownAnswer>('/v1/lockdowns', { reason: 'alarm at the gate' });
  assert.deepEqual(
    locked.receipts.map(({ gateway, result, doors }) => [gateway, result, ...doors]),
    [
      ['garage-1', 'applied', 'gate'],
      ['lobby-1', 'applied', 'front'],
    ],
  );
  assert.deepEqual([...locked.missing, ...locked.offline], []);
  assert.equal(await garage.tap(OLD ?? '', 'gate-in'), 'lockdown');

  await garage.process.stop();
  await untilOffline(clerk);
  const ended = await security.post<LockdownAnswer>('/v1/lockdowns', { reason: 'over', end: true });
  assert.deepEqual(
    ended.receipts.map(({ gateway, result }) => [gateway, result]),
    [['lobby-1', 'applied']],
  );
  assert.deepEqual([ended.missing, ended.offline], [[], ['garage-1']]);
  assert.equal(await lobby.tap(OLD ?? '', 'front-in'), 'granted');
  const { status, body } = await clerk.request('POST', '/v1/lockdowns', { body: { reason: 'no business of mine' } });
  assert.deepEqual([status, body.code], [403, 'not-permitted']);
});

test('a second desk on the same records is told so, and the first goes on', async (t) => {
  const broker = await Mosquitto.start();
  t.after(() => broker.close());
  const folder = temporaryFolder(t);
  const first = new DeskService(t, { folder, port: broker.port });
  await first.start();
  const second = new DeskService(t, { folder, port: broker.port });
  const child = second.launch();
  await waitFor(() => child.exitCode !== null, 'the second desk to end', 30_000);
  assert.equal(child.exitCode, 1);
  assert.match(second.output, /cardea: another desk works with .*store; end it first/);
  const { admin } = await first.staff('admin');
  assert.equal((await admin.status()).isConnected, true);
});
