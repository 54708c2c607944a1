// The MQTT contract as data: every message with its topic, its direction, its schema and examples. JSON Schema for integrators comes
// from here, AsyncAPI (asyncapi.ts) too, so that neither can say what the code does not do.

import * as z from 'zod';
import { CARDHOLDER_ID } from '../domain/ids.ts';
import { EXAMPLES } from './contract-examples.ts';
import {
  calendarSchema,
  cardBoundSchema,
  cardRevokedSchema,
  commandSchema,
  eventAckSchema,
  rosterDigestSchema,
  rosterPageSchema,
  rosterRequestSchema,
} from './hr-message-schema.ts';
import { MESSAGE_NAMES, type MessageName } from './message-names.ts';
import { eventSchema, receiptSchema, statusSchema } from './outbound-schema.ts';

/** Of PROTOCOL's messages; raised when one changes so that an integrator must act. */
export const CONTRACT_VERSION = 1;

export interface ContractMessage {
  readonly schema: z.ZodType;
  /** Seen from the gateway. */
  readonly action: 'receive' | 'send';
  /** Below `cardea/<site>/`: HR's for all gateways, or those of one gateway. */
  readonly branch: 'hr' | 'gateways';
  /** Whether it comes below `hr` as well, for all gateways at once. */
  readonly isAlsoForAll?: true;
  readonly isRetained: boolean;
  /** Whether it may come as JWS: from HR where messages are signed, from a gateway that has a key of its own. */
  readonly mayBeSigned: boolean;
  readonly answeredBy?: MessageName;
}

export const CONTRACT: Readonly<Record<MessageName, ContractMessage>> = {
  'card-bound': {
    schema: cardBoundSchema,
    action: 'receive',
    branch: 'hr',
    isRetained: false,
    mayBeSigned: true,
    answeredBy: 'receipt',
  },
  'card-revoked': {
    schema: cardRevokedSchema,
    action: 'receive',
    branch: 'hr',
    isRetained: false,
    mayBeSigned: true,
    answeredBy: 'receipt',
  },
  calendar: {
    schema: calendarSchema,
    action: 'receive',
    branch: 'hr',
    isRetained: true,
    mayBeSigned: true,
    answeredBy: 'receipt',
  },
  'roster-digest': {
    schema: rosterDigestSchema,
    action: 'receive',
    branch: 'hr',
    isRetained: true,
    mayBeSigned: true,
  },
  'roster-page': {
    schema: rosterPageSchema,
    action: 'receive',
    branch: 'gateways',
    isRetained: false,
    mayBeSigned: true,
  },
  'event-ack': {
    schema: eventAckSchema,
    action: 'receive',
    branch: 'gateways',
    isRetained: false,
    mayBeSigned: true,
  },
  command: {
    schema: commandSchema,
    action: 'receive',
    branch: 'gateways',
    isAlsoForAll: true,
    isRetained: false,
    mayBeSigned: true,
    answeredBy: 'receipt',
  },
  receipt: { schema: receiptSchema, action: 'send', branch: 'gateways', isRetained: false, mayBeSigned: true },
  event: { schema: eventSchema, action: 'send', branch: 'gateways', isRetained: false, mayBeSigned: false },
  'roster-request': {
    schema: rosterRequestSchema,
    action: 'send',
    branch: 'gateways',
    isRetained: false,
    mayBeSigned: false,
    answeredBy: 'roster-page',
  },
  status: { schema: statusSchema, action: 'send', branch: 'gateways', isRetained: true, mayBeSigned: true },
};

export type JsonSchema = z.core.JSONSchema.BaseSchema;

/** JSON Schema 2020-12 of all messages: each under `$defs`, and valid is what is any of them. */
export const contractSchema = (): JsonSchema => ({
  $schema: DRAFT,
  $id: CONTRACT_ID,
  title: 'Cardea MQTT contract',
  description:
    'The messages between an HR system and the gateways: JSON, UTF-8, one object per MQTT message. A message of a given topic has the type of its last segment.',
  oneOf: MESSAGE_NAMES.map((name) => ({ $ref: `#/$defs/${name}` })),
  $defs: Object.fromEntries(MESSAGE_NAMES.map((name) => [name, messageSchema(name)])),
});

/** The same for one message, as a document of its own. */
export const messageContractSchema = (name: MessageName): JsonSchema => ({
  $schema: DRAFT,
  $id: `${CONTRACT_ID}:${name}`,
  ...messageSchema(name),
});

const DRAFT = 'https://json-schema.org/draft/2020-12/schema';
const CONTRACT_ID = `urn:cardea:contract:${CONTRACT_VERSION}`;

/** Without `$schema` and `$id`, and with nothing in it that AsyncAPI's dialect (draft 7) would understand differently. */
export const messageSchema = (name: MessageName): JsonSchema => {
  const { $schema, ...schema } = z.toJSONSchema(CONTRACT[name].schema, {
    io: 'input',
    override: ({ jsonSchema }) => makePortable(jsonSchema),
  });
  return { title: name, ...schema, examples: EXAMPLES[name].map(({ payload }) => payload) };
};

/** As CARDHOLDER_ID, for regular expressions that know no `\p`, Python's among them. Lone surrogates are no valid UTF-8 anyway. */
const PORTABLE_ID = '^[^\\x00-\\x1f\\x7f-\\x9f]{1,64}$';

const makePortable = (schema: JsonSchema): void => {
  // What the decoder leaves out of account (hr-message-schema.ts).
  if (schema.additionalProperties === false) schema.patternProperties = { '^x-': {} };
  if (schema.pattern === CARDHOLDER_ID.source) schema.pattern = PORTABLE_ID;
  // No format of the standard; contentEncoding says it.
  if (schema.format === 'base64') delete schema.format;
};
