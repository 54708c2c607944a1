// One message to the broker and the receipt that answers it, with a throw-away client: clean session, nothing retained but calendars.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import * as z from 'zod';
import type { Config, MqttConfig } from '../config/config.ts';
import { sha256Hex } from '../domain/canonical-json.ts';
import type { GatewayId } from '../domain/ids.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import { MAX_MESSAGE_BYTES } from '../wire/hr-messages.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import { type EventFields, eventSchema, type ReceiptFields, receiptSchema } from '../wire/outbound-schema.ts';
import { type Topics, topicsOf } from '../wire/topics.ts';
import type { GatewayOpener } from './desk-signing.ts';

/** How long to wait, in milliseconds. */
export interface DeskLimits {
  readonly receipt: number;
  readonly status: number;
  /** For the status to show what the receipt has told. */
  readonly settling: number;
  /** For a person to hold a card to a reader. */
  readonly presentation: number;
}

const LIMITS: DeskLimits = { receipt: 10_000, status: 3_000, settling: 1_000, presentation: 60_000 };
/** The gateway's clock may be so far behind ours, in milliseconds; what is older was held to the reader before anybody waited. */
const CLOCK_TOLERANCE = 5_000;
const END_LIMIT = 1_000;

const statusSchema = z.object({
  online: z.literal(true),
  roster: z.object({ revision: z.number() }),
  calendar: z.object({ revision: z.number() }).nullish(),
});

/** What a desk command may send. */
export type DeskMessageType = 'card-bound' | 'card-revoked' | 'calendar';

/** As PROTOCOL.md has it; the gateway judges the rest. */
export interface DeskMessage {
  readonly messageId: string;
  readonly [field: string]: unknown;
}

/** How messages go out, and how the gateway's come in. */
export interface DeskSigning {
  readonly seal: MessageSeal;
  readonly open: GatewayOpener;
}

interface ExchangeOptions {
  readonly signing: DeskSigning;
  readonly limits: DeskLimits;
}

export class DeskExchange {
  readonly #client: MqttClient;
  readonly #config: Config;
  readonly #topics: Topics;
  readonly #signing: DeskSigning;
  readonly #limits: DeskLimits;
  readonly #listeners = new Set<(topic: string, content: unknown) => void>();
  #status: z.infer<typeof statusSchema> | undefined;
  /** For the error that ends the wait. */
  #doubts = '';
  /** One message after the other, however long a signature takes to check. */
  #received: Promise<void> = Promise.resolve();

  private constructor(client: MqttClient, config: Config, { signing, limits }: ExchangeOptions) {
    this.#client = client;
    this.#config = config;
    this.#signing = signing;
    this.#limits = limits;
    this.#topics = topicsOf(config.site, config.gateway);
    client.on('error', () => {});
    client.on('message', (topic, payload) => {
      this.#received = this.#received.then(() => this.#onMessage(topic, payload));
    });
  }

