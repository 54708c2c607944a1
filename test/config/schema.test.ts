// The schema for editors: complete, in words, and in agreement with the loader; and the two example files.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { checkConfig } from '../../src/config/check.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { textWith } from './config-text.ts';
import { isValid, keysIn } from './json-schema.ts';

const FOLDER = join(import.meta.dirname, '../../config');
const EXAMPLES = ['demo.yaml', 'raspberry-pi.yaml'];
const schema = configJsonSchema();

const example = (name: string): string => readFileSync(join(FOLDER, name), 'utf8');
/** With the one thing in it that only the site can know. */
const completed = (name: string): string =>
  example(name).replace(/publicKey: put HR.*/, 'publicKey: 11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo');

describe('the JSON Schema', () => {
  it('is one of the 2020-12 draft', () => {
    assert.equal(schema['$schema'], 'https://json-schema.org/draft/2020-12/schema');
  });

  it('knows every key of the configuration', () => {
    assert.deepEqual(
      keysIn(schema).map(({ path }) => path),
      [
        ...['site', 'gateway', 'timezone'],
        ...['schedules', 'schedules.*', 'schedules.*.days', 'schedules.*.holidays', 'schedules.*.from'],
        ...['schedules.*.to', 'holidays', 'holidays.*', 'levels', 'levels.*', 'levels.*.doors', 'levels.*.schedule'],
        ...['dataDir'],
        ...['mqtt', 'mqtt.url', 'mqtt.embedded', 'mqtt.embedded.port', 'mqtt.protocolVersion', 'mqtt.username'],
        ...['mqtt.passwordFile', 'mqtt.ca', 'mqtt.cert', 'mqtt.key', 'mqtt.keepaliveSeconds'],
        ...['mqtt.connectTimeoutSeconds', 'mqtt.sessionExpiryHours', 'mqtt.allowPlaintext'],
        ...['cardNumber', 'cardNumber.format', 'clock', 'clock.trust', 'clock.untrustedPolicy'],
        ...['gpio', 'gpio.driver', 'gpio.chip', 'gpio.debounceMilliseconds'],
        ...['zones', 'zones.*', 'zones.*.antiPassback', 'zones.*.timedMinutes'],
        ...['doors', 'doors.*', 'doors.*.strike', 'doors.*.strike.line', 'doors.*.strike.activeLow'],
        ...['doors.*.strike.releaseSeconds', 'doors.*.strike.extendedReleaseSeconds', 'doors.*.strike.failMode'],
        ...['doors.*.strike.relockOnClose'],
        ...['doors.*.contact', 'doors.*.contact.line', 'doors.*.contact.activeLow'],
        ...['doors.*.exitButton', 'doors.*.exitButton.line', 'doors.*.exitButton.activeLow'],
        ...['doors.*.exitButton.action'],
        ...['doors.*.tamper', 'doors.*.tamper.line', 'doors.*.tamper.activeLow'],
        ...['doors.*.heldOpenSeconds', 'doors.*.heldOpenWarningSeconds'],
        ...['doors.*.unlockSchedule', 'doors.*.unlockSchedule.schedule', 'doors.*.unlockSchedule.afterFirstCard'],
        ...['doors.*.timezone'],
        ...['doors.*.zone', 'doors.*.twoPerson', 'doors.*.twoPerson.withinSeconds', 'doors.*.recordBeforeRelease'],
        ...['readers', 'readers.*', 'readers.*.door', 'readers.*.direction', 'readers.*.role', 'readers.*.driver'],
        ...['readers.*.spi', 'readers.*.speedHz', 'readers.*.resetLine', 'readers.*.rxGainDb'],
        ...['readers.*.pollMilliseconds', 'readers.*.feedback'],
        ...['greenLed', 'redLed', 'buzzer'].flatMap((signal) =>
          ['', '.line', '.activeLow'].map((key) => `readers.*.feedback.${signal}${key}`),
        ),
        ...['admin', 'admin.socket', 'trust', 'trust.messages', 'trust.keys'],
        ...['trust.keys.*', 'trust.keys.*.publicKey', 'trust.keys.*.publicKeyFile', 'trust.keys.*.may'],
        ...['trust.gatewayKeyFile'],
        ...['events', 'events.acknowledgement', 'events.resendAfterSeconds', 'events.maxPending', 'events.whenFull'],
        ...['events.retentionDays', 'events.retentionEvents', 'events.checkpointHours', 'events.lowValueDelaySeconds'],
        ...['store', 'store.keyFile', 'store.failurePolicy', 'store.minimumFreeMiB', 'store.ballastMiB'],
        ...['backup', 'backup.directory', 'backup.recipients', 'backup.everyHours', 'backup.keep'],
        ...['reconcile', 'reconcile.maxAgeHours', 'reconcile.stalePolicy', 'log', 'log.level'],
      ],
    );
  });

  it('explains every key', () => {
    for (const { path, schema: key } of keysIn(schema)) {
      assert.ok(String(key['description'] ?? '').length > 10, `${path} has no description`);
    }
  });

  it('gives every number its range, and its unit in its name or its description', () => {
    const numbers = keysIn(schema).filter(({ schema: key }) => ['integer', 'number'].includes(String(key['type'])));
    assert.equal(numbers.length, 34);
    for (const { path, schema: key } of numbers) {
      const isBounded =
        Array.isArray(key['enum']) || (Number.isFinite(key['minimum']) && Number.isFinite(key['maximum']));
      assert.ok(isBounded, `${path} has no range`);
      assert.match(
        `${path} ${key['description']}`,
        /seconds|minutes|hours|days|events|MiB|backups|hertz|decibels|BCM|port|version/i,
      );
    }
  });

  it('refuses unknown keys in every block', () => {
    const blocks = [{ path: '', schema }, ...keysIn(schema)].filter(({ schema: key }) => 'properties' in key);
    assert.equal(blocks.length, 27);
    for (const { path, schema: block } of blocks) assert.equal(block['additionalProperties'], false, path);
  });

  it('gives defaults that it would accept itself', () => {
    const standard = keysIn(schema).filter(({ schema: key }) => 'default' in key);
    assert.ok(standard.length > 25);
    for (const { path, schema: key } of standard) assert.ok(isValid(key, key['default']), path);
  });

  it('is the one that stands beside the examples; `cardea config schema` prints it anew', () => {
    assert.deepEqual(JSON.parse(example('cardea.schema.json')), schema);
  });

  it('agrees with the loader about what is wrong in a single value', () => {
    const spoilt = [
      textWith({ 1: 'site: HQ' }),
      textWith({ 2: '' }),
      textWith({ 3: 'trust: { message: unsigned }' }),
      textWith({ 3: 'trust: { keys: { hr: { publicKey: short, may: [bind] } } }' }),
      textWith({ 3: 'trust: { keys: { hr: { publicKeyFile: f, may: [] } } }' }),
      textWith({ 3: 'trust: { keys: { hr: { publicKeyFile: f, may: [bnd] } } }' }),
      textWith({ 3: 'trust: { keys: { hr: { may: [bind] } } }' }),
      textWith({ 3: 'trust: { keys: { h r: { publicKeyFile: f, may: [bind] } } }' }),
      textWith({ 3: 'trust: { messages: unsigned }\nreconcile: { maxAgeHours: 0 }' }),
      textWith({ 5: '' }),
      textWith({ 5: '  url: mqtts://hr\n  embedded: {}' }),
      textWith({ 5: '  url: mqtts://hr\n  keepaliveSeconds: 4' }),
      textWith({ 6: 'doors: {}', 7: '', 8: '' }),
      textWith({ 7: '  Front:' }),
      textWith({ 8: '    strike: { line: 58 }' }),
      textWith({ 11: '    rxGainDb: 34' }),
      textWith({ 1: 'site: hq\nschedules: { day: [{ days: [monday], from: "08:00", to: "18:00" }] }' }),
      textWith({ 1: 'site: hq\nschedules: { day: [{ days: [mon], from: "24:00", to: "18:00" }] }' }),
      textWith({ 1: 'site: hq\nholidays: { public: [25.12.] }' }),
      textWith({ 1: 'site: hq\nlevels: { staff: [{ doors: [Front] }] }' }),
      textWith({ 1: 'site: hq\nlevels: { staff: [{ doors: [front], schedule: Day }] }' }),
      textWith({ 11: '    spi: /dev/tty' }),
      textWith({ 1: 'site: hq\nzones: { building: { antiPassback: strict } }' }),
      textWith({ 1: 'site: hq\nzones: { Building: {} }' }),
      textWith({ 8: '    strike: { line: 17 }\n    twoPerson: { withinSeconds: 0 }' }),
    ];
    for (const text of spoilt) {
      assert.notDeepEqual(checkConfig(text, 'f').faults ?? [], [], text);
      assert.ok(!isValid(schema, parse(text)), text);
    }
    assert.ok(isValid(schema, parse(textWith())));
  });
});

