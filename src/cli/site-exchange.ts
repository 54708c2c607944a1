// One command to all gateways of the site, and the receipts of those that answer. Who is to be waited for, the retained statuses
// tell; signatures of gateways are taken off unchecked, since this machine has the key of one of them at most.

import type { MqttClient } from 'mqtt';
import * as z from 'zod';
import type { Config } from '../config/config.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import { type ReceiptFields, receiptSchema } from '../wire/outbound-schema.ts';
import { topicsOf } from '../wire/topics.ts';
import { connectDesk, endDesk, parseJson } from './desk-exchange.ts';
import { uncheckedOpener } from './desk-signing.ts';

/** How long to wait, in milliseconds. */
export interface SiteLimits {
  /** For the statuses that the broker keeps. */
  readonly statuses: number;
  /** For the receipts of all who are online. */
  readonly receipts: number;
}

export const SITE_LIMITS: SiteLimits = { statuses: 1_000, receipts: 10_000 };

export interface SiteAnswer {
  /** In the order of the gateways' names. */
  readonly receipts: readonly ReceiptFields[];
  /** Gateways that are online by their status and have not answered. */
  readonly missing: readonly string[];
  /** Gateways that are offline by their status: they hear of the command if they are back before it expires. */
  readonly offline: readonly string[];
}

const statusSchema = z.object({ type: z.literal('status'), gateway: z.string(), online: z.boolean() });

/** Rejects with CardeaError `link-offline` when no broker or no gateway answers. */
export const sendToSite = async (
  config: Config,
  message: { readonly messageId: string; readonly payload: string },
  limits: SiteLimits = SITE_LIMITS,
): Promise<SiteAnswer> => {
  const client = await connectDesk(config);
  client.on('error', () => {});
  try {
    const roll = new RollCall(client, message.messageId);
    await subscribe(client, config);
    const { siteCommand } = topicsOf(config.site, config.gateway);
    // What ends first decides: a broker that went away acknowledges nothing.
    client.publishAsync(siteCommand, message.payload, { qos: 1 }).catch(() => {});
    await roll.wait(limits);
    const answer = roll.answer();
    if (answer.receipts.length > 0) return answer;
    throw new CardeaError(
      'link-offline',
      `no gateway of site ${config.site} has answered within ${limits.receipts / 1000} seconds; the command may still be carried out until it expires`,
    );
  } finally {
    await endDesk(client);
  }
};

const subscribe = async (client: MqttClient, { site }: Config): Promise<void> => {
  const gateways = `cardea/${site}/gateways/+`;
  try {
    await client.subscribeAsync([`${gateways}/receipt`, `${gateways}/status`], { qos: 1 });
  } catch (error) {
    const why = `the broker does not let us read the receipts of the site: ${errorMessage(error)}`;
    throw new CardeaError('link-offline', why, { cause: error });
  }
};

/** Who is there, and who has answered. */
class RollCall {
  readonly #messageId: string;
  readonly #online = new Set<string>();
  readonly #offline = new Set<string>();
  readonly #receipts = new Map<string, ReceiptFields>();
  /** Called after each message. */
  #onMessage: () => void = () => {};

  constructor(client: MqttClient, messageId: string) {
    this.#messageId = messageId;
    client.on('message', (_topic, payload) => void this.#take(payload));
  }

  /** Until everybody has answered who is known to be online; those who are not known yet are given `statuses` to show up. */
  async wait({ statuses, receipts }: SiteLimits): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, statuses));
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, receipts);
      this.#onMessage = () => {
        if (this.#online.size === 0 || this.#missing().length > 0) return;
        clearTimeout(timer);
        resolve();
      };
      this.#onMessage();
    });
  }

  answer(): SiteAnswer {
    const receipts = [...this.#receipts].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, receipt]) => receipt);
    return { receipts, missing: this.#missing(), offline: this.#unansweredOf(this.#offline) };
  }

  #missing(): string[] {
    return this.#unansweredOf(this.#online);
  }

  #unansweredOf(gateways: ReadonlySet<string>): string[] {
    return [...gateways].filter((gateway) => !this.#receipts.has(gateway)).toSorted();
  }

  #noteStatus({ gateway, online }: z.infer<typeof statusSchema>): void {
    const [is, isNot] = online ? [this.#online, this.#offline] : [this.#offline, this.#online];
    is.add(gateway);
    isNot.delete(gateway);
  }

  async #take(payload: Uint8Array): Promise<void> {
    const json = await uncheckedOpener(payload);
    const content = json === undefined ? undefined : parseJson(json);
    const status = statusSchema.safeParse(content).data;
    if (status !== undefined) this.#noteStatus(status);
    const receipt = receiptSchema.safeParse(content).data;
    if (receipt?.messageId === this.#messageId) this.#receipts.set(receipt.gateway, receipt);
    this.#onMessage();
  }
}
