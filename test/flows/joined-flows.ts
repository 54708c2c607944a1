// Both flows put together over fakes, as the daemon joins them: HR's messages come over a link, taps and the door are the bench's.

import { EventPublisher } from '../../src/app/publish-events.ts';
import { unsignedEnvelope, unsignedSeal } from '../../src/wire/message-envelope.ts';
import { type BenchOptions, makeDoorBench, settle } from '../app/door-bench.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { makeInbox } from '../fixtures/hr-inbox.ts';
import { DOORS, GATEWAY, SITE, TOPICS } from './change-flow.ts';

export const makeGateway = async (options: BenchOptions = {}) => {
  const bench = await makeDoorBench(options);
  const { store, writer, clock, log } = bench;
  const link = new FakeHrLink();
  const publisher = new EventPublisher({ eventLog: store, link, topics: TOPICS, seal: unsignedSeal, clock, log });
  const changes = makeInbox({
    site: SITE,
    gateway: GATEWAY,
    doors: DOORS,
    topics: TOPICS,
    cardNumberFormat: 'hex',
    envelope: unsignedEnvelope,
    store,
    writer,
    clock,
    log,
  });
  writer.onCommit = () => publisher.wake();
  link.start({
    onMessage: (message) => changes.handle(message),
    onConnect: () => publisher.wake(),
    onDisconnect: () => {},
  });
  const message = (type: string, revision: number, fields: object): string =>
    JSON.stringify({
      type,
      site: 'hq',
      messageId: `m-${revision}`,
      revision,
      issuedAt: '2026-01-05T08:00:00Z',
      operator: 'hr',
      ...fields,
    });
  return {
    ...bench,
    link,
    bind: (revision: number, card: string, fields: object = {}) => {
      const binding = { card, cardholder: { id: 'E1001' }, access: [{ doors: ['front'] }], ...fields };
      return link.deliver(TOPICS.cardBound, message('card-bound', revision, binding));
    },
    revoke: (revision: number, fields: object) =>
      link.deliver(TOPICS.cardRevoked, message('card-revoked', revision, { reason: 'lost', ...fields })),
    /** Taps, and what became of it. */
    tapped: async (uid: string): Promise<string> => {
      bench.tap(uid);
      await settle();
      const outcome = bench.outcomes.at(-1);
      bench.clock.advance(60_000);
      return outcome?.kind === 'denied' ? outcome.reason : (outcome?.kind ?? 'nothing');
    },
    published: (topic: string): unknown[] =>
      link.published.filter((sent) => sent.topic === topic).map(({ payload }) => JSON.parse(payload)),
  };
};
