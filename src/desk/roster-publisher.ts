// Connects the roster with the gateways: hand it to `link.start()`, or pass on what the link tells. It publishes changes, keeps
// the retained digest current and answers the gateways' requests. Collecting receipts and storing the roster are the caller's.
//
// An integrator stores a change, then publishes it, and waits for receipts. When publishing fails, or this process ends before
// the broker has acknowledged, nothing needs to be undone or repeated: the change is in the roster, the digest tells gateways that
// they lack it, and they fetch it. What is missed that way is the receipt; whoever wants it publishes the same message again, at any
// time and in any order, for gateways go by the revision.

import { CardeaError } from '../errors.ts';
import type { Clock } from '../ports/clock.ts';
import type { HrLink, HrLinkListener, InboundMessage } from '../ports/hr-link.ts';
import { encodeChange } from '../wire/change-encoding.ts';
import type { HrMessage } from '../wire/change-messages.ts';
import { deskTopicsOf, requestingGateway } from '../wire/desk-topics.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import { decodeRosterRequest } from '../wire/roster-messages.ts';
import { DigestPublisher } from './digest-publisher.ts';
import { RequestAnswerer } from './request-answerer.ts';
import type { Roster } from './roster.ts';

export interface RosterPublisherDependencies {
  readonly roster: Pick<Roster, 'site' | 'digest' | 'pagesFor'>;
  /** Subscribed to `deskTopicsOf(site).rosterRequests`. */
  readonly link: HrLink;
  readonly clock: Clock;
  /** HR's signature (`sealWith`), or `unsignedSeal`. */
  readonly seal: MessageSeal;
  /** Hears of failures that no caller waits for: a digest or a page refused by the broker, a request that makes no sense. */
  readonly onFault: (error: unknown) => void;
}

export class RosterPublisher implements HrLinkListener {
  readonly #deps: RosterPublisherDependencies;
  readonly #digest: DigestPublisher;
  readonly #answers: RequestAnswerer;
  /** Fulfils when every change so far was handed to the link, or failed. */
  #handedOver: Promise<unknown> = Promise.resolve();

  constructor(deps: RosterPublisherDependencies) {
    this.#deps = deps;
    this.#digest = new DigestPublisher({ ...deps, changesHandedOver: () => this.#handedOver });
    this.#answers = new RequestAnswerer(deps);
  }

  /**
   * Publishes a change that the roster has taken, after those handed in before. Fulfils when the broker has acknowledged it, and not
   * before. Several may be under way: in bulk, publish some hundreds and wait for them all. Rejects with CardeaError
   * `link-offline` while the broker is not connected, `overloaded` when the link has too many to carry, or with what else seal or
   * link have failed with; see above for what to do then.
   */
  async publish(message: HrMessage): Promise<void> {
    const { roster, seal } = this.#deps;
    await this.publishSealed(message.messageType, seal(encodeChange(roster.site, message)));
  }

  /** As `publish`, for a change that somebody else has signed; `payload` is on its way or there. */
  async publishSealed(messageType: HrMessage['messageType'], payload: string | Promise<string>): Promise<void> {
    const { roster, link } = this.#deps;
    const topics = deskTopicsOf(roster.site);
    const topic = messageType === 'card-bound' ? topics.cardBound : topics.cardRevoked;
    this.#digest.onChange();
    // Signatures are made side by side; the link gets the messages in order.
    const turn = Promise.all([payload, this.#handedOver]);
    const handedOver = turn.then(([sealed]) => ({ acknowledged: link.publish(topic, sealed) }));
    this.#handedOver = handedOver.catch(() => {});
    const { acknowledged } = await handedOver;
    await acknowledged;
  }

  onConnect(): void {
    this.#digest.onConnect();
  }

  /** Nothing to do: what is under way fails by itself, and the next connect brings the digest. */
  onDisconnect(): void {}

  /** Takes roster requests and leaves other messages alone. An answer goes on after the request is acknowledged. */
  async onMessage({ topic, payload, retained }: InboundMessage): Promise<void> {
    const gateway = requestingGateway(this.#deps.roster.site, topic);
    if (gateway === undefined) return;
    const request = decodeRosterRequest(payload);
    if (request === undefined || request.gateway !== gateway || retained) {
      const text = `a roster request on ${topic} is ignored: it does not decode, names another gateway, or is retained`;
      this.#deps.onFault(new CardeaError('invalid-request', text));
      return;
    }
    this.#answers.onRequest(request);
  }

  /** Publishes no more digests and pages. Changes that were handed in go on. */
  stop(): void {
    this.#digest.stop();
    this.#answers.stop();
  }
}
