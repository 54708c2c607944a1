// One message to the broker and the receipt that answers it, with a throw-away client: clean session, nothing retained.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt';
import * as z from 'zod';
import type { Config, MqttConfig } from '../config/config.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { HrMessageType } from '../wire/message-envelope.ts';
import { type Topics, topicsOf } from '../wire/topics.ts';

/** Milliseconds. */
const RECEIPT_LIMIT = 10_000;
const STATUS_LIMIT = 3_000;
const END_LIMIT = 1_000;

const receiptSchema = z.object({
  messageId: z.string().nullable(),
  result: z.enum(['applied', 'duplicate', 'stale', 'rejected']),
  code: z.string().nullable(),
  detail: z.string().nullable(),
  path: z.string().nullable(),
  superseded: z.array(z.string()),
  doors: z.array(z.string()),
  warnings: z.array(z.string()),
});
const statusSchema = z.object({ online: z.literal(true), roster: z.object({ revision: z.number() }) });

/** As PROTOCOL.md has it; the gateway judges the rest. */
export interface DeskMessage {
  readonly messageId: string;
  readonly [field: string]: unknown;
}

export type DeskReceipt = z.infer<typeof receiptSchema>;

export class DeskExchange {
  readonly #client: MqttClient;
  readonly #config: Config;
  readonly #topics: Topics;
  readonly #listeners = new Set<(topic: string, content: unknown) => void>();
  #revision: number | undefined;

  private constructor(client: MqttClient, config: Config) {
    this.#client = client;
    this.#config = config;
    this.#topics = topicsOf(config.site, config.gateway);
    client.on('error', () => {});
    client.on('message', (topic, payload) => this.#onMessage(topic, payload));
  }

  /** Connected, and listening for receipts. Rejects with CardeaError `link-offline`. */
  static async connect(config: Config): Promise<DeskExchange> {
    const url = urlOf(config.mqtt);
    const client = await connectAsync(url, clientOptions(config.mqtt), false).catch((error: unknown) => {
      const reason = errorMessage(error) || 'the connection is refused';
      throw new CardeaError('link-offline', `no broker answers at ${url}: ${reason}`, { cause: error });
    });
    const exchange = new DeskExchange(client, config);
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
  async nextRevision(): Promise<number> {
    if (this.#revision === undefined) await this.#next(STATUS_LIMIT, () => this.#revision);
    if (this.#revision !== undefined) return this.#revision + 1;
    throw new CardeaError(
      'link-offline',
      `gateway ${this.#config.gateway} is not online at this broker; start it, or choose the number with --revision`,
    );
  }

  /** The receipt that carries the message's id. Rejects with CardeaError `link-offline` when none comes. */
  async send(type: HrMessageType, message: DeskMessage): Promise<DeskReceipt> {
    const answered = this.#next(RECEIPT_LIMIT, (topic, content) => {
      if (topic !== this.#topics.receipt) return undefined;
      const receipt = receiptSchema.safeParse(content);
      return receipt.success && receipt.data.messageId === message.messageId ? receipt.data : undefined;
    });
    const topic = type === 'card-bound' ? this.#topics.cardBound : this.#topics.cardRevoked;
    // What ends first decides: a broker that went away acknowledges nothing.
    this.#client.publishAsync(topic, JSON.stringify(message), { qos: 1 }).catch(() => {});
    const receipt = await answered;
    if (receipt !== undefined) return receipt;
    throw new CardeaError(
      'link-offline',
      `no receipt from gateway ${this.#config.gateway} within 10 seconds; the message may still be applied later`,
    );
  }

  async close(): Promise<void> {
    const ended = this.#client.endAsync().catch(() => {});
    const timer = setTimeout(() => this.#client.end(true), END_LIMIT);
    await ended;
    clearTimeout(timer);
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

  #onMessage(topic: string, payload: Buffer): void {
    const content = parseJson(payload);
    if (topic === this.#topics.status) {
      const status = statusSchema.safeParse(content);
      this.#revision = status.success ? status.data.roster.revision : undefined;
    }
    for (const listener of [...this.#listeners]) listener(topic, content);
  }
}

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

const parseJson = (payload: Buffer): unknown => {
  try {
    return JSON.parse(payload.toString('utf8'));
  } catch {
    return undefined;
  }
};
