// Rules of the `mqtt` section: exactly one broker, no plaintext beyond this machine by accident, credentials in pairs.

import { atKey, atValue, type Finding, type Findings } from './faults.ts';
import { allowPlaintext, mqttProtocolVersion, mqttUrl } from './schema.ts';
import { isBlock, type YamlTree } from './yaml-tree.ts';

export const mqttLink = (tree: YamlTree): Findings => {
  const given = tree.keys(['mqtt']);
  if (!isBlock(tree.at(['mqtt']))) return {};
  const has = (key: string): boolean => given.includes(key);
  if (has('url') === has('embedded')) {
    const message = has('url')
      ? 'url and embedded exclude each other; keep one'
      : 'names no broker; give url (HR’s broker) or embedded (one inside the gateway)';
    return { faults: [atKey(has('url') ? ['mqtt', 'embedded'] : ['mqtt'], message)] };
  }
  return has('embedded') ? embedded(tree, given) : broker(tree, given);
};

const TLS_KEYS = ['ca', 'cert', 'key'];
const BROKER_KEYS = ['username', 'passwordFile', ...TLS_KEYS, 'allowPlaintext'];

const embedded = (tree: YamlTree, given: readonly string[]): Findings => {
  const idle = BROKER_KEYS.filter((key) => given.includes(key));
  const path = ['mqtt', 'protocolVersion'];
  const isMqtt5 = tree.read(path, mqttProtocolVersion) === 5;
  return {
    faults: [
      ...idle.map((key) => atKey(['mqtt', key], 'has no effect with mqtt.embedded; remove it')),
      ...(isMqtt5 ? [atValue(path, '5 is not allowed; allowed: 4, as the embedded broker speaks MQTT 3.1.1')] : []),
    ],
  };
};

/** Of a section `mqtt` that names a broker elsewhere, and has the keys `given`. */
export const broker = (tree: YamlTree, given: readonly string[]): Findings => {
  const { faults = [], warnings = [] } = plaintext(tree, given);
  return { faults: [...lonely(given), ...faults], warnings };
};

/** Keys that need each other, and what the second is. */
const PARTNERS = [
  ['username', 'passwordFile', 'the file that holds the password'],
  ['passwordFile', 'username', 'the name that the password belongs to'],
  ['cert', 'key', 'the private key of the certificate'],
  ['key', 'cert', 'the certificate of the key'],
] as const;

const lonely = (given: readonly string[]): readonly Finding[] =>
  PARTNERS.filter(([key, partner]) => given.includes(key) && !given.includes(partner)).map(([key, partner, what]) =>
    atKey(['mqtt', key], `needs mqtt.${partner} beside it: ${what}`),
  );

const plaintext = (tree: YamlTree, given: readonly string[]): Findings => {
  const path = ['mqtt', 'url'];
  const address = tree.read(path, mqttUrl);
  const url = address === undefined ? undefined : new URL(address);
  if (url?.protocol !== 'mqtt:') return {};
  const idle = TLS_KEYS.filter((key) => given.includes(key)).map((key) =>
    atKey(['mqtt', key], 'has no effect with an mqtt:// url, which is not encrypted; use mqtts:// or remove the key'),
  );
  const isPermitted = tree.read(['mqtt', 'allowPlaintext'], allowPlaintext);
  if (isLoopback(url.hostname) || isPermitted === undefined) return { faults: idle };
  const refused = 'mqtt:// to another host is not encrypted; use mqtts://, or permit it with mqtt.allowPlaintext: true';
  const permitted = 'is not encrypted: whoever is on the network can read and forge messages';
  return isPermitted
    ? { faults: idle, warnings: [atValue(path, permitted)] }
    : { faults: [...idle, atValue(path, refused)] };
};

/** Addresses that never leave this machine (RFC 1122 3.2.1.3, RFC 4291 2.5.3, RFC 6761 6.3), as they stand in a URL. */
export const isLoopback = (host: string): boolean =>
  host.toLowerCase() === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
