// Keeps the retained digest of the roster at the broker current: that by which gateways notice what they have missed.

import { type Milliseconds, seconds } from '../domain/units.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { HrLink } from '../ports/hr-link.ts';
import { deskTopicsOf } from '../wire/desk-topics.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import { encodeRosterDigest } from '../wire/roster-messages.ts';
import { isOffline } from './offline.ts';
import type { Roster } from './roster.ts';

/** How long a change waits for others that share its digest; there is never more than one digest in this time, but at a connect. */
export const AFTER_CHANGE = seconds(2);
/** The digest is repeated, so that a gateway knows that HR is there and its roster still is HR's. */
export const REPEAT = seconds(3600);
/** After the broker has refused one. */
export const AFTER_FAILURE = seconds(30);

interface Dependencies {
  readonly roster: Pick<Roster, 'site' | 'digest'>;
  readonly link: HrLink;
  readonly clock: Clock;
  readonly seal: MessageSeal;
  readonly onFault: (error: unknown) => void;
  /** Fulfils when the changes that were handed in so far are with the link, or failed. */
  readonly changesHandedOver: () => Promise<unknown>;
}

export class DigestPublisher {
  readonly #deps: Dependencies;
  #timer: { readonly timer: Timer; readonly delay: Milliseconds } | undefined;
  #isPublishing = false;
  #isStale = false;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** The roster has changed. */
  onChange(): void {
    if (this.#isPublishing) this.#isStale = true;
    else if (this.#timer?.delay !== AFTER_CHANGE) this.#publishIn(AFTER_CHANGE);
  }

  onConnect(): void {
    if (this.#isPublishing) this.#isStale = true;
    else void this.#publish();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.timer.cancel();
  }

  #publishIn(delay: Milliseconds): void {
    this.#timer?.timer.cancel();
    if (this.#isStopped) return;
    this.#timer = { timer: this.#deps.clock.schedule(delay, () => void this.#publish()), delay };
  }

  async #publish(): Promise<void> {
    const { roster, link, seal, onFault, changesHandedOver } = this.#deps;
    this.#timer?.timer.cancel();
    this.#timer = undefined;
    // The next connect brings the digest.
    if (!link.isConnected() || this.#isStopped) return;
    this.#isPublishing = true;
    this.#isStale = false;
    let pause = REPEAT;
    try {
      const digest = roster.digest();
      // A digest that overtook the changes in it would make them stale to a gateway that finds itself equal.
      const [payload] = await Promise.all([seal(encodeRosterDigest(roster.site, digest)), changesHandedOver()]);
      await link.publish(deskTopicsOf(roster.site).rosterDigest, payload, { retain: true });
    } catch (error) {
      pause = AFTER_FAILURE;
      if (!isOffline(error)) onFault(error);
    }
    this.#isPublishing = false;
    this.#publishIn(this.#isStale ? AFTER_CHANGE : pause);
  }
}
