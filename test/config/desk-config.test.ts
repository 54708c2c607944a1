// The configuration of the desk: what a file becomes, what is wrong with one and where, its schema for editors, and the examples.

import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import type { DeskConfig } from '../../src/config/desk-config.ts';
import { deskJsonSchema } from '../../src/config/desk-schema.ts';
import { formatFault } from '../../src/config/faults.ts';
import { checkDeskConfig, checkDeskConfigFile, gatewayKeys, loadDeskConfig } from '../../src/config/load-desk.ts';
import { CardeaError } from '../../src/errors.ts';
import { temporaryFolder } from '../fixtures/temporary-folder.ts';
import { isValid, keysIn } from './json-schema.ts';

const FILE = '/etc/cardea/desk.yaml';
const KEY = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
const SMALL = `site: hq\nmqtt: { url: mqtts://hr.example.com }\ngateways: { lobby-1: { publicKey: ${KEY} } }`;

const configOf = (text: string): DeskConfig => {
  const { config, faults } = checkDeskConfig(text, FILE);
  if (config === undefined) assert.fail(faults.map(formatFault).join('\n'));
  return config;
};
const linesOf = (text: string, what: 'faults' | 'warnings' = 'faults'): readonly string[] =>
  (checkDeskConfig(text, FILE)[what] ?? []).map((fault) => formatFault(fault).replace(`${FILE}:`, ''));

describe('the configuration of the desk', () => {
  it('takes a site and a broker, and has a value for everything else', () => {
    const config = configOf(SMALL);
    assert.deepEqual(config, {
      site: 'hq',
      dataDir: './desk-data',
      cardNumber: { format: 'hex' },
      mqtt: {
        keepaliveSeconds: 15,
        connectTimeoutSeconds: 10,
        sessionExpirySeconds: 604_800,
        kind: 'broker',
        url: 'mqtts://hr.example.com',
        protocolVersion: 5,
        tls: {},
      },
      trust: { messages: 'signed' },
      gateways: [{ gateway: 'lobby-1', publicKey: KEY }],
      http: { host: '127.0.0.1', port: 8470 },
      operations: { confirmWithin: 300_000 },
      employees: { access: [{ doors: ['*'], schedule: 'always' }] },
      sessions: { lifetime: 28_800_000 },
      events: {},
      log: { level: 'info' },
    });
    assert.deepEqual(linesOf(SMALL, 'warnings'), []);
  });

  it('is taken as it is written, with files beside it', () => {
    const config = configOf(
      [
        SMALL.replace('mqtts://hr.example.com', 'mqtts://hr.example.com, cert: desk.pem, key: desk.key'),
        'http: { host: "[::]", port: 0, tls: { cert: tls.pem, key: /keys/tls.key } }',
        'operations: { confirmWithinMinutes: 1 }',
        'employees: { access: [{ level: staff }, { doors: [front], schedule: day }] }',
        'sessions: { hours: 1 }',
        'events: { retentionDays: 2 }',
      ].join('\n'),
    );
    assert.deepEqual(config.mqtt.tls, { cert: '/etc/cardea/desk.pem', key: '/etc/cardea/desk.key' });
    assert.deepEqual(config.http, {
      host: '::',
      port: 0,
      tls: { cert: '/etc/cardea/tls.pem', key: '/keys/tls.key' },
    });
    assert.deepEqual(config.employees.access, [{ level: 'staff' }, { doors: ['front'], schedule: 'day' }]);
    assert.deepEqual(
      [config.operations.confirmWithin, config.sessions.lifetime, config.events.retention],
      [60_000, 3_600_000, 172_800_000],
    );
  });
});

