// What counts as a gateway's word about an operation, and what does not.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { gatewayOpenerFor } from '../../src/desk/gateway-openers.ts';
import { sha256Hex } from '../../src/domain/canonical-json.ts';
import { parsePublicKey, thumbprint } from '../../src/domain/trusted-key.ts';
import { sealWith } from '../../src/wire/signed-message.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { CLERK, type OpenDesk, openDesk, receiptFor, statusOf, taken } from '../fixtures/open-desk.ts';

const CARD = '04A2B3C4D5E680';
const topic = (gateway: string, what: string): string => `cardea/hq/gateways/${gateway}/${what}`;

const keyPair = () => {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const parsed = parsePublicKey(publicKey.export({ format: 'jwk' }).x ?? '');
  assert.ok(parsed);
  return { publicKey: parsed, seal: sealWith(privateKey, thumbprint(parsed)) };
};

/** Two gateways that are online, and one binding that neither has confirmed. */
const waitingOperation = async (t: TestContext, options: Parameters<typeof openDesk>[1] = {}) => {
  const opened = await openDesk(t, options);
  const { desk, link } = opened;
  link.connect();
  for (const gateway of ['lobby-1', 'dock-1'])
    await link.deliver(topic(gateway, 'status'), statusOf(desk, gateway, ['front']));
  await taken(desk.employees.add({ id: 'E1', name: 'Wang' }, CLERK));
  const operation = await taken(desk.cards.bind({ cardholder: 'E1', card: CARD }, CLERK));
  const proof = async () => (await desk.operation(operation.id))?.proof;
  return { ...opened, operation, proof };
};

/** Everything that waits for nothing has happened. */
const turn = () => new Promise((resolve) => setImmediate(resolve));

const digestOf = ({ desk }: OpenDesk): string => sha256Hex(desk.state.roster.digest().buckets);

describe('an operation is confirmed', () => {
  test('when every gateway has a receipt, and names those that have not', async (t) => {
    const { link, operation, proof } = await waitingOperation(t);
    await link.deliver(topic('lobby-1', 'receipt'), receiptFor(operation));
    assert.deepEqual((await proof())?.missing, ['dock-1']);
    await link.deliver(topic('dock-1', 'receipt'), receiptFor(operation, { gateway: 'dock-1', result: 'duplicate' }));
    assert.equal((await proof())?.state, 'confirmed');
  });

  test('by a roster that is equal, for a gateway whose receipt was lost', async (t) => {
    const site = await waitingOperation(t);
    const { link, operation, proof, desk } = site;
    await link.deliver(topic('lobby-1', 'receipt'), receiptFor(operation));
    await link.deliver(topic('dock-1', 'status'), statusOf(desk, 'dock-1', ['front'], { digest: digestOf(site) }));
    const after = await proof();
    assert.equal(after?.state, 'confirmed');
    assert.deepEqual(
      after?.gateways.map(({ by }) => by),
      ['receipt', 'roster'],
    );
  });

  test('by the equal roster of a later operation, for those before it', async (t) => {
    const site = await waitingOperation(t);
    const { link, desk, clock, proof } = site;
    clock.advance(1);
    await taken(desk.employees.add({ id: 'E2', name: 'Li' }, CLERK));
    const later = await taken(desk.cards.bind({ cardholder: 'E2', card: '04A2B3C4D5E681' }, CLERK));
    const roster = { revision: later.message.revision, cards: 2, digest: digestOf(site) };
    for (const gateway of ['lobby-1', 'dock-1']) {
      await link.deliver(topic(gateway, 'receipt'), receiptFor(later, { gateway, roster }));
    }
    assert.equal((await proof())?.state, 'confirmed');
  });

  test('with the doors that the new card should open and does not, also after a restart', async (t) => {
    const store = new MemoryDeskStore();
    const { link, operation, desk, clock } = await waitingOperation(t, { store });
    await link.deliver(topic('lobby-1', 'receipt'), receiptFor(operation, { doors: [] }));
    await link.deliver(topic('dock-1', 'receipt'), receiptFor(operation, { gateway: 'dock-1' }));
    assert.deepEqual(desk.standing(operation.id).closedDoors, ['lobby-1/front']);
    await desk.close();
    const again = (await openDesk(t, { store, clock })).desk;
    assert.deepEqual(again.standing(operation.id), {
      state: 'confirmed',
      gateways: [],
      missing: [],
      closedDoors: ['lobby-1/front'],
    });
    assert.deepEqual((await again.operation(operation.id))?.proof.closedDoors, ['lobby-1/front']);
  });

  test('and a card that opens nothing anywhere, by an access level that nobody knows, is told of', async (t) => {
    const { link, desk } = await waitingOperation(t);
    const operation = await taken(
      desk.cards.bind({ cardholder: 'E1', card: '04A2B3C4D5E689', access: [{ level: 'staf' }] }, CLERK),
    );
    for (const gateway of ['lobby-1', 'dock-1']) {
      await link.deliver(
        topic(gateway, 'receipt'),
        receiptFor(operation, { gateway, doors: [], warnings: ['unknown-level: staf'] }),
      );
    }
    assert.deepEqual(desk.standing(operation.id).closedDoors, ['lobby-1/front', 'dock-1/front']);
  });

  test('and stays so after a restart and when a gateway is added', async (t) => {
    const store = new MemoryDeskStore();
    const { link, operation, desk, clock } = await waitingOperation(t, { store });
    for (const gateway of ['lobby-1', 'dock-1']) {
      await link.deliver(topic(gateway, 'receipt'), receiptFor(operation, { gateway }));
    }
    await desk.close();
    const again = await openDesk(t, { store, clock });
    again.link.connect();
    await again.link.deliver(topic('new-1', 'status'), statusOf(again.desk, 'new-1', ['back']));
    assert.equal((await again.desk.operation(operation.id))?.proof.state, 'confirmed');
    assert.equal(again.desk.state.open.size, 0);
  });

  test('when the gateway that had not answered is forgotten', async (t) => {
    const { link, operation, proof, desk } = await waitingOperation(t);
    await link.deliver(topic('lobby-1', 'receipt'), receiptFor(operation));
    await desk.forgetGateway('dock-1');
    assert.equal((await proof())?.state, 'confirmed');
  });
});