describe('the example files', () => {
  for (const name of EXAMPLES) {
    it(`${name} is right, by the loader and by the schema, without a warning`, () => {
      const { config, faults, warnings } = checkConfig(completed(name), join(FOLDER, name));
      assert.deepEqual(faults ?? [], []);
      assert.deepEqual(warnings, []);
      assert.ok(config !== undefined);
      assert.ok(isValid(schema, parse(completed(name))));
    });

    it(`${name} stays right when its commented-out settings are put to use`, () => {
      const text = completed(name).replaceAll(/^( *)# ([a-z]\w*: .*)$/gim, '$1$2');
      assert.deepEqual(checkConfig(text, join(FOLDER, name)).faults ?? [], []);
    });
  }

  it('the demo is on this machine only: embedded broker, nothing real, nothing outside its own folder', () => {
    const { config } = checkConfig(example('demo.yaml'), 'demo.yaml');
    assert.equal(config?.mqtt.kind, 'embedded');
    assert.equal(config.trust.messages, 'unsigned');
    assert.equal(config.gpio.driver, 'simulated');
    assert.deepEqual(
      config.readers.map(({ id, hardware }) => [id, hardware.driver]),
      [
        ['front-in', 'simulated'],
        ['lab-in', 'simulated'],
      ],
    );
    assert.deepEqual([config.dataDir, config.admin.socket], ['./data', './data/cardea.sock']);
  });

  it('the Raspberry Pi waits for the key of HR, whose place is told', () => {
    const { faults = [] } = checkConfig(example('raspberry-pi.yaml'), 'raspberry-pi.yaml');
    assert.deepEqual(
      faults.map(({ path, message }) => [path, message]),
      [
        [
          'trust.keys.hr-2026.publicKey',
          'is no Ed25519 public key; allowed: the 43 characters that cardea keys show FILE prints',
        ],
      ],
    );
    assert.ok(!isValid(schema, parse(example('raspberry-pi.yaml'))));
  });

  it('the Raspberry Pi speaks to HR in TLS, and believes signatures only', () => {
    const { config } = checkConfig(completed('raspberry-pi.yaml'), 'raspberry-pi.yaml');
    assert.equal(config?.trust.messages, 'signed');
    assert.ok(config?.mqtt.kind === 'broker' && config.mqtt.tls !== undefined);
  });
});
