// HR's word that it has stored a gateway's events (PROTOCOL.md, Events). Both ends of the message are here.

import type { GatewayId, SiteId } from '../domain/ids.ts';
import { eventAckSchema } from './hr-message-schema.ts';
import { type Fault, schemaFault } from './message-json.ts';

export interface EventAck {
  /** Everything up to this number; 0 where there is nothing yet. */
  readonly upTo: number;
}

export const encodeEventAck = (site: SiteId, gateway: GatewayId, { upTo }: EventAck): string =>
  JSON.stringify({ type: 'event-ack', site, gateway, upTo });

/** `content` as it came out of the envelope, to `gateway`. */
export const decodeEventAck = (content: unknown, gateway: GatewayId): EventAck | { readonly fault: Fault } => {
  const parsed = eventAckSchema.safeParse(content);
  if (!parsed.success) return { fault: schemaFault(parsed.error) };
  if (parsed.data.gateway !== undefined && parsed.data.gateway !== gateway) {
    return { fault: { code: 'wrong-topic', path: 'gateway', detail: `this topic belongs to gateway "${gateway}"` } };
  }
  return { upTo: parsed.data.upTo };
};