  /** Connected, and listening for receipts. Rejects with CardeaError `link-offline`. */
  static async connect(config: Config, signing: DeskSigning, limits = LIMITS): Promise<DeskExchange> {
    const url = urlOf(config.mqtt);
    const client = await connectDesk(config);
    const exchange = new DeskExchange(client, config, { signing, limits });
    try {
      await client.subscribeAsync([exchange.#topics.receipt, exchange.#topics.status], { qos: 1 });
      return exchange;
    } catch (error) {
      await exchange.close();
      const message = `the broker at ${url} does not let us read receipts: ${errorMessage(error)}`;
      throw new CardeaError('link-offline', message, { cause: error });
    }
  }

  /** One more than the gateway has seen, from its retained status. Rejects with CardeaError `link-offline`. */
  async nextRevision(type: DeskMessageType): Promise<number> {
    const seen = (): number | undefined => this.#seen(type);
    const revision = seen() ?? (await this.#next(this.#limits.status, seen));
    if (revision !== undefined) return revision + 1;
    throw new CardeaError(
      'link-offline',
      `gateway ${this.#config.gateway} is not online at this broker; start it, or choose the number with --revision${this.#doubts}`,
    );
  }

  /**
   * The number of the next card that is held to an enrolment reader. Events are not signed: whoever may publish as that gateway
   * chooses the number. Rejects with CardeaError `timed-out`, or `invalid-request` when the reader says anything else of a card.
   */
  async nextPresented(reader: string, gateway: GatewayId): Promise<string> {
    const { event: topic } = topicsOf(this.#config.site, gateway);
    const since = Date.now() - CLOCK_TOLERANCE;
    // A gateway that was offline tells of earlier cards first.
    const isNews = ({ time, clockSynchronized }: EventFields): boolean =>
      clockSynchronized && Date.parse(time) >= since;
    await this.#client.subscribeAsync(topic, { qos: 1 });
    const event = await this.#next(this.#limits.presentation, (from, content) => {
      const event = from === topic ? eventSchema.safeParse(content).data : undefined;
      if (event === undefined || event.reader !== reader || !TAP_EVENTS.includes(event.event)) return undefined;
      return isNews(event) ? event : undefined;
    });
    if (event === undefined) {
      const seconds = this.#limits.presentation / 1000;
      const why = `no card was held to reader ${reader} of gateway ${gateway} within ${seconds} seconds`;
      throw new CardeaError('timed-out', `${why}, or its clock is not set; nothing is bound`);
    }
    if (event.event === 'card-presented' && event.card !== null) return event.card;
    const what = event.reason === null ? event.event : `${event.event}: ${event.reason}`;
    throw new CardeaError(
      'invalid-request',
      `reader ${reader} says ${what}; only card-presented gives a number to bind`,
    );
  }

  /** The receipt that names the message. Rejects with CardeaError `link-offline` when none comes, `invalid-request` for one too large. */
  async send(type: DeskMessageType, message: DeskMessage): Promise<ReceiptFields> {
    const payload = await this.#signing.seal(JSON.stringify(message));
    const bytes = Buffer.byteLength(payload);
    if (bytes > MAX_MESSAGE_BYTES) {
      throw new CardeaError('invalid-request', `the message has ${bytes} bytes, the limit is ${MAX_MESSAGE_BYTES}`);
    }
    // A gateway that could not look into the message names it by its hash.
    const hash = sha256Hex(payload);
    const answered = this.#next(this.#limits.receipt, (topic, content) => {
      if (topic !== this.#topics.receipt) return undefined;
      const receipt = receiptSchema.safeParse(content);
      if (!receipt.success) return undefined;
      const { messageId, payloadSha256 } = receipt.data;
      return messageId === message.messageId || payloadSha256 === hash ? receipt.data : undefined;
    });
    const isCalendar = type === 'calendar';
    // What ends first decides: a broker that went away acknowledges nothing.
    this.#client.publishAsync(this.#topicOf(type), payload, { qos: 1, retain: isCalendar }).catch(() => {});
    const receipt = await answered;
    if (receipt !== undefined) {
      if (!isCalendar) await this.#settled(type, receipt.roster.revision);
      else if (receipt.result === 'applied') await this.#settled(type, receipt.revision ?? 0);
      return receipt;
    }
    throw new CardeaError(
      'link-offline',
      `no receipt from gateway ${this.#config.gateway} within ${this.#limits.receipt / 1000} seconds; the message may still be applied later${this.#doubts}`,
    );
  }

  /** The next desk command counts on from the status, which follows a change a little later than the receipt. */
  async #settled(type: DeskMessageType, revision: number): Promise<void> {
    const isShown = (): true | undefined => ((this.#seen(type) ?? -1) >= revision ? true : undefined);
    if (isShown() === undefined) await this.#next(this.#limits.settling, isShown);
  }

  /** The highest revision at the gateway, 0 before the first; undefined while it is not known. Calendars count by themselves. */
  #seen(type: DeskMessageType): number | undefined {
    if (this.#status === undefined) return undefined;
    return type === 'calendar' ? (this.#status.calendar?.revision ?? 0) : this.#status.roster.revision;
  }

  #topicOf(type: DeskMessageType): string {
    switch (type) {
      case 'card-bound':
        return this.#topics.cardBound;
      case 'card-revoked':
        return this.#topics.cardRevoked;
      case 'calendar':
        return this.#topics.calendar;
    }
  }

  close(): Promise<void> {
    return endDesk(this.#client);
  }

  /** The first value that `pick` makes of a message; undefined when none has come in time. */
  #next<Value>(
    limit: number,
    pick: (topic: string, content: unknown) => Value | undefined,
  ): Promise<Value | undefined> {
    return new Promise((resolve) => {
      const finish = (value: Value | undefined): void => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(value);
      };
      const listener = (topic: string, content: unknown): void => {
        const value = pick(topic, content);
        if (value !== undefined) finish(value);
      };
      const timer = setTimeout(() => finish(undefined), limit);
      this.#listeners.add(listener);
    });
  }

  async #onMessage(topic: string, payload: Buffer): Promise<void> {
    const isSigned = topic === this.#topics.receipt || topic === this.#topics.status;
    const json = isSigned ? await this.#signing.open(payload) : payload;
    if (json === undefined) {
      this.#doubts = `; what came was not signed with the key in ${this.#config.trust.gatewayKey.file}, which a running gateway takes at its next start`;
      return;
    }
    const content = parseJson(json);
    if (topic === this.#topics.status) {
      const status = statusSchema.safeParse(content);
      this.#status = status.success ? status.data : undefined;
    }
    for (const listener of [...this.#listeners]) listener(topic, content);
  }
}

/** What a reader may say of a card. */
const TAP_EVENTS: readonly EventFields['event'][] = [
  'card-presented',
  'card-activated',
  'access-granted',
  'access-denied',
];

/** A throw-away client, connected. Rejects with CardeaError `link-offline`. */
export const connectDesk = ({ mqtt }: Config): Promise<MqttClient> => {
  const url = urlOf(mqtt);
  return connectAsync(url, clientOptions(mqtt), false).catch((error: unknown) => {
    const reason = errorMessage(error) || 'the connection is refused';
    throw new CardeaError('link-offline', `no broker answers at ${url}: ${reason}`, { cause: error });
  });
};

/** Ends the connection, at once where the broker does not follow. */
export const endDesk = async (client: MqttClient): Promise<void> => {
  const ended = client.endAsync().catch(() => {});
  const timer = setTimeout(() => client.end(true), END_LIMIT);
  await ended;
  clearTimeout(timer);
};

const urlOf = (mqtt: MqttConfig): string => (mqtt.kind === 'broker' ? mqtt.url : `mqtt://${mqtt.host}:${mqtt.port}`);

const clientOptions = (mqtt: MqttConfig): IClientOptions => {
  const common: IClientOptions = {
    clientId: `cardea-desk-${randomBytes(6).toString('hex')}`,
    clean: true,
    protocolVersion: mqtt.protocolVersion,
    keepalive: mqtt.keepaliveSeconds,
    connectTimeout: mqtt.connectTimeoutSeconds * 1000,
    reconnectPeriod: 0,
  };
  if (mqtt.kind === 'embedded') return common;
  const { username, passwordFile, tls } = mqtt;
  return {
    ...common,
    ...(username !== undefined && { username }),
    ...(passwordFile !== undefined && { password: readFileSync(passwordFile, 'utf8').trimEnd() }),
    ...(tls?.ca !== undefined && { ca: readFileSync(tls.ca) }),
    ...(tls?.cert !== undefined && { cert: readFileSync(tls.cert) }),
    ...(tls?.key !== undefined && { key: readFileSync(tls.key) }),
  };
};

export const parseJson = (json: Uint8Array): unknown => {
  try {
    return JSON.parse(Buffer.from(json).toString());
  } catch {
    return undefined;
  }
};