describe('a fault in the configuration of the desk is told with its place and a remedy', () => {
  const faults: readonly [what: string, text: string, line: RegExp][] = [
    ['no site', SMALL.replace('site: hq\n', ''), /^1:1 site: is missing/],
    ['no broker', SMALL.replace(/mqtt:.*/, ''), /^1:1 mqtt: is missing/],
    ['no address of it', SMALL.replace(/mqtt:.*/, 'mqtt: {}'), /^2:1 mqtt.url: is missing; .*mqtts:\/\/HOST:PORT/],
    [
      'a broker of its own',
      SMALL.replace(/mqtt:.*/, 'mqtt: { url: "mqtts://a", embedded: {} }'),
      /^2:27 mqtt.embedded: unknown key/,
    ],
    [
      'plaintext to another host',
      SMALL.replace('mqtts', 'mqtt'),
      /^2:14 mqtt.url: mqtt:\/\/ to another host is not encrypted/,
    ],
    ['half a certificate', SMALL.replace('com }', 'com, cert: a }'), /^2:38 mqtt.cert: needs mqtt.key beside it/],
    ['a misspelt key', `${SMALL}\nhttp: { prot: 1 }`, /^4:9 http.prot: unknown key; did you mean port\?/],
    ['a key of a gateway', `${SMALL}\ndoors: {}`, /^4:1 doors: unknown key; allowed: site, dataDir/],
    ['a port that is none', `${SMALL}\nhttp: { port: 70000 }`, /^4:15 http.port: 70000 is out of range/],
    [
      'another address without TLS',
      `${SMALL}\nhttp: { host: 0.0.0.0 }`,
      /^4:15 http.host: .*in the clear; give http.tls/,
    ],
    ['half of TLS', `${SMALL}\nhttp: { tls: { cert: a } }`, /^4:9 http.tls.key: is missing/],
    [
      'a gateway without a key',
      `${SMALL.replace(/gateways.*/, 'gateways: { a: {} }')}`,
      /^3:13 gateways.a: names no key/,
    ],
    ['a key that is none', SMALL.replace(KEY, 'short'), /^3:35 gateways.lobby-1.publicKey: is no Ed25519 public key/],
    ['a gateway that cannot be', SMALL.replace('lobby-1', 'Lobby'), /^3:13 gateways.Lobby: "Lobby" is not an id/],
    [
      'one key for two gateways',
      SMALL.replace(/gateways.*/, `gateways:\n  a: { publicKey: ${KEY} }\n  b: { publicKey: ${KEY} }`),
      /^5:19 gateways.b.publicKey: is the key of gateways.a.publicKey already/,
    ],
    ['access to nothing', `${SMALL}\nemployees: { access: [{}] }`, /^4:23 employees.access.0: opens nothing/],
    [
      'access of two kinds',
      `${SMALL}\nemployees: { access: [{ level: a, doors: [b] }] }`,
      /^4:35 employees.access.0.doors: level and doors exclude each other/,
    ],
    [
      'a door that cannot be',
      `${SMALL}\nemployees: { access: [{ doors: [B] }] }`,
      /^4:33 employees.access.0.doors.0: "B"/,
    ],
    ['no file at all', '', /^1:1: the file is empty; config\/desk.yaml/],
  ];
  for (const [what, text, line] of faults) {
    it(what, () => {
      const [first = '', ...others] = linesOf(text);
      assert.match(first, line);
      assert.deepEqual(others, []);
    });
  }

  it('and what proves nothing is warned of', () => {
    const keyless = SMALL.replace(/gateways.*/, '');
    assert.match(linesOf(keyless, 'warnings')[0] ?? '', /gateways: with signed messages no change is ever confirmed/);
    assert.deepEqual(linesOf(`${keyless}\ntrust: { messages: unsigned }`, 'warnings'), []);
  });

  it('takes every address of this machine without TLS', () => {
    for (const host of ['localhost', '127.0.0.1', '127.1.2.3', '"::1"', '"[::1]"']) {
      assert.deepEqual(linesOf(`${SMALL}\nhttp: { host: ${host} }`), [], host);
    }
  });
});

