// Answers gateways that ask for buckets of the roster, page by page.
//
// 1. One answer per gateway: a newer request takes the place of the one before, whose remaining pages nobody wants any more.
// 2. Bounded: AT_ONCE answers under way, each with BATCH pages unacknowledged; the others wait as requests, without a snapshot.
// 3. A broker that acknowledges for a gateway queues what the gateway has not taken, by default 1,000 messages, and drops the newest
//    beyond (mosquitto). So pages go out as fast as the broker takes them for a while, and then at a pace that gateways keep (page-pace.ts).

import type { GatewayId } from '../domain/ids.ts';
import { type Milliseconds, type MonotonicTime, seconds } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { HrLink } from '../ports/hr-link.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import { encodeRosterPage, type RosterPage, type RosterRequest } from '../wire/roster-messages.ts';
import { topicsOf } from '../wire/topics.ts';
import { isOffline } from './offline.ts';
import { PagePace } from './page-pace.ts';
import type { Roster } from './roster.ts';

/** Answers under way together; each holds a list of its cards, 8 MB for a million. */
export const AT_ONCE = 4;
/** Gateways whose requests wait; beyond, a request is dropped and comes again. */
const MOST_WAITING = 1_000;
/** A gateway that has waited so long for the first page has given up on it, and asks anew. */
export const GIVEN_UP = seconds(30);
/** Pages that go out together. */
export const BATCH = 10;
/** Looking up the cards of so many pages is as much work as sending one. */
const LOOKED_UP = 20;

interface Waiting {
  readonly request: RosterRequest;
  readonly since: MonotonicTime;
}

interface Dependencies {
  readonly roster: Pick<Roster, 'site' | 'pagesFor'>;
  readonly link: HrLink;
  readonly clock: Clock;
  readonly seal: MessageSeal;
  readonly onFault: (error: unknown) => void;
}

export class RequestAnswerer {
  readonly #deps: Dependencies;
  /** The newest request of each gateway that is not being answered. */
  readonly #waiting = new Map<GatewayId, Waiting>();
  readonly #underWay = new Map<GatewayId, RosterRequest>();
  readonly #pace: PagePace;
  readonly #pauses = new Map<Timer, () => void>();
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#pace = new PagePace(deps.clock);
  }

  /** Takes a request in; a redelivery of the one that is being answered is dropped. */
  onRequest(request: RosterRequest): void {
    const { gateway, requestId } = request;
    if (this.#underWay.get(gateway)?.requestId === requestId) return;
    if (!this.#waiting.has(gateway) && this.#waiting.size >= MOST_WAITING) {
      const text = `${MOST_WAITING} gateways are waiting for pages of the roster; the request of ${gateway} is dropped`;
      this.#deps.onFault(new CardeaError('overloaded', text));
      return;
    }
    this.#waiting.set(gateway, { request, since: this.#deps.clock.monotonic() });
    this.#startNext();
  }

  /** Ends the answers after the pages that are under way. */
  stop(): void {
    this.#isStopped = true;
    this.#waiting.clear();
    for (const [timer, resolve] of this.#pauses) {
      timer.cancel();
      resolve();
    }
  }

  #startNext(): void {
    const now = this.#deps.clock.monotonic();
    for (const [gateway, { request, since }] of this.#waiting) {
      if (this.#underWay.size >= AT_ONCE) return;
      if (this.#underWay.has(gateway)) continue;
      this.#waiting.delete(gateway);
      if (now - since >= GIVEN_UP) continue;
      this.#underWay.set(gateway, request);
      void this.#answer(request);
    }
  }

  async #answer(request: RosterRequest): Promise<void> {
    const { roster, onFault } = this.#deps;
    const { gateway } = request;
    try {
      for (const batch of batchesOf(roster.pagesFor(request))) {
        await this.#pause(this.#pace.take(gateway, costOf(batch)));
        if (this.#isStopped || this.#waiting.has(gateway)) break;
        await this.#publish(gateway, batch);
      }
    } catch (error) {
      // The gateway asks again when no page comes.
      if (!isOffline(error)) onFault(error);
    }
    this.#underWay.delete(gateway);
    this.#startNext();
  }

  async #publish(gateway: GatewayId, pages: readonly RosterPage[]): Promise<void> {
    const { roster, link, seal } = this.#deps;
    const { rosterPage } = topicsOf(roster.site, gateway);
    const payloads = await Promise.all(pages.map((page) => seal(encodeRosterPage(roster.site, page))));
    await Promise.all(payloads.map((payload) => link.publish(rosterPage, payload)));
  }

  /** Until the time is over, or the answers end. */
  async #pause(delay: Milliseconds): Promise<void> {
    if (delay <= 0) return;
    await new Promise<void>((resolve) => {
      const timer = this.#deps.clock.schedule(delay, () => {
        this.#pauses.delete(timer);
        resolve();
      });
      this.#pauses.set(timer, resolve);
    });
  }
}

/** In pages. The first batch counts for the cards of the whole answer, which had to be found before it. */
const costOf = (batch: readonly RosterPage[]): number => {
  const [first] = batch;
  return batch.length + (first?.page === 1 ? Math.floor(first.pages / LOOKED_UP) : 0);
};

function* batchesOf(pages: Iterable<RosterPage>): Generator<readonly RosterPage[], void, undefined> {
  let batch: RosterPage[] = [];
  for (const page of pages) {
    batch.push(page);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
