// `cardea audit verify` over logs in files and over a gateway's own: what it finds, what it says, and how it exits.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { type AccessEvent, EMPTY_LOG, type LogTail, memberOf } from '../../src/domain/access-event.ts';
import { parseGatewayId } from '../../src/domain/ids.ts';
import { thumbprint } from '../../src/domain/trusted-key.ts';
import { CHECKPOINT_TYP } from '../../src/wire/checkpoint.ts';
import { sealWith } from '../../src/wire/signed-message.ts';
import { chain, type LogEvent } from '../fixtures/random-log.ts';
import { type SigningKey, signingKey } from '../fixtures/signing-keys.ts';
import { folderFor, run, startBench } from './cli-bench.ts';

const OURS = signingKey('ours');
const FORGERS = signingKey('forgers');

/** Records 1 to `count`, with a signed checkpoint in each of the numbers `checkpoints`. */
const makeLog = async (
  count: number,
  checkpoints: readonly number[],
  key = OURS,
  who = 'ada',
): Promise<AccessEvent[]> => {
  const log: AccessEvent[] = [];
  let last: LogTail = EMPTY_LOG;
  while (last.sequence < count) {
    const event: LogEvent = checkpoints.includes(last.sequence + 1)
      ? { event: 'checkpoint', detail: await checkpointDetail(last, key) }
      : { event: 'operator-action', detail: { action: 'x', operator: who } };
    const record = chain(last, event);
    log.push(record);
    last = record;
  }
  return log;
};

const checkpointDetail = async ({ sequence, hash }: LogTail, { privateKey, trusted }: SigningKey) => {
  const kid = thumbprint(trusted.publicKey);
  const claim = {
    type: 'checkpoint',
    site: 'hq',
    gateway: 'lobby-1',
    sequence,
    hash,
    time: '2026-01-05T12:00:00.000Z',
  };
  return { upTo: sequence, hash, kid, jws: await sealWith(privateKey, kid, CHECKPOINT_TYP)(JSON.stringify(claim)) };
};

const jwsIn = (event: AccessEvent | undefined): string => {
  const jws = memberOf(event?.detail ?? null, 'jws');
  assert.ok(typeof jws === 'string');
  return jws;
};

const linesOf = (log: readonly unknown[]): string => log.map((event) => `${JSON.stringify(event)}\n`).join('');

const makeDesk = (t: TestContext) => {
  const folder = folderFor(t);
  const save = (name: string, text: string): string => {
    const file = join(folder, name);
    writeFileSync(file, text);
    return file;
  };
  const verify = (log: readonly unknown[], ...args: string[]) =>
    run(['audit', 'verify', '--file', save('events.ndjson', linesOf(log)), ...args]);
  return { save, verify };
};

test('a log that was saved is verified without a gateway', async (t) => {
  const { verify } = makeDesk(t);
  const { code, output } = await verify(await makeLog(9, [4, 8]), '--key', OURS.trusted.publicKey);
  assert.equal(code, 0);
  assert.match(output, /^records 1 to 9 of gateway lobby-1: nothing is wrong\n/);
  assert.match(output, /2 checkpoints, signed up to record 7; 2 records after it/);
});

test('the first record that is wrong is named, and the command fails', async (t) => {
  const { verify } = makeDesk(t);
  const log = await makeLog(9, []);
  const altered = { ...log[4], time: '2020-01-01T00:00:00.000Z' };
  const { code, output } = await verify([...log.slice(0, 4), altered, ...log.slice(5)]);
  assert.equal(code, 1);
  assert.match(output, /^WRONG at record 5 \(altered\): /);
  assert.match((await verify(log.toSpliced(2, 1))).output, /^WRONG at record 3 \(missing\): record 3 is missing/);
  assert.match((await verify([...log, 'garbage'])).output, /^WRONG at record 10 \(unreadable\)/);
  const json = await verify(log.toSpliced(2, 1), '--json');
  assert.deepEqual(JSON.parse(json.output).fault, { kind: 'missing', sequence: 3, message: 'record 3 is missing' });
});

test('a log that was forged and hashed anew passes without a key, and not with it', async (t) => {
  const { save, verify } = makeDesk(t);
  const forged = await makeLog(9, [8], FORGERS, 'mallory');
  assert.equal((await verify(forged)).code, 0);
  const pem = OURS.publicKey.export({ type: 'spki', format: 'pem' }).toString();
  for (const key of [OURS.trusted.publicKey, save('gateway.pem', pem)]) {
    const { code, output } = await verify(forged, '--key', key);
    assert.equal(code, 1);
    assert.match(output, /WRONG at record 8 \(not-signed\)/);
  }
  const bare = await verify(await makeLog(9, [], FORGERS, 'mallory'), '--key', OURS.trusted.publicKey);
  assert.match(bare.output, /WRONG at record 1 \(not-signed\): no checkpoint in these records/);
});

