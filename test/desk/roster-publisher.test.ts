import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { AFTER_CHANGE, AFTER_FAILURE, REPEAT } from '../../src/desk/digest-publisher.ts';
import { BURST, PER_PAGE } from '../../src/desk/page-pace.ts';
import { AT_ONCE, BATCH, GIVEN_UP } from '../../src/desk/request-answerer.ts';
import type { Roster } from '../../src/desk/roster.ts';
import { RosterPublisher } from '../../src/desk/roster-publisher.ts';
import { CardeaError } from '../../src/errors.ts';
import { deskTopicsOf } from '../../src/wire/desk-topics.ts';
import { type MessageSeal, unsignedSeal } from '../../src/wire/message-envelope.ts';
import { encodeRosterRequest } from '../../src/wire/roster-messages.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { gatewayId } from '../domain/samples.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { ALL_BUCKETS, binding, cardText, changed, newRoster, note, rosterOf, SETTINGS } from './desk-samples.ts';

const { cardBound, cardRevoked, rosterDigest } = deskTopicsOf(SETTINGS.site);
const LOBBY = topicsOf(SETTINGS.site, gatewayId('lobby-1'));

interface Desk {
  readonly roster: Roster;
  readonly link: FakeHrLink;
  readonly clock: VirtualClock;
  readonly publisher: RosterPublisher;
  readonly faults: unknown[];
  /** What was published on that topic, parsed. */
  on(topic: string): readonly Record<string, unknown>[];
  request(requestId: string, options?: { gateway?: string; buckets?: readonly number[] }): Promise<unknown>;
  bind(index: number): ReturnType<RosterPublisher['publish']>;
}

interface DeskOptions {
  readonly roster?: Roster;
  readonly seal?: MessageSeal;
  /** In place of the roster's own pages. */
  readonly pagesFor?: Roster['pagesFor'];
}

/** Connected, and the digest of the connect is out. */
const startDesk = async (
  t: TestContext,
  { roster = newRoster(), seal = unsignedSeal, pagesFor = (request) => roster.pagesFor(request) }: DeskOptions = {},
): Promise<Desk> => {
  const link = new FakeHrLink();
  const clock = new VirtualClock();
  const faults: unknown[] = [];
  const publisher = new RosterPublisher({
    roster: { site: roster.site, digest: () => roster.digest(), pagesFor },
    link,
    clock,
    seal,
    onFault: (error) => faults.push(error),
  });
  t.after(() => publisher.stop());
  const on = (topic: string) =>
    link.published.filter((message) => message.topic === topic).map(({ payload }) => JSON.parse(payload));
  const request: Desk['request'] = (requestId, { gateway = 'lobby-1', buckets = ALL_BUCKETS } = {}) => {
    const id = gatewayId(gateway);
    const payload = encodeRosterRequest({ gateway: id, requestId, buckets, revision: 0 });
    return link.deliver(topicsOf(SETTINGS.site, id).rosterRequest, payload);
  };
  const bind = (index: number) => {
    const { message } = changed(roster.bind(binding(cardText(index), `E${index}`), note()));
    return publisher.publish(message);
  };
  link.start(publisher);
  link.connect();
  await waitFor(() => on(rosterDigest).length > 0, 'the digest of the connect');
  await waitFor(() => clock.untilNextTimer() === REPEAT, 'the timer of the next digest');
  return { roster, link, clock, publisher, faults, on, request, bind };
};

const revisions = (messages: readonly Record<string, unknown>[]): unknown[] => messages.map(({ revision }) => revision);

test('a change is published on its topic, not retained, and counts when the broker has acknowledged it', async (t) => {
  const { roster, link, publisher, on, bind } = await startDesk(t);
  link.holdPublishes();
  let isPublished = false;
  const published = bind(1).then(() => {
    isPublished = true;
  });
  await waitFor(() => on(cardBound).length === 1, 'the change at the broker');
  assert.equal(isPublished, false);
  link.acknowledgePublishes();
  await published;
  await publisher.publish(changed(roster.revokeCard(cardText(1), 'lost', note())).message);
  assert.deepEqual([revisions(on(cardBound)), revisions(on(cardRevoked))], [[1], [2]]);
  assert.ok(link.published.every(({ topic, retain }) => retain === (topic === rosterDigest)));
});

test('changes leave in order although some signatures take longer than others', async (t) => {
  const sealing: (() => void)[] = [];
  const seal: MessageSeal = (json) =>
    json.includes('"card-bound"') ? new Promise((resolve) => sealing.push(() => resolve(json))) : json;
  const { on, bind } = await startDesk(t, { seal });
  const published = [bind(1), bind(2), bind(3)];
  await waitFor(() => sealing.length === 3, 'three signatures under way');
  for (const seal of sealing.reverse()) seal();
  await Promise.all(published);
  assert.deepEqual(revisions(on(cardBound)), [1, 2, 3]);
});