describe('it is not confirmed', () => {
  test('by a receipt that says stale or rejected, by one of another message, nor by a roster that differs', async (t) => {
    const site = await waitingOperation(t);
    const { link, operation, proof, desk } = site;
    await link.deliver(topic('lobby-1', 'receipt'), receiptFor(operation, { result: 'stale' }));
    await link.deliver(topic('lobby-1', 'receipt'), receiptFor(operation, { messageId: 'another' }));
    await link.deliver(topic('lobby-1', 'receipt'), receiptFor(operation, { revision: 99 }));
    await link.deliver(
      topic('lobby-1', 'status'),
      statusOf(desk, 'lobby-1', ['front'], { revision: 99, digest: digestOf(site) }),
    );
    await link.deliver(
      topic('dock-1', 'receipt'),
      receiptFor(operation, { gateway: 'dock-1', result: 'rejected', code: 'card-in-use' }),
    );
    const { gateways, state } = (await proof()) ?? {};
    assert.deepEqual(
      gateways?.map((gateway) => gateway.state),
      ['waiting', 'refused'],
    );
    assert.equal(state, 'refused');
  });

  test('by a receipt on the topic of another gateway', async (t) => {
    const { link, operation, proof, faults } = await waitingOperation(t);
    await link.deliver(topic('dock-1', 'receipt'), receiptFor(operation));
    assert.deepEqual((await proof())?.missing, ['lobby-1', 'dock-1']);
    assert.equal(faults.length, 1);
  });

  test('while no gateway is known', async (t) => {
    const { desk, link } = await openDesk(t);
    link.connect();
    await taken(desk.employees.add({ id: 'E1', name: 'Wang' }, CLERK));
    const operation = await taken(desk.cards.bind({ cardholder: 'E1', card: CARD }, CLERK));
    assert.equal((await desk.operation(operation.id))?.proof.state, 'open');
  });

  test('in time: then it is overdue, and the message goes out again to who is online', async (t) => {
    const { link, clock, operation, proof } = await waitingOperation(t);
    const sent = (): number => link.published.filter(({ topic: to }) => to === 'cardea/hq/hr/card-bound').length;
    await turn();
    link.disconnect();
    link.connect();
    await turn();
    clock.advance(30_000);
    await turn();
    assert.equal(sent(), 2);
    assert.equal(JSON.parse(link.published.at(-1)?.payload ?? '{}').messageId, operation.message.messageId);
    clock.advance(300_000);
    assert.equal((await proof())?.state, 'overdue');
  });
});