test('a signature of the true log does not vouch for the forged one, and one that was touched vouches for nothing', async (t) => {
  const { verify } = makeDesk(t);
  const genuine = await makeLog(8, [8]);
  const forged = await makeLog(7, [], FORGERS, 'mallory');
  const last = forged.at(-1) ?? EMPTY_LOG;
  const detail = { upTo: 7, hash: last.hash, kid: 'x', jws: jwsIn(genuine[7]) };
  const copied = await verify([...forged, chain(last, { event: 'checkpoint', detail })]);
  assert.match(copied.output, /WRONG at record 8 \(contradicted\): .* signed for something else/);
  const [header = '', payload = ''] = jwsIn(genuine[7]).split('.');
  const broken = { ...detail, hash: genuine[6]?.hash ?? '', jws: `${header}.${payload}.${'A'.repeat(86)}` };
  const touched = [...genuine.slice(0, 7), chain(genuine[6] ?? EMPTY_LOG, { event: 'checkpoint', detail: broken })];
  assert.match(
    (await verify(touched, '--key', OURS.trusted.publicKey)).output,
    /WRONG at record 8 \(not-signed\): .*wrong/,
  );
});

test('a log whose end was cut off fails against a checkpoint that was kept, in whatever form it was kept', async (t) => {
  const { save, verify } = makeDesk(t);
  const log = await makeLog(12, [4, 9]);
  const kept = [
    save('event.json', JSON.stringify(log[8], null, 2)),
    save('events.ndjson.kept', linesOf(log.slice(2, 9))),
    save('checkpoint.jws', `${jwsIn(log[8])}\n`),
  ];
  for (const file of kept) {
    assert.equal((await verify(log, '--checkpoint', file)).code, 0);
    const { code, output } = await verify(log.slice(0, 7), '--checkpoint', file);
    assert.equal(code, 1);
    assert.match(output, /WRONG at record 8 \(truncated\): the log ends with record 7, and .* vouches for record [89]/);
  }
  const justBefore = await verify(log.slice(0, 8), '--checkpoint', kept[0] ?? '');
  assert.match(justBefore.output, /WRONG at record 9 \(truncated\)/);
});

test('a kept checkpoint finds the log that was hashed anew, also without a key', async (t) => {
  const { save, verify } = makeDesk(t);
  const log = await makeLog(9, [6]);
  const file = save('kept.json', JSON.stringify(log[5]));
  const { code, output } = await verify(await makeLog(9, [6], FORGERS, 'mallory'), '--checkpoint', file);
  assert.equal(code, 1);
  assert.match(output, /WRONG at record 5 \(contradicted\): record 5 is not the one that .*kept\.json vouches for/);
});

test('what was kept has to be a checkpoint, and unaltered', async (t) => {
  const { save, verify } = makeDesk(t);
  const log = await makeLog(6, [5]);
  const none = await verify(log, '--checkpoint', save('none.json', linesOf(log.slice(0, 3))));
  assert.equal(none.code, 1);
  assert.match(none.errors, /holds no checkpoint/);
  const altered = save('altered.json', JSON.stringify({ ...log[4], time: '2020-01-01T00:00:00.000Z' }));
  assert.match((await verify(log, '--checkpoint', altered)).errors, /checkpoint 5 in .* was altered/);
  assert.match((await verify(log, '--checkpoint', save('gone', '').concat('x'))).errors, /is not there/);
});

test('a part of the log is verified by itself; kept hashes outside it are told and do not count', async (t) => {
  const { save, verify } = makeDesk(t);
  const log = await makeLog(12, [4, 9]);
  const file = save('kept.json', JSON.stringify(log[3]));
  const { code, output } = await verify(log, '--from', '6', '--to', '10', '--checkpoint', file);
  assert.equal(code, 0);
  assert.match(output, /^records 6 to 10 /);
  assert.match(output, /2 kept hashes are of other records/);
  assert.match((await verify(log, '--to', '20')).output, /the log ends with record 12, before record 20/);
  assert.equal((await verify(log, '--from', 'x')).code, 2);
});

test("a gateway's own log is verified over its socket, up to a record that cannot be read and on past it", async (t) => {
  const { bench, cardea } = await startBench(t);
  await bench.fillLog(250);
  const whole = await cardea('audit', 'verify');
  assert.equal(whole.code, 0);
  assert.match(whole.output, /^records 1 to 250 of gateway demo: nothing is wrong/);
  bench.store.garbleEntry(120);
  const { code, output } = await cardea('audit', 'verify');
  assert.equal(code, 1);
  assert.match(output, /^WRONG at record 120 \(unreadable\)/);
  assert.equal((await cardea('audit', 'verify', '--from', '121')).code, 0);
});