test('a change that cannot be signed fails alone', async (t) => {
  const seal: MessageSeal = async (json) => {
    if (json.includes('"revision":1,')) throw new CardeaError('internal-error', 'the key is gone');
    return json;
  };
  const { on, bind } = await startDesk(t, { seal });
  const [first, second] = await Promise.allSettled([bind(1), bind(2)]);
  assert.deepEqual([first.status, second.status], ['rejected', 'fulfilled']);
  assert.deepEqual(revisions(on(cardBound)), [2]);
});

test('while the link is down the caller is told, and the digest of the next connect holds the change', async (t) => {
  const { link, on, bind, faults } = await startDesk(t);
  link.disconnect();
  await assert.rejects(bind(1), { code: 'link-offline' });
  link.connect();
  await waitFor(() => on(rosterDigest).length === 2, 'the digest');
  assert.deepEqual(revisions(on(rosterDigest)), [0, 1]);
  assert.deepEqual(faults, []);
});

test('changes share a digest: there is one two seconds after the first of them', async (t) => {
  const { clock, on, bind } = await startDesk(t);
  await Promise.all([bind(1), bind(2)]);
  clock.advance(AFTER_CHANGE - 1);
  await bind(3);
  assert.equal(on(rosterDigest).length, 1);
  clock.advance(1);
  await waitFor(() => on(rosterDigest).length === 2, 'the digest');
  assert.deepEqual(on(rosterDigest)[1]?.['cards'], 3);
});

test('a digest leaves after the changes that are in it, however long their signatures take', async (t) => {
  let sign = (): void => {};
  const seal: MessageSeal = (json) =>
    json.includes('roster-digest') ? json : new Promise((resolve) => (sign = () => resolve(json)));
  const { link, clock, on, bind } = await startDesk(t, { seal });
  const published = bind(1);
  clock.advance(AFTER_CHANGE);
  await nextTurn();
  assert.deepEqual([on(cardBound).length, on(rosterDigest).length], [0, 1]);
  sign();
  await published;
  await waitFor(() => on(rosterDigest).length === 2, 'the digest');
  const topics = link.published.map(({ topic }) => topic);
  assert.ok(topics.indexOf(cardBound) < topics.lastIndexOf(rosterDigest));
});

test('without changes the digest is repeated every hour', async (t) => {
  const { clock, on } = await startDesk(t);
  clock.advance(REPEAT - 1);
  assert.equal(on(rosterDigest).length, 1);
  clock.advance(1);
  await waitFor(() => on(rosterDigest).length === 2, 'the digest');
});

test('a change while a digest is under way has a digest of its own, two seconds after the broker has taken the first', async (t) => {
  const { link, clock, on, bind } = await startDesk(t);
  link.holdPublishes();
  const published = bind(1);
  clock.advance(AFTER_CHANGE);
  await waitFor(() => on(rosterDigest).length === 2, 'the digest');
  const late = bind(2);
  clock.advance(10 * AFTER_CHANGE);
  link.acknowledgePublishes();
  await Promise.all([published, late]);
  await waitFor(() => clock.untilNextTimer() === AFTER_CHANGE, 'the timer of the next digest');
  clock.advance(AFTER_CHANGE);
  await waitFor(() => on(rosterDigest).length === 3, 'the digest');
  assert.deepEqual(revisions(on(rosterDigest)), [0, 1, 2]);
});

test('a digest that the broker refuses is told and tried again', async (t) => {
  const { link, clock, on, faults } = await startDesk(t);
  const refusal = new CardeaError('publish-refused', 'not authorized');
  link.failNextPublish(refusal);
  clock.advance(REPEAT);
  await waitFor(() => clock.untilNextTimer() === AFTER_FAILURE, 'the timer of the next digest');
  assert.deepEqual(faults, [refusal]);
  clock.advance(AFTER_FAILURE);
  await waitFor(() => on(rosterDigest).length === 2, 'the digest');
});

test('a request is answered by all pages, in order, to the gateway that has asked', async (t) => {
  const { on, request, faults } = await startDesk(t, { roster: rosterOf(450) });
  assert.equal(await request('request-1'), 'acknowledged');
  await waitFor(() => on(LOBBY.rosterPage).length === 3, 'three pages');
  const pages = on(LOBBY.rosterPage);
  assert.deepEqual(
    pages.map(({ requestId, page, pages }) => [requestId, page, pages]),
    [1, 2, 3].map((page) => ['request-1', page, 3]),
  );
  assert.deepEqual(faults, []);
});