describe('where signatures are needed', () => {
  const signedSite = async (t: TestContext) => {
    const [lobby, stranger] = [keyPair(), keyPair()];
    const open = gatewayOpenerFor(new Map([['lobby-1', lobby.publicKey]]));
    const opened = await openDesk(t, { open, areSignaturesNeeded: true });
    const { desk, link } = opened;
    link.connect();
    await link.deliver(topic('lobby-1', 'status'), await lobby.seal(statusOf(desk, 'lobby-1', ['front'])));
    await taken(desk.employees.add({ id: 'E1', name: 'Wang' }, CLERK));
    const operation = await taken(desk.cards.bind({ cardholder: 'E1', card: CARD }, CLERK));
    const stateOf = async () => (await desk.operation(operation.id))?.proof.state;
    return { ...opened, lobby, stranger, operation, stateOf };
  };

  test("only the gateway's own signature counts", async (t) => {
    const { link, lobby, stranger, operation, stateOf } = await signedSite(t);
    await link.deliver(topic('lobby-1', 'receipt'), receiptFor(operation));
    await link.deliver(topic('lobby-1', 'receipt'), await stranger.seal(receiptFor(operation)));
    assert.equal(await stateOf(), 'open');
    await link.deliver(topic('lobby-1', 'receipt'), await lobby.seal(receiptFor(operation)));
    assert.equal(await stateOf(), 'confirmed');
  });

  test('a gateway whose key is not known keeps everything unconfirmed, and is told of', async (t) => {
    const { link, lobby, desk, stranger, operation, stateOf, faults } = await signedSite(t);
    await link.deliver(topic('ghost-1', 'status'), await stranger.seal(statusOf(desk, 'ghost-1', ['front'])));
    await link.deliver(topic('lobby-1', 'receipt'), await lobby.seal(receiptFor(operation)));
    await link.deliver(topic('ghost-1', 'receipt'), await stranger.seal(receiptFor(operation, { gateway: 'ghost-1' })));
    const gateways = (await desk.operation(operation.id))?.proof.gateways.map(({ gateway, state }) => [gateway, state]);
    assert.deepEqual(gateways, [
      ['lobby-1', 'confirmed'],
      ['ghost-1', 'unverified'],
    ]);
    assert.equal(await stateOf(), 'open');
    assert.match(faults[0] ?? '', /ghost-1 is there, and its key is not/);
  });

  test('a gateway that the configuration names has to confirm before it was ever heard of', async (t) => {
    const { desk, link } = await openDesk(t, { expectedGateways: ['lobby-1'] });
    link.connect();
    await taken(desk.employees.add({ id: 'E1', name: 'Wang' }, CLERK));
    const operation = await taken(desk.cards.bind({ cardholder: 'E1', card: CARD }, CLERK));
    assert.deepEqual((await desk.operation(operation.id))?.proof.missing, ['lobby-1']);
  });

  test("the broker's word that a gateway is gone is taken, and no other unsigned one", async (t) => {
    const { link, desk } = await signedSite(t);
    await link.deliver(topic('lobby-1', 'status'), statusOf(desk, 'lobby-1', ['vault']));
    assert.deepEqual(desk.state.gateways.get('lobby-1')?.doors, ['front']);
    await link.deliver(
      topic('lobby-1', 'status'),
      JSON.stringify({ type: 'status', gateway: 'lobby-1', online: false }),
    );
    assert.equal(desk.state.gateways.get('lobby-1')?.isOnline, false);
  });
});

