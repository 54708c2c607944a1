// A disk that is really full: a small tmpfs under the store (needs root). What was acknowledged is there after a restart, what was
// refused is not, taps are decided all the while, and the numbering of events has no hole.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { planChange, type RosterChange } from '../../src/domain/roster-change.ts';
import { SystemClock } from '../../src/drivers/clock/system-clock.ts';
import { createLog } from '../../src/log.ts';
import { bindingOf, cardholderId, cardNumber, gatewayId, messageId, revision } from '../domain/samples.ts';
import { openTestStore } from '../fixtures/test-store.ts';

const CARD = cardNumber('DEADBEEF');
const PERSON = cardholderId('E1001');

const smallDisk = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', folder]);
  t.after(() => {
    execFileSync('umount', ['-l', folder]);
    rmSync(folder, { recursive: true });
  });
  return folder;
};

const fill = (folder: string): void => {
  const { bavail, bsize } = statfsSync(folder);
  try {
    writeFileSync(join(folder, 'ballast'), Buffer.alloc(bavail * bsize));
  } catch {
    // To the last byte is what is wanted.
  }
};

const openSite = async (folder: string) => {
  const store = await openTestStore(join(folder, 'store'));
  const clock = new SystemClock({ trust: 'always' });
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log: createLog('silent') });
  const change = (number: number, what: RosterChange): Promise<string> =>
    writer.write((tx) => {
      const origin = { revision: revision(number), messageId: messageId(`m-${number}`), appliedAt: clock.now() };
      const plan = planChange(tx, what, origin);
      tx.putChange({ ...plan, revision: revision(number) });
      tx.append({ event: 'card-change', at: clock.now(), clockSynchronized: true, detail: number });
      return plan.result;
    });
  const tap = (): void =>
    writer.record({ event: 'access-granted', at: clock.now(), clockSynchronized: true, card: CARD });
  return { store, writer, change, tap };
};

const bind: RosterChange = {
  kind: 'bind-card',
  card: CARD,
  cardholder: { id: PERSON },
  access: bindingOf().access,
  cardKind: 'permanent',
  activation: 'active',
  supersedes: { kind: 'all' },
};
const revoke: RosterChange = { kind: 'revoke-card', card: CARD, reason: 'lost' };

/** Small writes go into what LevelDB has allocated already; in the end one is refused. */
const writeUntilRefused = async (change: (n: number, what: RosterChange) => Promise<string>): Promise<number> => {
  for (let number = 2; number < 20_000; number++) {
    try {
      await change(number, {
        ...bind,
        card: cardNumber((0x10000000 + number).toString(16).toUpperCase()),
        supersedes: { kind: 'none' },
      });
    } catch {
      return number;
    }
  }
  throw new Error('the disk never got full');
};

for (const first of ['a change', 'the outbox cursor'] as const) {
  test(`a full disk, met first by ${first}: nothing acknowledged is lost, nothing refused is there`, {
    timeout: 60_000,
  }, async (t) => {
    const folder = smallDisk(t);
    const site = await openSite(folder);
    await site.change(1, bind);
    fill(folder);
    if (first === 'the outbox cursor') {
      for (let i = 0; i < 200_000; i++) {
        const failed = await site.store.saveSentUpTo(1).then(
          () => false,
          () => true,
        );
        if (failed) break;
      }
    }
    const refused = await writeUntilRefused(site.change);
    site.tap();
    await pause(700);
    assert.equal(site.writer.isFailing, true);
    assert.equal(site.store.findCard(CARD).kind, 'live', 'taps are decided while the disk is full');

    rmSync(join(folder, 'ballast'));
    let result: string | undefined;
    for (let i = 0; i < 100 && result === undefined; i++) {
      result = await site.change(30_000, revoke).catch(() => undefined);
      if (result === undefined) await pause(100);
    }
    assert.equal(result, 'applied');
    await site.writer.idle();
    const acknowledged = site.store.tail().sequence;
    await site.store.close();

    const again = await openTestStore(join(folder, 'store'));
    assert.equal(again.findCard(CARD).kind, 'retired', 'the revocation that was acknowledged holds after a restart');
    assert.equal(again.tail().sequence, acknowledged);
    const entries = await again.entriesAfter(0, acknowledged);
    assert.deepEqual(
      entries.map(({ event }) => event.sequence),
      entries.map((_, index) => index + 1),
    );
    assert.equal(entries.filter(({ event }) => event.event === 'access-granted').length, 1, 'the tap is there, once');
    assert.equal(entries.filter(({ event }) => event.event === 'store-recovered').length, 1);
    assert.ok(!entries.some(({ event }) => event.detail === refused), 'the refused change is not');
    await again.close();
  });
}
