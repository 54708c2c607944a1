// When checkpoints are made, what they vouch for, and that a signature is what it says.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CheckpointKeeper, EVENTS_BETWEEN } from '../../src/app/checkpoints.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { type AccessEvent, EMPTY_LOG, memberOf } from '../../src/domain/access-event.ts';
import { CHAIN_START, checkItem } from '../../src/domain/log-chain.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import type { EventLog } from '../../src/ports/event-log.ts';
import {
  CHECKPOINT_TYP,
  type CheckpointSigner,
  checkpointIn,
  checkpointVerifier,
  readCheckpoint,
} from '../../src/wire/checkpoint.ts';
import { sealWith } from '../../src/wire/signed-message.ts';
import { GATEWAY, SITE } from '../admin/admin-bench.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';
import { signingKey } from '../fixtures/signing-keys.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const HOUR = milliseconds(3_600_000);
const KEY = signingKey('own');
const SIGNER: CheckpointSigner = { kid: 'own', sign: sealWith(KEY.privateKey, 'own', CHECKPOINT_TYP) };

const entryOf = (store: MemoryStore, sequence: number): AccessEvent[] => {
  const entry = store.entryAt(sequence);
  return entry === undefined ? [] : [entry.event];
};

interface KeeperOptions {
  /** Null for a gateway without a key. */
  readonly signer: CheckpointSigner | null;
  /** In the place of the store's. */
  readonly eventLog?: Pick<EventLog, 'tail'>;
}

const makeKeeper = ({ signer = SIGNER, eventLog }: Partial<KeeperOptions> = {}) => {
  const [clock, store, log] = [new VirtualClock(), new MemoryStore(), new RecordingLog()];
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log, lowValueDelay: milliseconds(0) });
  const configuration = (): string => 'c'.repeat(64);
  const keeper = new CheckpointKeeper({
    site: SITE,
    gateway: GATEWAY,
    writer,
    eventLog: eventLog ?? store,
    signer: signer ?? undefined,
    interval: HOUR,
    configuration,
    clock,
    log,
  });
  const events: AccessEvent[] = [];
  writer.onCommit = () => {
    keeper.onCommitted();
    while (events.length < store.tail().sequence) events.push(...entryOf(store, events.length + 1));
  };
  const record = (): void => writer.record({ event: 'door-opened', at: clock.now(), clockSynchronized: true });
  const checkpoints = (): AccessEvent[] => events.filter(({ event }) => event === 'checkpoint');
  const made = (count: number): Promise<void> => waitFor(() => checkpoints().length === count, `${count} checkpoints`);
  return { clock, store, log, writer, keeper, record, events, checkpoints, made };
};

test('a checkpoint vouches for exactly what was recorded before it, whatever is recorded meanwhile', async () => {
  const { keeper, writer, record, events, made } = makeKeeper();
  for (let n = 0; n < 3; n++) record();
  keeper.start();
  for (let n = 0; n < 3; n++) record();
  await made(1);
  await writer.idle();
  assert.equal(events.length, 7);
  const { fault } = events.reduce((state, event) => checkItem(state, { kind: 'record', event }), CHAIN_START);
  assert.equal(fault, undefined);
  assert.equal(
    events.findIndex(({ event }) => event === 'checkpoint'),
    3,
  );
});

test('a checkpoint is made at start and stop, every so many hours, and says why', async () => {
  const { keeper, clock, checkpoints, made } = makeKeeper();
  keeper.start();
  await made(1);
  clock.advance(HOUR);
  await made(2);
  keeper.stop();
  await made(3);
  clock.advance(HOUR);
  await new Promise(setImmediate);
  assert.deepEqual(
    checkpoints().map(({ reason }) => reason),
    ['start', 'time', 'stop'],
  );
});

test('a checkpoint is made after many events', async () => {
  let sequence = 5;
  const { keeper, writer, checkpoints, made } = makeKeeper({ eventLog: { tail: () => ({ ...EMPTY_LOG, sequence }) } });
  keeper.start();
  await made(1);
  sequence += EVENTS_BETWEEN - 1;
  keeper.onCommitted();
  await writer.idle();
  assert.equal(checkpoints().length, 1);
  sequence += 1;
  keeper.onCommitted();
  await made(2);
  assert.equal(checkpoints()[1]?.reason, 'count');
});

test('the signature is that of the gateway, over site, gateway, number, hash and time, and of no other kind', async () => {
  const { keeper, checkpoints, made } = makeKeeper();
  keeper.start();
  await made(1);
  const [event] = checkpoints();
  assert.ok(event);
  const { jws, upTo, hash } = checkpointIn(event) ?? {};
  assert.ok(typeof jws === 'string');
  assert.deepEqual(readCheckpoint(jws), {
    kid: 'own',
    checkpoint: { type: 'checkpoint', site: 'hq', gateway: 'demo', sequence: upTo, hash, time: event.time },
  });
  assert.equal(await checkpointVerifier([KEY.trusted])(jws), 'genuine');
  assert.equal(await checkpointVerifier([{ ...signingKey('own').trusted }])(jws), 'forged');
  assert.equal(await checkpointVerifier([signingKey('other').trusted])(jws), 'unknown-key');
  assert.equal(memberOf(event.detail, 'configuration'), 'c'.repeat(64));
  const [, payload = ''] = jws.split('.');
  const message = await KEY.seal(Buffer.from(payload, 'base64url').toString());
  assert.equal(readCheckpoint(message), undefined, 'a message that says the same is no checkpoint');
});

test('without a key the checkpoint says that nobody has signed it', async () => {
  const { keeper, checkpoints, made } = makeKeeper({ signer: null });
  keeper.start();
  await made(1);
  const [event] = checkpoints();
  assert.deepEqual([memberOf(event?.detail ?? null, 'kid'), memberOf(event?.detail ?? null, 'jws')], [null, null]);
  assert.equal(keeper.view()?.kid, null);
});

test('a store that refuses costs the checkpoint, and the next one is made in its time', async () => {
  const { keeper, clock, store, log, checkpoints, made } = makeKeeper();
  store.commitFailure = new CardeaError('store-write-failed', 'no space');
  keeper.start();
  await waitFor(
    () => log.at('warn').some(({ message }) => message === 'checkpoint could not be recorded'),
    'the warning',
  );
  assert.equal(keeper.view(), null);
  store.commitFailure = undefined;
  clock.advance(HOUR);
  await made(1);
  assert.equal(checkpoints()[0]?.reason, 'time');
  assert.equal(keeper.view()?.sequence, 0);
});