test('records that the gateway has lost at the beginning or at the end of its log are missing', async (t) => {
  const { bench, cardea } = await startBench(t);
  await bench.fillLog(150);
  bench.store.removeEntries(1, 3);
  assert.match((await cardea('audit', 'verify')).output, /^WRONG at record 1 \(missing\): .* between 1 and 3/);
  assert.equal((await cardea('audit', 'verify', '--from', '4')).code, 0);
  const last = bench.store.tail().sequence;
  bench.store.tail = () => ({ sequence: last + 2, hash: '' });
  const { code, output } = await cardea('audit', 'verify', '--from', '4');
  assert.equal(code, 1);
  assert.match(output, /^WRONG at record 151 \(truncated\): the log ends with record 150, before record 152/);
});

test('where there is no record, nothing is found to be right', async (t) => {
  const { verify } = makeDesk(t);
  const log = await makeLog(9, []);
  for (const result of [await verify([]), await verify(log, '--from', '10')]) {
    assert.equal(result.code, 1);
    assert.match(result.output, /^WRONG at record 1 \(truncated\): there is no record/);
  }
  assert.equal((await verify(log, '--from', '8', '--to', '3')).code, 2);
});

test('a gap that is declared after the last signature passes without a key, and not with it', async (t) => {
  const { verify } = makeDesk(t);
  const log = await makeLog(20, [20]);
  const last = log.at(-1) ?? EMPTY_LOG;
  const declared = chain(last, { event: 'store-damaged', detail: { reason: 'x', missing: { from: 10, to: 12 } } });
  const cut = [...log.slice(0, 9), ...log.slice(12), declared];
  assert.match((await verify(cut)).output, /a gap is declared: records 10 to 12 were lost/);
  const { code, output } = await verify(cut, '--key', OURS.trusted.publicKey);
  assert.equal(code, 1);
  assert.match(output, /^WRONG at record 21 \(not-signed\): record 21 says that others are gone for good/);
  const vouched = [...cut, chain(declared, { event: 'checkpoint', detail: await checkpointDetail(declared, OURS) })];
  assert.equal((await verify(vouched, '--key', OURS.trusted.publicKey)).code, 0);
});

test('in the archive of a site the log of one gateway is verified, whatever the others have', async (t) => {
  const { verify } = makeDesk(t);
  const log = await makeLog(9, [4, 8]);
  const garage = parseGatewayId('garage');
  assert.ok(garage);
  const theirs = chain(EMPTY_LOG, { event: 'access-denied', detail: null }, garage);
  const after = chain(theirs, { event: 'access-denied', detail: null }, garage);
  const site = [...log.slice(0, 3), theirs, ...log.slice(3), { ...after, time: '2020-01-01T00:00:00.000Z' }];
  assert.match((await verify(site)).output, /^WRONG at record 1 \(foreign\): record 1 is of gateway garage/);
  const ours = await verify(site, '--gateway', 'lobby-1', '--key', OURS.trusted.publicKey);
  assert.equal(ours.code, 0, ours.output);
  assert.match(ours.output, /^records 1 to 9 of gateway lobby-1: nothing is wrong\n/);
  assert.match((await verify(site, '--gateway', 'garage')).output, /^WRONG at record 2 \(altered\)/);
  assert.match(
    (await verify(site, '--gateway', 'attic')).output,
    /^WRONG at record 1 \(truncated\): there is no record/,
  );
  const live = await run(['audit', 'verify', '--gateway', 'lobby-1']);
  assert.equal(live.code, 2);
  assert.match(live.errors, /--gateway goes with --file/);
});

test("the archive of a whole site serves for each gateway's log; one without a word of the gateway does not", async (t) => {
  const { save, verify } = makeDesk(t);
  const log = await makeLog(9, [4, 9]);
  const gateway = parseGatewayId('garage');
  assert.ok(gateway);
  const theirs = chain(
    EMPTY_LOG,
    { event: 'checkpoint', detail: { upTo: 0, hash: EMPTY_LOG.hash, jws: null } },
    gateway,
  );
  const site = save('site.ndjson', linesOf([theirs, ...log]));
  assert.equal((await verify(log, '--checkpoint', site)).code, 0);
  assert.match((await verify(log.slice(0, 7), '--checkpoint', site)).output, /WRONG at record 8 \(truncated\)/);
  const other = save('other.ndjson', linesOf([theirs]));
  assert.match((await verify(log, '--checkpoint', other)).output, /WRONG at record 1 \(foreign\)/);
});