test('everything that is published is sealed', async (t) => {
  const { link, request, bind } = await startDesk(t, { roster: rosterOf(3), seal: (json) => `{"sealed":${json}}` });
  await bind(9);
  await request('request-1');
  await waitFor(() => link.published.length === 3, 'digest, change and page');
  assert.ok(link.published.every(({ payload }) => payload.startsWith('{"sealed":')));
});

test('a request that does not decode, names another gateway than its topic, or is retained is told and not answered', async (t) => {
  const { link, on, faults } = await startDesk(t, { roster: rosterOf(3) });
  const payload = encodeRosterRequest({
    gateway: gatewayId('lobby-2'),
    requestId: 'request-1',
    buckets: [1],
    revision: 0,
  });
  const own = payload.replace('lobby-2', 'lobby-1');
  assert.equal(await link.deliver(LOBBY.rosterRequest, '{}'), 'acknowledged');
  assert.equal(await link.deliver(LOBBY.rosterRequest, payload), 'acknowledged');
  assert.equal(await link.deliver(LOBBY.rosterRequest, own, { retained: true }), 'acknowledged');
  assert.deepEqual(
    faults.map((fault) => fault instanceof CardeaError && fault.code),
    ['invalid-request', 'invalid-request', 'invalid-request'],
  );
  await link.deliver(LOBBY.receipt, '{}');
  assert.equal(faults.length, 3);
  assert.deepEqual(on(LOBBY.rosterPage), []);
});

/** As many pages without cards, whatever is asked for; `asked` grows by the id of each request whose answer begins. */
const answersOf = (pages: number): { readonly asked: string[]; readonly pagesFor: Roster['pagesFor'] } => {
  const asked: string[] = [];
  const pagesFor: Roster['pagesFor'] = ({ requestId, buckets }) => {
    asked.push(requestId);
    return Array.from({ length: pages }, (_, index) => ({
      requestId,
      buckets,
      revision: 0,
      page: index + 1,
      pages,
      cards: [],
    }));
  };
  return { asked, pagesFor };
};

const pageNumbers = (messages: readonly Record<string, unknown>[], requestId: string): unknown[] =>
  messages.filter((page) => page['requestId'] === requestId).map(({ page }) => page);

test('no more than a batch of an answer’s pages is unacknowledged', async (t) => {
  const { on, link, request } = await startDesk(t, answersOf(25));
  link.holdPublishes();
  await request('request-1');
  await waitFor(() => on(LOBBY.rosterPage).length > 0, 'the first pages');
  assert.equal(on(LOBBY.rosterPage).length, BATCH);
  link.acknowledgePublishes();
  await waitFor(() => on(LOBBY.rosterPage).length === 25, 'the rest');
});

test('beyond the burst pages leave at the pace of the clock, however many answers they belong to', async (t) => {
  const { on, clock, request } = await startDesk(t, answersOf(BATCH));
  for (let sent = BATCH; sent <= BURST; sent += BATCH) {
    await request(`request-${sent}`);
    await waitFor(() => on(LOBBY.rosterPage).length === sent, 'the answer');
  }
  await request('request-too-many');
  await waitFor(() => clock.untilNextTimer() === BATCH * PER_PAGE, 'the pause');
  await request('request-of-another', { gateway: 'lobby-2' });
  const others = topicsOf(SETTINGS.site, gatewayId('lobby-2')).rosterPage;
  await waitFor(() => on(others).length === BATCH, 'the answer to a gateway that has not asked before');
  clock.advance(BATCH * PER_PAGE - 1);
  await nextTurn();
  assert.equal(on(LOBBY.rosterPage).length, BURST);
  clock.advance(1);
  await waitFor(() => on(LOBBY.rosterPage).length === BURST + BATCH, 'the last answer');
  clock.advance((BURST + BATCH) * PER_PAGE);
  await request('request-later');
  await waitFor(() => on(LOBBY.rosterPage).length === BURST + 2 * BATCH, 'an answer without a pause');
});

test('an answer that a newer request has ended counts with all that was looked up for it', async (t) => {
  const { on, clock, request } = await startDesk(t, answersOf(10 * BURST));
  await request('request-1');
  await waitFor(() => clock.untilNextTimer() === BATCH * PER_PAGE, 'the pause after the burst');
  const sent = on(LOBBY.rosterPage).length;
  await request('request-2');
  clock.advance(BATCH * PER_PAGE);
  await waitFor(() => Number(clock.untilNextTimer()) > 20 * BATCH * PER_PAGE, 'a longer pause');
  assert.equal(on(LOBBY.rosterPage).length, sent);
});

