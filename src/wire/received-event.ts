// Events as HR reads them: from the bytes of the topic `event`, or of a line that was stored, to what HR has to know of them.

import * as z from 'zod';
import { type GatewayId, parseGatewayId } from '../domain/ids.ts';
import type { SequenceRange } from '../domain/log-chain.ts';
import { parseJsonObject } from './message-json.ts';
import { eventSchema, statusSchema } from './outbound-schema.ts';

export interface ReceivedEvent {
  readonly gateway: GatewayId;
  readonly sequence: number;
  readonly event: string;
  readonly detail: unknown;
  /** The JSON as it came, without line breaks. */
  readonly text: string;
}

/** As much as it takes to store an event once: a later gateway may tell of what nobody here knows, and waits for the answer. */
const storedSchema = eventSchema.pick({ type: true, sequence: true, detail: true }).extend({
  gateway: z.string(),
  event: z.string().min(1).max(64),
});

/** Undefined for what is no event. */
export const decodeEvent = (payload: Uint8Array): ReceivedEvent | undefined => {
  const parsed = parseJsonObject(payload);
  const fields = 'fault' in parsed ? undefined : storedSchema.safeParse(parsed.content).data;
  const gateway = fields === undefined ? undefined : parseGatewayId(fields.gateway);
  if (fields === undefined || gateway === undefined) return undefined;
  const { sequence, event, detail } = fields;
  // A line break in JSON stands between its parts only.
  const text = Buffer.from(payload)
    .toString()
    .replaceAll(/[\r\n]+/g, ' ');
  return { gateway, sequence, event, detail, text };
};

/** Events that say of others that they will never come (PROTOCOL.md, Events). */
const LOSSES: readonly string[] = ['events-dropped', 'store-damaged', 'store-restored'];

/** Which numbers are gone for good, as this event says. */
export const goneIn = ({ event, detail }: ReceivedEvent): SequenceRange | undefined => {
  if (!LOSSES.includes(event)) return undefined;
  const { from, to } = Object(event === 'events-dropped' ? detail : Object(detail).missing);
  return Number.isSafeInteger(from) && Number.isSafeInteger(to) && 1 <= from && from <= to ? { from, to } : undefined;
};

/** Up to where the gateway holds its events to be acknowledged, by its status; undefined where that does not say. */
export const acknowledgedIn = (json: Uint8Array): number | undefined => {
  const parsed = parseJsonObject(json);
  const status = 'fault' in parsed ? undefined : statusSchema.safeParse(parsed.content).data;
  return status?.online === true ? status.outbox.acknowledged : undefined;
};
