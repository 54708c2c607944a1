// How the JSON of a message is wrapped. Unsigned: not at all. Signed messages open here, before anything is parsed.

/** What HR (for commands, also a console) publishes; equal to the last segment of the topic. */
export const HR_MESSAGE_TYPES = [
  'card-bound',
  'card-revoked',
  'calendar',
  'roster-digest',
  'roster-page',
  'event-ack',
  'command',
] as const;
export type HrMessageType = (typeof HR_MESSAGE_TYPES)[number];

export type OpenedMessage =
  | { readonly kind: 'opened'; readonly json: Uint8Array }
  | {
      readonly kind: 'refused';
      readonly code: 'not-signed' | 'bad-signature' | 'unknown-key' | 'not-permitted' | 'invalid-message';
      readonly detail: string;
    };

/** Opens the payload of a message of that type. Never throws or rejects; a promise where it takes a signature to check. */
export type MessageEnvelope = (
  payload: Uint8Array,
  messageType: HrMessageType,
) => OpenedMessage | Promise<OpenedMessage>;

/** `trust.messages: unsigned`: whoever may publish to the topic is believed. */
export const unsignedEnvelope: MessageEnvelope = (payload) =>
  isSigned(payload)
    ? { kind: 'refused', code: 'invalid-message', detail: UNSIGNED_HERE }
    : { kind: 'opened', json: payload };

const UNSIGNED_HERE =
  'this is a signed message, and this gateway is set up for unsigned ones (trust.messages: unsigned): send the JSON itself';

/** A JWS begins with its header, `{"` in base64url, which no JSON begins with. */
export const isSigned = (payload: Uint8Array): boolean => Buffer.from(payload.subarray(0, 3)).toString() === 'eyJ';

/** Wraps the JSON text of a message of ours for the wire. */
export type MessageSeal = (json: string) => string | Promise<string>;

/** A gateway without a key of its own. */
export const unsignedSeal: MessageSeal = (json) => json;
