import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { backupFiles } from '../../src/drivers/backup/backup-file.ts';
import { CARD } from '../admin/admin-bench.ts';
import { cardNumber } from '../domain/samples.ts';
import { folderFor, startBench } from './cli-bench.ts';

const OTHER = 'DEADBEEF';

const keyPair = async (folder: string) => {
  const identity = await generateX25519Identity();
  const file = join(folder, 'identity.txt');
  writeFileSync(file, `# created by a test\n${identity}\n`);
  return { identity, file, recipient: await identityToRecipient(identity) };
};

/** A gateway with two cards, and a backup of it. */
const backedUp = async (t: TestContext) => {
  const folder = folderFor(t);
  const keys = await keyPair(folder);
  const old = await startBench(t);
  await old.bench.bind();
  await old.bench.bind(OTHER, { cardholder: { id: 'E2002' } });
  const file = join(folder, 'backup.age');
  const made = await old.cardea('backup', file, '--recipient', keys.recipient);
  assert.equal(made.errors, '');
  assert.equal(made.code, EXIT.ok);
  return { folder, keys, old, file };
};

const linesOf = async (file: string, identity: string): Promise<string[]> => {
  const decrypter = new Decrypter();
  decrypter.addIdentity(identity);
  return gunzipSync(await decrypter.decrypt(readFileSync(file)))
    .toString()
    .trimEnd()
    .split('\n');
};

describe('cardea backup', () => {
  it('writes a file that tells nothing without the key, and says who took it in the log', async (t) => {
    const { folder, keys, old, file } = await backedUp(t);
    assert.ok(!readFileSync(file).includes(CARD));
    const lines = await linesOf(file, keys.identity);
    const { createdAt: _, log: __, ...header } = JSON.parse(lines[0] ?? '');
    assert.deepEqual(header, {
      cardea: 'backup',
      version: 1,
      program: '1.2.3',
      site: 'hq',
      gateway: 'demo',
      cardNumberFormat: 'hex',
      roster: { revision: 2, cards: 2, epoch: null, pastEpochs: [], reconciled: 0 },
    });
    const actions = old.bench.store.entries.flatMap(({ event }) =>
      event.event === 'operator-action' ? [event.detail] : [],
    );
    assert.deepEqual(actions, [{ action: 'backup', operator: 'ada' }]);
    assert.deepEqual(readdirSync(folder).sort(), ['backup.age', 'identity.txt']);
  });

  it('does not replace a file unless told to', async (t) => {
    const { keys, old, file } = await backedUp(t);
    const again = await old.cardea('backup', file, '--recipient', keys.recipient);
    assert.equal(again.code, EXIT.no);
    assert.match(again.errors, /is there already; --force replaces it/);
    assert.equal((await old.cardea('backup', file, '--recipient', keys.recipient, '--force')).code, EXIT.ok);
  });

  it('says how to make a recipient when nobody could open the file', async (t) => {
    const { cardea } = await startBench(t);
    const { code, errors } = await cardea('backup', join(folderFor(t), 'x.age'));
    assert.equal(code, EXIT.usage);
    assert.match(errors, /age-keygen/);
  });
});

