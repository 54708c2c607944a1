// The contract as an AsyncAPI 3.0 document, from the gateway's point of view: it receives what HR sends. An HR system is the other
// end, so what is `receive` here is what HR publishes.

import type { GatewayId, SiteId } from '../domain/ids.ts';
import { CONTRACT, CONTRACT_VERSION, type ContractMessage, messageSchema } from './contract.ts';
import { EXAMPLES } from './contract-examples.ts';
import { MESSAGE_NAMES, type MessageName } from './message-names.ts';

/** What is left out stays a parameter of the topics. */
export interface AsyncApiOptions {
  readonly site?: SiteId | undefined;
  readonly gateway?: GatewayId | undefined;
}

/** JSON, which is YAML as well. */
export const asyncApi = ({ site, gateway }: AsyncApiOptions = {}): object => {
  const places = { site: site ?? '{site}', gateway: gateway ?? '{gateway}' };
  return {
    asyncapi: '3.0.0',
    id: 'urn:cardea:gateway',
    info: {
      title: 'Cardea gateway',
      version: `${CONTRACT_VERSION}.0.0`,
      description: DESCRIPTION,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: { broker: brokerOf(places) },
    channels: {
      ...byMessage((name, message) => [name, channelOf(name, message, addressOf(name, places))]),
      ...forAll((name, message) => [channelForAll(name), channelOf(name, message, addressForAll(name, places))]),
    },
    operations: {
      ...byMessage((name, message) => [`${message.action}-${name}`, operationOf(name, message)]),
      ...forAll((name, message) => [
        `${message.action}-${channelForAll(name)}`,
        operationOf(channelForAll(name), message),
      ]),
    },
    components: {
      schemas: { ...byMessage((name) => [name, messageSchema(name)]), jws: JWS },
      messages: { ...byMessage((name) => [name, messageOf(name)]), ...signedMessages() },
      securitySchemes: SECURITY_SCHEMES,
    },
  };
};

const DESCRIPTION = `A door access-control gateway, as an HR system sees it. \`receive\` is what the gateway receives: HR publishes it.

- QoS 1 everywhere; only calendar, roster-digest and status are retained. A retained card-bound, card-revoked or command is refused.
- Every card-bound and card-revoked is answered by one receipt from every gateway of the site, redeliveries included, and so is every calendar, but for a retained one that the gateway has; every command by one receipt from the gateway that it is for, or from each gateway where it is for all; any other message from HR by a receipt when it is refused.
- Order is decided by \`revision\` alone, never by arrival.
- A command is good until expiresAt, and once: its messageId is remembered until then.
- Strict: an unknown field in a message to a gateway is refused, \`x-...\` aside, which is ignored. In messages from a gateway new fields may appear.
- At most 64 KiB a message, 512 KiB a roster-page.
- Where \`trust.messages\` is \`signed\`, only the signed form of HR's messages is taken.`;

const SECURITY_SCHEMES = {
  userPassword: { type: 'userPassword', description: 'MQTT user name and password, over TLS.' },
  X509: { type: 'X509', description: 'TLS client certificate.' },
};

const JWS = {
  type: 'string',
  title: 'JWS compact',
  description:
    'JWS in compact form (RFC 7515): header {"alg":"EdDSA","kid":"..."}, payload exactly the JSON of the message, signature Ed25519 (RFC 8037); base64url without padding. kid names a key of the receiver\'s configuration that is allowed to send this type of message.',
  pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]{86}$',
};

/** AsyncAPI's name for the terms of these bindings. */
const BINDING_VERSION = '0.2.0';

const PARAMETERS = {
  site: { description: 'Id of the site: 1 to 63 lower-case letters, digits or dashes.', examples: ['hq'] },
  gateway: { description: 'Id of the gateway: 1 to 63 lower-case letters, digits or dashes.', examples: ['lobby-1'] },
};

/** Names in the topics, or the parameters that stand for them. */
interface Places {
  readonly site: string;
  readonly gateway: string;
}

const addressOf = (name: MessageName, { site, gateway }: Places): string =>
  `cardea/${site}/${CONTRACT[name].branch === 'hr' ? 'hr' : `gateways/${gateway}`}/${name}`;

/** The channel of a message that comes below `hr` as well. */
const channelForAll = (name: MessageName): string => `site-${name}`;
const addressForAll = (name: MessageName, { site }: Places): string => `cardea/${site}/hr/${name}`;

const parametersIn = (address: string): object => {
  const open = Object.entries(PARAMETERS).filter(([name]) => address.includes(`{${name}}`));
  return open.length === 0 ? {} : { parameters: Object.fromEntries(open) };
};

const brokerOf = (places: Places): object => ({
  host: '{host}:{port}',
  protocol: 'secure-mqtt',
  protocolVersion: '5',
  description: 'Any MQTT broker; 3.1.1 serves as well. The bindings are how a gateway connects.',
  variables: {
    host: { description: 'The broker of the site.', default: 'localhost' },
    port: { default: '8883' },
  },
  security: Object.keys(SECURITY_SCHEMES).map((name) => ({ $ref: `#/components/securitySchemes/${name}` })),
  bindings: {
    mqtt: {
      clientId: `cardea-${places.gateway}`,
      cleanSession: false,
      keepAlive: 15,
      lastWill: {
        topic: addressOf('status', places),
        qos: 1,
        retain: true,
        message: JSON.stringify({ type: 'status', gateway: places.gateway, online: false }),
      },
      bindingVersion: BINDING_VERSION,
    },
  },
});

const channelOf = (name: MessageName, message: ContractMessage, address: string): object => ({
  address,
  messages: Object.fromEntries(formsOf(name, message).map((form) => [form, { $ref: `#/components/messages/${form}` }])),
  ...parametersIn(address),
});

const operationOf = (channel: string, { action, isRetained, answeredBy }: ContractMessage): object => ({
  action,
  channel: { $ref: `#/channels/${channel}` },
  bindings: { mqtt: { qos: 1, retain: isRetained, bindingVersion: BINDING_VERSION } },
  ...(answeredBy !== undefined && { reply: { channel: { $ref: `#/channels/${answeredBy}` } } }),
});

const messageOf = (name: MessageName): object => ({
  name,
  contentType: 'application/json',
  summary: CONTRACT[name].schema.description,
  payload: { $ref: `#/components/schemas/${name}` },
  examples: EXAMPLES[name],
});

const signedForm = (name: MessageName): string => `${name}-signed`;

const formsOf = (name: MessageName, { mayBeSigned }: ContractMessage): string[] =>
  mayBeSigned ? [name, signedForm(name)] : [name];

const signedMessages = (): object => {
  const names = MESSAGE_NAMES.filter((name) => CONTRACT[name].mayBeSigned);
  return Object.fromEntries(
    names.map((name) => [
      signedForm(name),
      {
        name: signedForm(name),
        contentType: 'application/jose',
        summary: `The same, signed: JWS compact whose payload is the JSON of ${name}`,
        payload: { $ref: '#/components/schemas/jws' },
      },
    ]),
  );
};

const byMessage = (entryOf: (name: MessageName, message: ContractMessage) => readonly [string, object]): object =>
  Object.fromEntries(MESSAGE_NAMES.map((name) => entryOf(name, CONTRACT[name])));

const forAll = (entryOf: (name: MessageName, message: ContractMessage) => readonly [string, object]): object =>
  Object.fromEntries(
    MESSAGE_NAMES.filter((name) => CONTRACT[name].isAlsoForAll).map((name) => entryOf(name, CONTRACT[name])),
  );
