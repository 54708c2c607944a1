// Answers gateways that ask for buckets of the roster, page by page.
//
// 1. One answer per gateway: a newer request takes the place of the one before, whose remaining pages nobody wants any more.
// 2. Bounded: AT_ONCE answers under way, each with BATCH pages unacknowledged; the others wait as requests, without a snapshot.
// 3. A broker that acknowledges for a gateway queues what the gateway has not taken, by default 1,000 messages, and drops the newest
//    beyond (mosquitto). So an answer goes out as fast as the broker takes it for BURST pages, and then at a pace that gateways keep.

import type { GatewayId } from '../domain/ids.ts';
import { type MonotonicTime, milliseconds, seconds } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { HrLink } from '../ports/hr-link.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import { encodeRosterPage, type RosterPage, type RosterRequest } from '../wire/roster-messages.ts';
import { topicsOf } from '../wire/topics.ts';
import { isOffline } from './offline.ts';
import type { Roster } from './roster.ts';

/** Answers under way together; each holds a list of its cards, 8 MB for a million. */
export const AT_ONCE = 4;
/** Gateways whose requests wait; beyond, a request is dropped and comes again. */
const MOST_WAITING = 1_000;
/** A gateway that has waited so long for the first page has given up on it, and asks anew. */
export const GIVEN_UP = seconds(30);
/** Pages that go out together. */
export const BATCH = 10;
/** Pages of an answer that fit into the broker's queue whatever the gateway does. */
export const BURST = 400;
/** After each batch beyond the burst: 100 pages, or 20,000 cards, a second. */
export const PAUSE = milliseconds(100);

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
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
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
    try {
      let sent = 0;
      for (const batch of batchesOf(roster.pagesFor(request))) {
        if (this.#isStopped || this.#waiting.has(request.gateway)) break;
        await Promise.all([this.#publish(request.gateway, batch), sent < BURST ? undefined : this.#pause()]);
        sent += batch.length;
      }
    } catch (error) {
      // The gateway asks again when no page comes.
      if (!isOffline(error)) onFault(error);
    }
    this.#underWay.delete(request.gateway);
    this.#startNext();
  }

  async #publish(gateway: GatewayId, pages: readonly RosterPage[]): Promise<void> {
    const { roster, link, seal } = this.#deps;
    const { rosterPage } = topicsOf(roster.site, gateway);
    const payloads = await Promise.all(pages.map((page) => seal(encodeRosterPage(roster.site, page))));
    await Promise.all(payloads.map((payload) => link.publish(rosterPage, payload)));
  }

  #pause(): Promise<void> {
    return new Promise((resolve) => this.#deps.clock.schedule(PAUSE, resolve));
  }
}

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