describe('cardea restore', () => {
  it('brings cards and log to a new store, and the doors wait for HR', async (t) => {
    const { keys, old, file } = await backedUp(t);
    const fresh = await startBench(t);
    await fresh.cardea('tap', 'front-in', CARD);
    const { code, output, errors } = await fresh.cardea('restore', file, '--identity-file', keys.file);
    assert.equal(errors, '');
    assert.equal(code, EXIT.ok);
    assert.match(output, /^log +the backup's, with the few events of this gateway after it$/m);
    const { store } = fresh.bench;
    assert.equal(store.findCard(cardNumber(CARD)).kind, 'live');
    assert.deepEqual(store.roster().buckets, old.bench.store.roster().buckets);
    assert.deepEqual(store.roster().restored, { era: 0, revision: 0 });
    const events = store.entries.map(({ event }) => event);
    const before = old.bench.store.tail();
    assert.deepEqual(
      events.slice(0, 3).map(({ sequence }) => sequence),
      [1, 2, 3],
    );
    assert.deepEqual(
      events.slice(before.sequence).map(({ event, sequence }) => [event, sequence]),
      [
        ['store-restored', 1_000_004],
        ['operator-action', 1_000_005],
        ['access-denied', 1_000_006],
        ['operator-action', 1_000_007],
      ],
    );
    const { createdAt } = JSON.parse((await linesOf(file, keys.identity))[0] ?? '');
    assert.deepEqual(events.at(-1)?.detail, { action: 'restore', operator: 'ada', createdAt, revision: 2 });
    assert.equal(events[before.sequence]?.previousHash, before.hash);
    // Of the backup, nothing had left the outbox.
    assert.equal(store.sentUpTo(), 0);
  });

  it('changes nothing with --dry-run', async (t) => {
    const { keys, file } = await backedUp(t);
    const fresh = await startBench(t);
    const { code, output } = await fresh.cardea('restore', file, '--identity-file', keys.file, '--dry-run');
    assert.equal(code, EXIT.ok);
    assert.match(output, /nothing was changed/);
    assert.equal(fresh.bench.store.commits.length, 0);
  });

  it('does not bring back what was revoked since, and keeps the log that went on', async (t) => {
    const { keys, old, file } = await backedUp(t);
    await old.bench.revoke();
    const { length } = old.bench.store.entries;
    const { code, output } = await old.cardea('restore', file, '--identity-file', keys.file);
    assert.equal(code, EXIT.ok);
    assert.match(output, /^log +the gateway's own, which holds the backup's$/m);
    assert.equal(old.bench.store.findCard(cardNumber(CARD)).kind, 'retired');
    assert.deepEqual(
      old.bench.store.entries.slice(length).map(({ event }) => event.event),
      ['operator-action', 'store-restored'],
    );
  });

  it('can be done twice', async (t) => {
    const { keys, file } = await backedUp(t);
    const fresh = await startBench(t);
    await fresh.cardea('restore', file, '--identity-file', keys.file);
    const { length } = fresh.bench.store.entries;
    const { output } = await fresh.cardea('restore', file, '--identity-file', keys.file);
    assert.match(output, /^taken +0$/m);
    assert.equal(fresh.bench.store.entries.length, length + 2);
  });

  it('takes a passphrase as well', async (t) => {
    const folder = folderFor(t);
    const passphrase = join(folder, 'passphrase');
    writeFileSync(passphrase, 'correct horse battery staple\n');
    const { cardea } = await startBench(t);
    const file = join(folder, 'b.age');
    // age's own work factor would take a second of every test run.
    const encrypter = new Encrypter();
    encrypter.setScryptWorkFactor(2);
    encrypter.setPassphrase('correct horse battery staple');
    writeFileSync(file, await encrypter.encrypt('no gzip'));
    const { errors } = await cardea('restore', file, '--passphrase-file', passphrase);
    assert.match(errors, /incorrect header check/);
    assert.match((await cardea('restore', file)).errors, /give --identity-file/);
  });

  it('refuses what is damaged, cut, of somebody else or newer, and has changed nothing', async (t) => {
    const { folder, keys, file } = await backedUp(t);
    const fresh = await startBench(t);
    const refusal = async (bytes: Uint8Array, identity = keys.file): Promise<string> => {
      const broken = join(folder, 'broken.age');
      writeFileSync(broken, bytes);
      const { code, errors } = await fresh.cardea('restore', broken, '--identity-file', identity);
      assert.equal(code, EXIT.no);
      return errors;
    };
    const whole = readFileSync(file);
    for (let at = 3; at < whole.length; at += 211) {
      const flipped = Buffer.from(whole);
      flipped.writeUInt8(flipped.readUInt8(at) ^ 4, at);
      await refusal(flipped);
    }
    for (const length of [0, 50, 300, whole.length - 1]) await refusal(whole.subarray(0, length));
    const stranger = await keyPair(folderFor(t));
    assert.match(await refusal(whole, stranger.file), /locked for somebody else/);

    const lines = (await linesOf(file, keys.identity)).slice(0, -1);
    const rewritten = async (changed: readonly string[]): Promise<string> => {
      const lock = { kind: 'recipients', recipients: [keys.recipient] } as const;
      const target = join(folder, 'rewritten.age');
      async function* all() {
        yield* changed;
      }
      await backupFiles.write(target, all(), { lock, mayReplace: true });
      return refusal(readFileSync(target));
    };
    const [header = '', ...records] = lines;
    assert.match(await rewritten([header.replace('"hq"', '"elsewhere"'), ...records]), /of site elsewhere, this is hq/);
    assert.match(await rewritten([header.replace('"demo"', '"other"'), ...records]), /of gateway other, this is demo/);
    assert.match(
      await rewritten([header.replace('"version":1', '"version":2'), ...records]),
      /has format 2, .* reads 1/,
    );
    assert.match(await rewritten([header.replace('"hex"', '"decimal"'), ...records]), /card number format decimal/);
    assert.match(await rewritten([header, ...records.slice(1)]), /it is not whole/);
    assert.match(
      await rewritten([header, ...records.map((line) => line.replace('card-change', 'access-denied'))]),
      /is not what was recorded/,
    );
    const log = JSON.stringify(JSON.parse(header).log);
    for (const change of [{ sequence: 1 }, { sequence: 2 ** 53 - 1 }, { acknowledgedUpTo: 99 }]) {
      const claimed = header.replace(log, JSON.stringify({ ...JSON.parse(log), ...change }));
      assert.match(await rewritten([claimed, ...records]), /none of that number can|header does not parse/);
    }
    const nobodys = records.map((line) => line.replace('"state":"live"', '"state":"alive"'));
    assert.match(await rewritten([header, ...nobodys]), /its record 3 is not what one has to be/);
    assert.equal(fresh.bench.store.commits.length, 0);
  });
});
