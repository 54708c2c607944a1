// The process dies at any moment, as often as it likes: before a batch is on disk, after it and before anybody was told, after
// an event was published and before the cursor moved. The broker delivers again what was not acknowledged. Nothing is lost.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { EventPublisher } from '../../src/app/publish-events.ts';
import { digestOf } from '../../src/domain/roster-digest.ts';
import { createLog } from '../../src/log.ts';
import { unsignedSeal } from '../../src/wire/message-envelope.ts';
import { settle } from '../app/door-bench.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { type Death, MortalStore } from '../fakes/mortal-store.ts';
import { makeChangeFlow, TOPICS, wholeLog } from '../flows/change-flow.ts';

const messageOf = (revision: number): { topic: string; payload: string } => {
  const common = { site: 'hq', messageId: `m-${revision}`, revision, issuedAt: '2026-01-05T08:00:00Z', operator: 'hr' };
  const card = `F000000${revision % 4}`;
  const isRevocation = revision % 5 === 0;
  const content = isRevocation
    ? { type: 'card-revoked', ...common, card, reason: 'lost' }
    : { type: 'card-bound', ...common, card, cardholder: { id: `E${revision % 4}` }, access: [{ doors: ['*'] }] };
  return { topic: isRevocation ? TOPICS.cardRevoked : TOPICS.cardBound, payload: JSON.stringify(content) };
};

interface Life {
  readonly death: Death;
  readonly after: number;
}

const live = async (disk: MemoryDisk, { death, after }: Life, waiting: number[], heard: string[]): Promise<void> => {
  const store = new MortalStore(disk, death, after);
  const flow = makeChangeFlow(store);
  const link = new FakeHrLink();
  const publisher = new EventPublisher({
    eventLog: store,
    link,
    topics: TOPICS,
    seal: unsignedSeal,
    clock: flow.clock,
    log: createLog('silent'),
  });
  flow.writer.onCommit = () => publisher.wake();
  link.start({ onMessage: async () => {}, onConnect: () => publisher.wake(), onDisconnect: () => {} });
  link.connect();
  // Two at a time, as a link that looks ahead delivers them.
  for (const pair of [...waiting.keys()].filter((i) => i % 2 === 0).map((i) => waiting.slice(i, i + 2))) {
    if (store.isDead) break;
    for (const revision of pair) {
      const { topic, payload } = messageOf(revision);
      void flow.deliver(topic, payload).then(() => {
        if (!store.isDead) waiting.splice(waiting.indexOf(revision), 1);
      });
    }
    await settle();
  }
  await settle();
  heard.push(...link.published.filter(({ topic }) => topic === TOPICS.event).map(({ payload }) => payload));
  disk.isOpen = false;
};

const LIFE: fc.Arbitrary<Life> = fc.record({
  death: fc.constantFrom<Death>('before commit', 'after commit', 'before cursor'),
  after: fc.nat({ max: 6 }),
});

test('invariants 1 and 7: whenever the process dies, no acknowledged change, no event and no number is lost or doubled', async () => {
  const undisturbed = new MemoryDisk();
  const all = Array.from({ length: 20 }, (_, i) => i + 1);
  await live(undisturbed, { death: 'never', after: 0 }, [...all], []);
  await fc.assert(
    fc.asyncProperty(fc.array(LIFE, { minLength: 1, maxLength: 6 }), async (lives) => {
      const disk = new MemoryDisk();
      const waiting = [...all];
      const heard: string[] = [];
      for (const life of [...lives, { death: 'never', after: 0 } as const]) {
        const before = disk.entries.length;
        await live(disk, life, waiting, heard);
        assert.ok(disk.entries.length >= before);
        // What was acknowledged is on the disk.
        const applied = new Set<number | null>(disk.entries.map(({ event }) => event.bindingRevision));
        for (const revision of all) assert.ok(waiting.includes(revision) || applied.has(revision), `${revision}`);
      }
      assert.deepEqual(waiting, []);
      assert.deepEqual(disk.cards.size, undisturbed.cards.size);
      assert.equal(digestOf(disk.roster), digestOf(undisturbed.roster));
      const log = await wholeLog(new MemoryStore(Object.assign(disk, { isOpen: false })));
      const copies = new Map<number, Set<string>>();
      for (const payload of heard) {
        const { sequence } = JSON.parse(payload);
        copies.set(sequence, (copies.get(sequence) ?? new Set()).add(payload));
      }
      assert.deepEqual(
        [...copies.keys()].sort((a, b) => a - b),
        log.map(({ event }) => event.sequence),
      );
      for (const [sequence, payloads] of copies)
        assert.equal(payloads.size, 1, `event ${sequence} was told in two versions`);
    }),
    { numRuns: 100 },
  );
});