test('a newer request of a gateway takes the place of the one before', async (t) => {
  const { asked, pagesFor } = answersOf(25);
  const { on, link, request } = await startDesk(t, { pagesFor });
  link.holdPublishes();
  await request('request-1');
  await waitFor(() => on(LOBBY.rosterPage).length === BATCH, 'the first batch');
  await request('request-2');
  await request('request-3');
  link.acknowledgePublishes();
  await waitFor(() => pageNumbers(on(LOBBY.rosterPage), 'request-3').length === 25, 'the newest answer');
  assert.equal(pageNumbers(on(LOBBY.rosterPage), 'request-1').length, BATCH);
  assert.deepEqual(asked, ['request-1', 'request-3']);
});

test('a redelivered request is not answered twice', async (t) => {
  const { asked, pagesFor } = answersOf(25);
  const { on, link, request } = await startDesk(t, { pagesFor });
  link.holdPublishes();
  await request('request-1');
  await request('request-1');
  link.acknowledgePublishes();
  await waitFor(() => on(LOBBY.rosterPage).length === 25, 'the answer');
  assert.deepEqual(asked, ['request-1']);
});

test('of many gateways that ask at once a few are answered at a time, and all in the end', async (t) => {
  const { asked, pagesFor } = answersOf(1);
  const { link, request } = await startDesk(t, { pagesFor });
  link.holdPublishes();
  for (let index = 0; index < 50; index++) await request(`request-${index}`, { gateway: `lobby-${index}` });
  assert.equal(asked.length, AT_ONCE);
  link.acknowledgePublishes();
  await waitFor(() => asked.length === 50, 'the answers of all');
});

test('a request that has waited until its gateway gave up is not answered', async (t) => {
  const { asked, pagesFor } = answersOf(1);
  const { link, clock, request } = await startDesk(t, { pagesFor });
  link.holdPublishes();
  for (let index = 0; index <= AT_ONCE; index++) await request(`early-${index}`, { gateway: `lobby-${index}` });
  clock.advance(GIVEN_UP);
  await request('late', { gateway: 'lobby-99' });
  link.acknowledgePublishes();
  await waitFor(() => asked.includes('late'), 'the answer to the late request');
  assert.equal(asked.length, AT_ONCE + 1);
});

test('an answer ends with the link, and the same request that comes again is answered anew', async (t) => {
  const { asked, pagesFor } = answersOf(25);
  const { on, link, request, faults } = await startDesk(t, { pagesFor });
  link.holdPublishes();
  await request('request-1');
  await waitFor(() => on(LOBBY.rosterPage).length === BATCH, 'the first batch');
  link.disconnect();
  link.acknowledgePublishes();
  await nextTurn();
  link.connect();
  await request('request-1');
  await waitFor(() => on(LOBBY.rosterPage).length === BATCH + 25, 'the answer');
  assert.deepEqual([asked, faults], [['request-1', 'request-1'], []]);
});

test('a page that cannot be signed is told, and ends its answer alone', async (t) => {
  const fault = new CardeaError('internal-error', 'the key is gone');
  const seal: MessageSeal = (json) => (json.includes('request-1') ? Promise.reject(fault) : json);
  const { on, request, faults } = await startDesk(t, { seal, roster: rosterOf(3) });
  await request('request-1');
  await waitFor(() => faults.length === 1, 'the fault');
  await request('request-2');
  await waitFor(() => on(LOBBY.rosterPage).length === 1, 'the answer');
  assert.deepEqual(faults, [fault]);
});

test('stop ends an answer that waits for its time', async (t) => {
  const { on, clock, publisher, request } = await startDesk(t, answersOf(2 * BURST));
  await request('request-1');
  await waitFor(() => clock.untilNextTimer() === BATCH * PER_PAGE, 'the pause after the burst');
  const sent = on(LOBBY.rosterPage).length;
  publisher.stop();
  assert.equal(clock.pendingTimers, 0);
  await nextTurn();
  assert.equal(on(LOBBY.rosterPage).length, sent);
});

test('after stop no digest and no page leaves', async (t) => {
  const { on, link, clock, publisher, request, bind } = await startDesk(t, answersOf(25));
  link.holdPublishes();
  await request('request-1');
  await waitFor(() => on(LOBBY.rosterPage).length === BATCH, 'the first batch');
  publisher.stop();
  link.acknowledgePublishes();
  await bind(1);
  clock.advance(REPEAT);
  await request('request-2');
  assert.deepEqual([on(LOBBY.rosterPage).length, on(rosterDigest).length, clock.pendingTimers], [BATCH, 1, 0]);
});
