// How the JSON of a message is wrapped. Unsigned: not at all. Signed messages open here, before anything is parsed.

export type OpenedMessage =
  | { readonly kind: 'opened'; readonly json: Uint8Array }
  | {
      readonly kind: 'refused';
      readonly code: 'not-signed' | 'bad-signature' | 'unknown-key' | 'not-permitted';
      readonly detail: string;
    };

/** Opens the payload of a message of that type. Pure; never throws. */
export type MessageEnvelope = (payload: Uint8Array, messageType: HrMessageType) => OpenedMessage;

export const HR_MESSAGE_TYPES = ['card-bound', 'card-revoked'] as const;
export type HrMessageType = (typeof HR_MESSAGE_TYPES)[number];

/** `trust.messages: unsigned`: whoever may publish to the topic is believed. */
export const unsignedEnvelope: MessageEnvelope = (payload) => ({ kind: 'opened', json: payload });
