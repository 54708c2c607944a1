// Rules of the `mqtt` section: exactly one broker, no plaintext beyond this machine by accident, credentials in pairs.

import type { Finding } from './faults.ts';
import { allowPlaintext, mqttProtocolVersion, mqttUrl } from './schema.ts';
import type { YamlTree } from './yaml-tree.ts';

interface MqttFindings {
  readonly faults: readonly Finding[];
  readonly warnings: readonly Finding[];
}

export const mqttFindings = (tree: YamlTree): MqttFindings => {
  const given = tree.keys(['mqtt']);
  const isBlock =
    typeof tree.at(['mqtt']) === 'object' && tree.at(['mqtt']) !== null && !Array.isArray(tree.at(['mqtt']));
  if (!isBlock) return NONE;
  const has = (key: string): boolean => given.includes(key);
  if (has('url') === has('embedded')) {
    const message = has('url')
      ? 'url and embedded exclude each other; keep one'
      : 'names no broker; give url (HR’s broker) or embedded (one inside the gateway)';
    return { faults: [{ path: ['mqtt', ...(has('url') ? ['embedded'] : [])], at: 'key', message }], warnings: [] };
  }
  return has('embedded') ? embedded(tree, given) : broker(tree, given);
};

const NONE: MqttFindings = { faults: [], warnings: [] };
const TLS_KEYS = ['ca', 'cert', 'key'];
const BROKER_KEYS = ['username', 'passwordFile', ...TLS_KEYS, 'allowPlaintext'];

const atKey = (key: string, message: string): Finding => ({ path: ['mqtt', key], at: 'key', message });

const embedded = (tree: YamlTree, given: readonly string[]): MqttFindings => {
  const idle = BROKER_KEYS.filter((key) => given.includes(key));
  const faults = idle.map((key) => atKey(key, 'has no effect with mqtt.embedded; remove it'));
  const path = ['mqtt', 'protocolVersion'];
  if (tree.read(path, mqttProtocolVersion) === 5) {
    faults.push({
      path,
      at: 'value',
      message: '5 is not allowed; allowed: 4, as the embedded broker speaks MQTT 3.1.1',
    });
  }
  return { faults, warnings: [] };
};

const broker = (tree: YamlTree, given: readonly string[]): MqttFindings => {
  const faults: Finding[] = [];
  const warnings: Finding[] = [];
  const needs = (key: string, partner: string, why: string): void => {
    if (given.includes(key) && !given.includes(partner))
      faults.push(atKey(key, `needs mqtt.${partner} beside it: ${why}`));
  };
  needs('username', 'passwordFile', 'the file that holds the password');
  needs('passwordFile', 'username', 'the name that the password belongs to');
  needs('cert', 'key', 'the private key of the certificate');
  needs('key', 'cert', 'the certificate of the key');
  const url = tree.read(['mqtt', 'url'], mqttUrl);
  if (url !== undefined && new URL(url).protocol === 'mqtt:') {
    for (const key of TLS_KEYS.filter((key) => given.includes(key))) {
      faults.push(
        atKey(key, 'has no effect with an mqtt:// url, which is not encrypted; use mqtts:// or remove the key'),
      );
    }
    if (!isLoopback(new URL(url).hostname)) {
      const permission = tree.read(['mqtt', 'allowPlaintext'], allowPlaintext);
      const finding = (message: string): Finding => ({ path: ['mqtt', 'url'], at: 'value', message });
      if (permission === false) {
        faults.push(
          finding(
            'mqtt:// to another host is not encrypted; use mqtts://, or permit it with mqtt.allowPlaintext: true',
          ),
        );
      }
      if (permission === true)
        warnings.push(finding('is not encrypted: whoever is on the network can read and forge messages'));
    }
  }
  return { faults, warnings };
};

/** Addresses that never leave this machine (RFC 1122 3.2.1.3, RFC 4291 2.5.3, RFC 6761 6.3). */
const isLoopback = (host: string): boolean =>
  host.toLowerCase() === 'localhost' || host === '[::1]' || /^127(\.\d{1,3}){3}$/.test(host);