describe('gateways that have seen more than the desk has said', () => {
  const elsewhere = (revision: number) => ({ revision, digest: 'f'.repeat(64) });

  test('are counted on above by a desk that begins, whose empty roster takes no card from them', async (t) => {
    const store = new MemoryDeskStore();
    const { desk, link, faults, clock } = await openDesk(t, { store });
    link.connect();
    await link.deliver(topic('lobby-1', 'status'), statusOf(desk, 'lobby-1', ['front'], elsewhere(41)));
    clock.advance(3_600_000);
    await turn();
    const digests = link.published.filter(({ topic: to }) => to === 'cardea/hq/hr/roster-digest');
    assert.deepEqual(new Set(digests.map(({ payload }) => JSON.parse(payload).revision)), new Set([0]));
    await desk.close();
    const again = await openDesk(t, { store });
    await taken(again.desk.employees.add({ id: 'E1', name: 'Wang' }, CLERK));
    const operation = await taken(again.desk.cards.bind({ cardholder: 'E1', card: CARD }, CLERK));
    assert.equal(operation.message.revision, 42);
    assert.deepEqual(faults, []);
  });

  test('are told of, once, by a desk that is at work', async (t) => {
    const { desk, link, faults } = await waitingOperation(t);
    for (const revision of [41, 41]) {
      await link.deliver(topic('lobby-1', 'status'), statusOf(desk, 'lobby-1', ['front'], elsewhere(revision)));
    }
    assert.equal(desk.state.roster.revision, 1);
    assert.equal(faults.length, 1);
    assert.match(faults[0] ?? '', /lobby-1 has seen revision 41/);
  });
});

describe('a pending card that is held to an activation reader', () => {
  const activated = (revision: number, fields: object = {}): string =>
    JSON.stringify({
      ...{ type: 'event', gateway: 'lobby-1', sequence: 5, event: 'card-activated', time: '2026-01-05T08:00:01.000Z' },
      ...{ clockSynchronized: true, door: 'front', reader: 'front-in', direction: 'in', card: CARD, cardholder: 'E1' },
      ...{ bindingRevision: revision, reason: null, detail: null, previousHash: '0'.repeat(64), hash: '0'.repeat(64) },
      ...fields,
    });
  const pending = async (t: TestContext, store = new MemoryDeskStore()) => {
    const opened = await openDesk(t, { store });
    const { desk, link } = opened;
    link.connect();
    await link.deliver(topic('lobby-1', 'status'), statusOf(desk, 'lobby-1', ['front']));
    await taken(desk.employees.add({ id: 'E1', name: 'Wang' }, CLERK));
    const operation = await taken(desk.cards.bind({ cardholder: 'E1', card: CARD, isPending: true }, CLERK));
    return { ...opened, store, operation };
  };
  const activationOf = ({ desk }: OpenDesk) => {
    const card = desk.state.cards.get(CARD);
    return card?.state === 'live' ? card.activation : undefined;
  };

  test('is active at every gateway; an event of an earlier binding or of nobody does nothing', async (t) => {
    const site = await pending(t);
    const { link, operation } = site;
    const { revision } = operation.message;
    await link.deliver(topic('lobby-1', 'event'), activated(revision + 1));
    await link.deliver(topic('ghost-1', 'event'), activated(revision, { gateway: 'ghost-1' }));
    await turn();
    assert.equal(activationOf(site), 'pending');
    await link.deliver(topic('lobby-1', 'event'), activated(revision, { sequence: 6 }));
    await turn();
    assert.equal(activationOf(site), 'active');
    assert.equal(
      JSON.parse(link.published.findLast(({ topic: to }) => to.endsWith('card-bound'))?.payload ?? '{}').state,
      'active',
    );
  });

  test('is active also where the desk ended between the event and the operation', async (t) => {
    const { desk, store, operation } = await pending(t);
    await desk.close();
    const tap = {
      gateway: 'lobby-1',
      sequence: 5,
      door: 'front',
      time: '2026-01-05T08:00:01.000Z',
      event: 'card-activated',
      reason: null,
    };
    const usage = {
      card: CARD,
      bindingRevision: null,
      granted: {},
      taps: [tap],
      activatedRevision: operation.message.revision,
    };
    await store.write([{ kind: 'usage', key: CARD, value: usage }]);
    const again = await openDesk(t, { store });
    await turn();
    assert.equal(activationOf(again), 'active');
  });

  test('events that make no sense stop nothing', async (t) => {
    const { link, operation } = await pending(t);
    const { revision } = operation.message;
    for (const [index, fields] of [
      { card: 'X'.repeat(65) },
      { card: '' },
      { bindingRevision: 1.5 },
      { time: 'noon' },
      { door: 7 },
    ].entries()) {
      const event = activated(revision, { event: 'access-granted', ...fields, sequence: 10 + index });
      assert.equal(await link.deliver(topic('lobby-1', 'event'), event), 'acknowledged');
    }
  });
});