describe('the configuration of the desk on the disk', () => {
  const failureOf = (path: string): CardeaError => {
    try {
      loadDeskConfig(path);
    } catch (error) {
      if (error instanceof CardeaError) return error;
      throw error;
    }
    return assert.fail('the file was loaded');
  };

  it('may name the file of a gateway\u2019s key, which is read', (t) => {
    const folder = temporaryFolder(t);
    const { publicKey } = generateKeyPairSync('ed25519');
    writeFileSync(join(folder, 'lobby.pem'), publicKey.export({ type: 'spki', format: 'pem' }), { mode: 0o600 });
    const path = join(folder, 'desk.yaml');
    writeFileSync(path, SMALL.replace(/publicKey.*/, 'publicKeyFile: lobby.pem } }'));
    const { config, warnings } = loadDeskConfig(path);
    assert.deepEqual(warnings, []);
    assert.deepEqual([...gatewayKeys(config)], [['lobby-1', publicKey.export({ format: 'jwk' }).x]]);
  });

  it('has a fault where a key of a gateway or a certificate of the desk is not there, but starts without the broker\u2019s', (t) => {
    const folder = temporaryFolder(t);
    const path = join(folder, 'desk.yaml');
    writeFileSync(path, `${SMALL.replace('com }', 'com, ca: none.pem }')}\n`);
    const { warnings } = loadDeskConfig(path);
    assert.match(warnings[0]?.message ?? '', /none.pem is not there/);
    assert.match(checkDeskConfigFile(path).summary, /: 1 fault$/);
    writeFileSync(
      path,
      `${SMALL.replace(/publicKey.*/, 'publicKeyFile: none.pem } }')}\nhttp: { tls: { cert: c.pem, key: k.pem } }`,
    );
    const { code, message } = failureOf(path);
    assert.equal(code, 'config-invalid');
    assert.deepEqual(
      message
        .split('\n')
        .slice(1)
        .map((line) => /:\d+ (\S+):/.exec(line)?.[1]),
      ['gateways.lobby-1.publicKeyFile', 'http.tls.cert', 'http.tls.key'],
    );
    assert.equal(failureOf(join(folder, 'other.yaml')).code, 'config-unreadable');
  });
});

describe('the JSON Schema of the desk', () => {
  const FOLDER = join(import.meta.dirname, '../../config');
  const schema = deskJsonSchema();
  const example = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');

  it('explains every key, bounds every number, and gives defaults that it would accept itself', () => {
    const keys = keysIn(schema);
    assert.equal(keys.length, 41);
    for (const { path, schema: key } of keys) {
      assert.ok(String(key['description'] ?? '').length > 10, `${path} has no description`);
      if ('default' in key) assert.ok(isValid(key, key['default']), path);
      if (key['type'] !== 'integer') continue;
      assert.ok(Number.isFinite(key['minimum']) && Number.isFinite(key['maximum']), `${path} has no range`);
      assert.match(`${path} ${key['description']}`, /seconds|minutes|hours|days|port/i);
    }
  });

  it('refuses unknown keys in every block', () => {
    const blocks = [{ path: '', schema }, ...keysIn(schema)].filter(({ schema: key }) => 'properties' in key);
    for (const { path, schema: block } of blocks) assert.equal(block['additionalProperties'], false, path);
  });

  it('is the one that stands beside the examples; `cardea config schema --desk` prints it anew', () => {
    assert.deepEqual(JSON.parse(example('cardea-desk.schema.json')), schema);
  });

  for (const name of ['desk.yaml', 'desk-demo.yaml']) {
    it(`finds nothing wrong with ${name}, nor does the loader`, () => {
      assert.deepEqual(linesOf(example(name)), []);
      assert.ok(isValid(schema, parse(example(name))));
      assert.match(example(name), /^# yaml-language-server: \$schema=\.\/cardea-desk\.schema\.json\n/);
    });
  }

  it('has a demo that fits that of the gateway: one site, its broker, unsigned, for this machine alone', () => {
    const { site, mqtt, trust, http } = configOf(example('desk-demo.yaml'));
    const gateway = parse(example('demo.yaml'));
    assert.equal(site, gateway.site);
    assert.equal(mqtt.url, `mqtt://127.0.0.1:${gateway.mqtt.embedded.port}`);
    assert.equal(mqtt.protocolVersion, 4);
    assert.equal(trust.messages, gateway.trust.messages);
    assert.deepEqual(http, { host: '127.0.0.1', port: 8470 });
  });
});
