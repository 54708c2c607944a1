// Restores over stores that went on, with histories made at random: what comes out is what the messages that both have heard say.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { StoreTransaction } from '../../src/app/store-transaction.ts';
import { Roster } from '../../src/desk/roster.ts';
import type { CardNumber } from '../../src/domain/card-number.ts';
import { planChange } from '../../src/domain/roster-change.ts';
import { planPresentCard } from '../../src/domain/roster-repair.ts';
import type { HrMessage } from '../../src/wire/change-messages.ts';
import { cardNumber, gatewayId, messageId, siteId, time } from '../domain/samples.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { backupsOf } from '../fixtures/backups.ts';
import { cardNumbers, personNumbers, RandomHistory } from '../fixtures/random-history.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';
import { seededRandom } from '../fixtures/seeded-random.ts';

const GATEWAY = gatewayId('lobby-1');
const AT = time('2026-01-05T08:00:00Z');
const SEEDS = 15;

/** A gateway's store, without the gateway. */
class Site {
  readonly store = new MemoryStore();
  readonly #parts = {
    identity: { site: siteId('hq'), gateway: GATEWAY, cardNumberFormat: 'hex' },
    store: this.store,
  } as const;
  readonly #backups: ReturnType<typeof backupsOf>;
  hasRoom = true;

  constructor() {
    const clock = new VirtualClock();
    const log = new RecordingLog();
    const writer = new SerialWriter({ store: this.store, gateway: GATEWAY, clock, log });
    this.#backups = backupsOf({ ...this.#parts, writer, clock, log }, { hasRoom: () => this.hasRoom });
  }

  async hear(messages: readonly HrMessage[]): Promise<this> {
    for (const { change, revision, messageId: name } of messages) {
      const tx = new StoreTransaction({ store: this.store, gateway: GATEWAY });
      const plan = planChange(tx, change, { revision, messageId: name, appliedAt: AT });
      tx.putChange({ ...plan, revision });
      await this.store.commit(tx.batch());
    }
    return this;
  }

  /** As HR's pages leave it: what is live, and nothing of what was. */
  async fillFrom(roster: Roster, cards: readonly string[]): Promise<void> {
    const tx = new StoreTransaction({ store: this.store, gateway: GATEWAY });
    for (const number of cards) {
      const card = roster.find(cardNumber(number));
      if (card === undefined) continue;
      const plan = planPresentCard(tx, card, { messageId: messageId('page'), appliedAt: AT, isDamaged: false });
      tx.putChange({ ...plan, revision: card.revision });
    }
    tx.putReconciled({ revision: roster.revision, at: AT });
    await this.store.commit(tx.batch());
  }

  async backup(): Promise<object[]> {
    const records: object[] = [];
    for await (const record of this.#backups.records()) records.push(record);
    return records;
  }

  async restore([header, ...records]: readonly object[]): Promise<void> {
    const { restorer } = this.#backups;
    const { restore } = await restorer.begin({ header, oldest: null, operator: 'ada', isDryRun: false });
    for (let at = 0; at < records.length - 1; at += 7) {
      await restorer.page(restore, records.slice(at, Math.min(at + 7, records.length - 1)));
    }
    await restorer.end(restore);
  }

  live(): Map<CardNumber, string> {
    return new Map(
      [...this.store.cards]
        .flatMap(([card, record]) =>
          record.state === 'live' ? [[card, `${record.cardholder} ${record.revision}`] as const] : [],
        )
        .sort(),
    );
  }

  /** What the summary says is what the records say. */
  assertCounted(): void {
    const { cards } = this.store.roster();
    assert.equal(cards, this.live().size);
    for (const [id, { cards: held, watermark }] of this.store.cardholders) {
      for (const card of held) assert.equal(this.store.cards.get(card)?.cardholder, id);
      for (const [, record] of this.store.cards) {
        if (record.state !== 'live' || record.cardholder !== id) continue;
        assert.ok(watermark === undefined || record.revision >= watermark.revision, 'a live card below its watermark');
      }
    }
  }
}

const historyOf = (seed: number, people = 4) => {
  const random = seededRandom(seed);
  const cards = cardNumbers(8);
  const roster = new Roster(
    { site: siteId('hq'), cardNumberFormat: 'hex' },
    { epoch: '2026-a', revision: 0, cards: [] },
  );
  const history = new RandomHistory({ roster, random, cards, people: personNumbers(people) });
  return { random, cards, roster, history, messages: history.go(40) };
};

test('over a store that went on with every message, a restore changes no card', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { random, messages } = historyOf(seed);
    const site = new Site();
    const middle = random.below(messages.length);
    await site.hear(messages.slice(0, middle));
    const backup = await site.backup();
    await site.hear(messages.slice(middle));
    const before = site.live();
    await site.restore(backup);
    assert.deepEqual(site.live(), before, `seed ${seed}`);
    site.assertCounted();
  }
});

test('into another store it gives what both have heard, as if one had heard all of it', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    // With one person no card goes from one to another, which a store that has not heard of it would refuse.
    const { random, messages } = historyOf(seed, 1);
    const first = messages.filter(() => random.below(3) > 0);
    const second = messages.filter(() => random.below(2) === 0);
    const old = await new Site().hear(first);
    const here = await new Site().hear(second);
    const both = await new Site().hear(
      messages.filter((message) => first.includes(message) || second.includes(message)),
    );
    await here.restore(await old.backup());
    here.assertCounted();
    assert.deepEqual(here.live(), both.live(), `seed ${seed}`);
    assert.deepEqual(here.store.roster().buckets, both.store.roster().buckets, `seed ${seed}`);
  }
});

test('nothing comes back into a store that HR has filled since, though its tombstones never were there', async () => {
  for (let seed = 1; seed <= SEEDS; seed++) {
    const { random, messages, roster, cards } = historyOf(seed);
    const old = await new Site().hear(messages.slice(0, random.below(messages.length)));
    const fresh = new Site();
    await fresh.fillFrom(roster, cards);
    const before = fresh.live();
    await fresh.restore(await old.backup());
    assert.deepEqual(fresh.live(), before, `seed ${seed}`);
    await fresh.restore(await old.backup());
    assert.deepEqual(fresh.live(), before, `seed ${seed}, the second time`);
    fresh.assertCounted();
  }
});

test('without room for more than taps nothing is restored, and the same backup is once there is', async () => {
  const { messages } = historyOf(1);
  const whole = await (await new Site().hear(messages)).backup();
  const site = await new Site().hear(messages.slice(0, 10));
  site.hasRoom = false;
  const before = [site.live(), site.store.tail()];
  await assert.rejects(site.restore(whole), { code: 'disk-full', message: /restore the backup again/ });
  assert.deepEqual([site.live(), site.store.tail()], before);
  site.hasRoom = true;
  await site.restore(whole);
  assert.deepEqual(site.live(), (await new Site().hear(messages)).live());
});
