// HR's side of the events: stores what the gateways of a site tell, once, and acknowledges what is stored.
//
// 1. Durable before acknowledged: to the broker, and with event-ack to the gateway, which then need not keep it.
// 2. What comes twice is stored once, by (gateway, sequence).
// 3. A number that is not there is not acknowledged, nor is any behind it, unless the gateway has said that it is gone for good.

import type { GatewayId, SiteId } from '../domain/ids.ts';
import type { SequenceRange } from '../domain/log-chain.ts';
import { SequenceRanges } from '../domain/sequence-ranges.ts';
import { errorMessage } from '../errors.ts';
import type { EventJournal } from '../ports/event-journal.ts';
import type { HrLink, HrLinkListener, InboundMessage } from '../ports/hr-link.ts';
import { gatewayOf } from '../wire/desk-topics.ts';
import { encodeEventAck } from '../wire/event-ack.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import { acknowledgedIn, decodeEvent, goneIn, type ReceivedEvent } from '../wire/received-event.ts';
import { topicsOf } from '../wire/topics.ts';
import { isOffline } from './offline.ts';

interface Dependencies {
  readonly site: SiteId;
  readonly journal: EventJournal;
  readonly link: Pick<HrLink, 'publish' | 'isConnected'>;
  /** For event-ack. */
  readonly seal: MessageSeal;
  /** The JSON in a status; undefined for one that is not to be believed. */
  readonly open: (payload: Uint8Array, gateway: GatewayId) => Promise<Uint8Array | undefined>;
  /** Called with what could not be stored or sent, in words. */
  readonly onFault: (text: string) => void;
}

export interface ArchivedGateway {
  readonly gateway: GatewayId;
  /** Events of it in the archive. */
  readonly stored: number;
  /** How many came again, since the archive was opened. */
  readonly doubles: number;
  /** What the gateway was told, or is told next. */
  readonly acknowledged: number;
  /** Numbers between those that are here, which are not and were not said to be gone for good. */
  readonly missing: readonly SequenceRange[];
}

class Holding {
  readonly stored = new SequenceRanges();
  /** With what is gone for good. */
  readonly known = new SequenceRanges();
  count = 0;
  doubles = 0;
  /** What the gateway needs no acknowledgement for any more. */
  base = 0;
  /** Told before what is stored now was. */
  isBehind = false;
  isTelling = false;

  add(event: ReceivedEvent): void {
    this.stored.add(event.sequence);
    this.known.add(event.sequence);
    this.count += 1;
    const gone = goneIn(event);
    if (gone !== undefined) this.known.add(gone.from, gone.to);
  }

  get acknowledged(): number {
    return this.known.contiguousAfter(this.base);
  }
}

export class EventArchive implements HrLinkListener {
  readonly #deps: Dependencies;
  readonly #gateways = new Map<GatewayId, Holding>();
  /** Lines that go with the next write, and the events that are on their way to the disk. */
  #lines: string[] = [];
  readonly #underWay = new Map<string, Promise<void>>();
  #writing: Promise<void> = Promise.resolve();
  #next: Promise<void> | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Takes up what is stored; before the link starts. Rejects as the journal does. */
  async load(): Promise<void> {
    for await (const line of this.#deps.journal.lines()) {
      const event = decodeEvent(Buffer.from(line));
      if (event !== undefined) this.#holding(event.gateway).add(event);
    }
  }

  /** In the order in which the gateways were first heard of. */
  gateways(): readonly ArchivedGateway[] {
    return [...this.#gateways].map(([gateway, { count, doubles, acknowledged, known }]) => ({
      gateway,
      stored: count,
      doubles,
      acknowledged,
      missing: known.gaps(),
    }));
  }

  /** Fulfils when the event is stored; rejects when it could not be, so that it is delivered again. */
  async onMessage({ topic, payload }: InboundMessage): Promise<void> {
    const { site, onFault } = this.#deps;
    const gateway = gatewayOf(site, topic);
    if (gateway === undefined) return;
    const topics = topicsOf(site, gateway);
    if (topic === topics.status) return this.#noteStatus(gateway, payload);
    if (topic !== topics.event) return;
    const event = decodeEvent(payload);
    if (event === undefined || event.gateway !== gateway) {
      onFault(`what came on ${topic} is no event of that gateway, and is not stored`);
      return;
    }
    await this.#store(event);
    void this.#tell(gateway);
  }

  /** HR is there: a gateway that waits for an answer hears it. */
  onConnect(): void {
    for (const gateway of this.#gateways.keys()) void this.#tell(gateway);
  }

  onDisconnect(): void {}

  /** Ends when what was received is stored. */
  async close(): Promise<void> {
    await (this.#next ?? this.#writing).catch(() => {});
  }

  #holding(gateway: GatewayId): Holding {
    const holding = this.#gateways.get(gateway) ?? new Holding();
    this.#gateways.set(gateway, holding);
    return holding;
  }

  /** What the gateway knows to be acknowledged never comes again. */
  async #noteStatus(gateway: GatewayId, payload: Uint8Array): Promise<void> {
    const json = await this.#deps.open(payload, gateway);
    const acknowledged = json === undefined ? undefined : acknowledgedIn(json);
    if (acknowledged === undefined) return;
    const isNews = this.#gateways.get(gateway)?.base !== acknowledged;
    this.#holding(gateway).base = acknowledged;
    // Each acknowledgement may bring another status.
    if (isNews) await this.#tell(gateway);
  }

  #store(event: ReceivedEvent): Promise<void> {
    const holding = this.#holding(event.gateway);
    const key = `${event.gateway} ${event.sequence}`;
    const underWay = this.#underWay.get(key);
    if (underWay !== undefined || holding.stored.has(event.sequence)) {
      holding.doubles += 1;
      return underWay ?? Promise.resolve();
    }
    this.#lines.push(event.text);
    const stored = this.#flushed()
      .then(() => holding.add(event))
      .finally(() => this.#underWay.delete(key));
    this.#underWay.set(key, stored);
    return stored;
  }

  /** All that arrives while one write is on its way shares the next. */
  #flushed(): Promise<void> {
    this.#next ??= this.#writing
      .catch(() => {})
      .then(() => {
        this.#next = undefined;
        this.#writing = this.#deps.journal.append(this.#lines.splice(0));
        return this.#writing;
      });
    return this.#next;
  }

  /** One acknowledgement at a time; what is stored meanwhile goes with the next. */
  async #tell(gateway: GatewayId): Promise<void> {
    const { site, link, seal, onFault } = this.#deps;
    const holding = this.#holding(gateway);
    holding.isBehind = true;
    if (holding.isTelling) return;
    holding.isTelling = true;
    try {
      while (holding.isBehind && link.isConnected()) {
        holding.isBehind = false;
        const payload = await seal(encodeEventAck(site, gateway, { upTo: holding.acknowledged }));
        await link.publish(topicsOf(site, gateway).eventAck, payload);
      }
    } catch (error) {
      // The next event, or the next connection, brings the next one.
      if (!isOffline(error)) onFault(`events of ${gateway} are not acknowledged: ${errorMessage(error)}`);
    } finally {
      holding.isTelling = false;
    }
  }
}
