// Faults of single values and of the YAML itself: what is said about each, and at which place.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { faultsOf, textWith } from './config-text.ts';

interface Case {
  readonly name: string;
  readonly text: string;
  readonly faults: readonly string[];
}

const ID_RULE = 'allowed: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit';
const URL_RULE = 'allowed: mqtt://HOST:PORT or mqtts://HOST:PORT';

const KEY = '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo';
const KEY_RULE = 'is no Ed25519 public key; allowed: the 43 characters that cardea keys show FILE prints';

const VALUES: readonly Case[] = [
  {
    name: 'an unknown key, at the key, with the key that was probably meant',
    text: textWith({ 8: '    strike: { line: 17, releaseSecond: 3 }' }),
    faults: ['8:25 doors.front.strike.releaseSecond: unknown key; did you mean releaseSeconds?'],
  },
  {
    name: 'a key in another spelling of the same words',
    text: textWith({ 8: '    strike: { line: 17, release_seconds: 3 }' }),
    faults: ['8:25 doors.front.strike.release_seconds: unknown key; did you mean releaseSeconds?'],
  },
  {
    name: 'a known key in the wrong block, with the block it belongs to',
    text: textWith({ 8: '    strike: { line: 17 }\n    releaseSeconds: 3' }),
    faults: ['9:5 doors.front.releaseSeconds: unknown key; it belongs to doors.<id>.strike'],
  },
  {
    name: 'a key that resembles none, with the keys that there are',
    text: textWith({ 3: 'trust: { messages: unsigned, wombat: 1 }' }),
    faults: ['3:30 trust.wombat: unknown key; allowed: messages, keys, gatewayKeyFile'],
  },
  {
    name: 'keys that name parts of every object in JavaScript',
    text: textWith({ 3: 'trust: { messages: unsigned, __proto__: 1, constructor: 2 }' }),
    faults: [
      '3:30 trust.__proto__: unknown key; allowed: messages, keys, gatewayKeyFile',
      '3:44 trust.constructor: unknown key; allowed: messages, keys, gatewayKeyFile',
    ],
  },
  {
    name: 'a missing key at the root, at the beginning',
    text: textWith({ 1: '# nothing' }),
    faults: ['2:1 site: is missing; allowed: text (Id of the site; the root of all topics is cardea/<site>)'],
  },
  {
    name: 'a missing key, at the key of the block around it',
    text: textWith({ 7: '  front: { heldOpenSeconds: 5 }', 8: '' }),
    faults: [
      '7:3 doors.front.strike: is missing; allowed: a block with the keys line, activeLow, releaseSeconds, extendedReleaseSeconds, failMode, relockOnClose (The strike: the electric lock of the door, switched by a relay)',
    ],
  },
  {
    name: 'a key without a value',
    text: textWith({ 8: '    strike: { line: 17 }\n    contact:' }),
    faults: ['9:5 doors.front.contact: has no value; allowed: a block with the keys line, activeLow'],
  },
  {
    name: 'a word that YAML does not take for true',
    text: textWith({ 8: '    strike: { line: 17, activeLow: yes }' }),
    faults: ['8:36 doors.front.strike.activeLow: "yes" is not allowed; allowed: true or false'],
  },
  {
    name: 'a number where text belongs',
    text: textWith({ 1: 'site: 12' }),
    faults: ['1:7 site: 12 is not allowed; allowed: text; put it in quotes'],
  },
  {
    name: 'a list where a block belongs',
    text: textWith({ 3: 'trust: [unsigned]' }),
    faults: ['3:8 trust: a list is not allowed; allowed: a block with the keys messages, keys, gatewayKeyFile'],
  },
  {
    name: 'a list in place of the file',
    text: '- site: hq',
    faults: [
      '1:1: a list is not allowed; allowed: a block with the keys site, gateway, timezone, schedules, holidays, levels, dataDir, mqtt, cardNumber, clock, gpio, zones, doors, readers, admin, trust, events, store, backup, reconcile, log',
    ],
  },
  {
    name: 'a number out of its range',
    text: textWith({ 8: '    strike: { line: 17, releaseSeconds: 700 }' }),
    faults: ['8:41 doors.front.strike.releaseSeconds: 700 is out of range; allowed: a number from 0.5 to 600'],
  },
  {
    name: 'a fraction where only whole numbers serve',
    text: textWith({ 8: '    strike: { line: 1.5 }' }),
    faults: ['8:21 doors.front.strike.line: 1.5 is not allowed; allowed: a whole number from 0 to 57'],
  },
  {
    name: 'not-a-number and infinity',
    text: textWith({ 8: '    strike: { line: .nan, releaseSeconds: .inf }' }),
    faults: [
      '8:21 doors.front.strike.line: NaN is not allowed; allowed: a whole number from 0 to 57',
      '8:43 doors.front.strike.releaseSeconds: Infinity is not allowed; allowed: a number from 0.5 to 600',
    ],
  },
  {
    name: 'a line that no Pi has',
    text: textWith({ 8: '    strike: { line: 58 }' }),
    faults: ['8:21 doors.front.strike.line: 58 is out of range; allowed: a whole number from 0 to 57'],
  },
  {
    name: 'a word that is none of the choices',
    text: textWith({ 8: '    strike: { line: 17, failMode: open }' }),
    faults: ['8:35 doors.front.strike.failMode: "open" is not allowed; allowed: secure, safe'],
  },
  {
    name: 'a number that is none of the choices',
    text: textWith({ 11: '    { door: front, rxGainDb: 34 }' }),
    faults: ['11:30 readers.front-in.rxGainDb: 34 is not allowed; allowed: 18, 23, 33, 38, 43, 48'],
  },
  {
    name: 'an id that cannot be part of a topic',
    text: textWith({ 1: 'site: H/Q' }),
    faults: [`1:7 site: "H/Q" is not allowed; ${ID_RULE}`],
  },
  {
    name: 'a block under a key that is no id, and the faults inside it',
    text: textWith({
      8: '    strike: { line: 17 }\n  Back Door: { strike: { line: 18, failMode: 1 }, exitButton: { line: 19 } }',
    }),
    faults: [
      `9:3 doors."Back Door": "Back Door" is not an id; ${ID_RULE}`,
      '9:46 doors."Back Door".strike.failMode: 1 is not allowed; allowed: secure, safe',
    ],
  },
  {
    name: 'a door named like a part of every object',
    text: textWith({ 8: '    strike: { line: 17 }\n  __proto__: { strike: { line: 18 }, exitButton: { line: 19 } }' }),
    faults: [`9:3 doors.__proto__: "__proto__" is not an id; ${ID_RULE}`],
  },
  {
    name: 'a time zone that nobody keeps',
    text: textWith({ 1: 'site: hq\ntimezone: Mars/Olympus' }),
    faults: ['2:11 timezone: is no time zone that is known here; allowed: IANA names like Europe/Berlin or UTC'],
  },
  {
    name: 'an offset in place of a time zone',
    text: textWith({ 1: 'site: hq\ntimezone: "+01:00"' }),
    faults: ['2:11 timezone: is no time zone that is known here; allowed: IANA names like Europe/Berlin or UTC'],
  },
  {
    name: 'an empty path',
    text: textWith({ 1: 'site: hq\ndataDir: ""' }),
    faults: ['2:10 dataDir: is empty; give a value or remove the key'],
  },
  {
    name: 'a path with a control character',
    text: textWith({ 1: 'site: hq\ndataDir: "a\\0b"' }),
    faults: ['2:10 dataDir: has a control character in it; remove it'],
  },
  {
    name: 'a socket path beyond what the kernel takes, counted in bytes',
    text: textWith({ 1: `site: hq\nadmin: { socket: /run/${'ü'.repeat(52)} }` }),
    faults: [
      "2:18 admin.socket: is longer than the 107 bytes that a Unix socket's path may have; choose a shorter one",
    ],
  },
  {
    name: 'an SPI device that is none',
    text: textWith({ 11: '    { door: front, spi: /dev/ttyS0 }' }),
    faults: [
      '11:25 readers.front-in.spi: "/dev/ttyS0" is not allowed; allowed: /dev/spidevB.C, bus B and chip select C',
    ],
  },
  {
    name: 'a public key with a letter missing',
    text: textWith({ 3: `trust: { keys: { hr: { publicKey: ${KEY.slice(1)}, may: [bind] } } }` }),
    faults: [`3:35 trust.keys.hr.publicKey: ${KEY_RULE}`],
  },
  {
    name: 'a public key for which anybody can make signatures',
    text: textWith({ 3: `trust: { keys: { hr: { publicKey: ${'A'.repeat(43)}, may: [bind] } } }` }),
    faults: [`3:35 trust.keys.hr.publicKey: ${KEY_RULE}`],
  },
  {
    name: 'a permission that there is not, at its place in the list',
    text: textWith({ 3: `trust: { keys: { hr: { publicKey: ${KEY}, may: [bind, revke] } } }` }),
    faults: [
      '3:92 trust.keys.hr.may.1: "revke" is not allowed; allowed: bind, revoke, roster, command, calendar, events',
    ],
  },
  {
    name: 'a key without permissions',
    text: textWith({ 3: `trust: { keys: { hr: { publicKey: ${KEY}, may: [] } } }` }),
    faults: [
      '3:85 trust.keys.hr.may: an empty list is out of range; allowed: bind, revoke, roster, command, calendar, events, at least one, in a list',
    ],
  },
  {
    name: 'a permission that is not in a list',
    text: textWith({ 3: `trust: { keys: { hr: { publicKey: ${KEY}, may: bind } } }` }),
    faults: [
      '3:85 trust.keys.hr.may: "bind" is not allowed; allowed: bind, revoke, roster, command, calendar, events, at least one, in a list',
    ],
  },
  {
    name: 'an age of the allow-list beyond a year',
    text: textWith({ 3: 'trust: { messages: unsigned }\nreconcile: { maxAgeHours: 8761, stalePolicy: refuse }' }),
    faults: [
      '4:27 reconcile.maxAgeHours: 8761 is out of range; allowed: a whole number from 1 to 8760',
      '4:46 reconcile.stalePolicy: "refuse" is not allowed; allowed: allow, deny',
    ],
  },
  {
    name: 'a broker over WebSocket',
    text: textWith({ 5: '  url: wss://hr.example.com/mqtt' }),
    faults: [`5:8 mqtt.url: is MQTT over WebSocket, which is not supported; ${URL_RULE}`],
  },
  {
    name: 'an address of something else',
    text: textWith({ 5: '  url: https://hr.example.com' }),
    faults: [`5:8 mqtt.url: is not the address of an MQTT broker; ${URL_RULE}`],
  },
  {
    name: 'a host without mqtt:// in front',
    text: textWith({ 5: '  url: hr.example.com' }),
    faults: [`5:8 mqtt.url: is not an address; ${URL_RULE}`],
  },
  {
    name: 'an address without a host',
    text: textWith({ 5: '  url: mqtts://' }),
    faults: [`5:8 mqtt.url: names no host; ${URL_RULE}`],
  },
  {
    name: 'a port beyond the last',
    text: textWith({ 5: '  url: mqtts://hr.example.com:65536' }),
    faults: [`5:8 mqtt.url: is not an address; ${URL_RULE}`],
  },
  {
    name: 'port 0',
    text: textWith({ 5: '  url: mqtts://hr.example.com:0' }),
    faults: ['5:8 mqtt.url: has port 0; allowed: 1 to 65535'],
  },
  {
    name: 'an address that goes on after the port',
    text: textWith({ 5: '  url: mqtts://hr.example.com/broker' }),
    faults: [`5:8 mqtt.url: goes on after the port; ${URL_RULE}`],
  },
];

const SYNTAX: readonly Case[] = [
  { name: 'a tab', text: 'mqtt:\n\turl: x', faults: ['2:1: a tab; indent with spaces'] },
  {
    name: 'a second colon on a line',
    text: 'site: hq: x',
    faults: ['1:7: there is a second ": " on this line; put a value that contains one in quotes'],
  },
  { name: 'a quote without its end', text: 'site: "hq', faults: ['1:10: not YAML: Missing closing "quote'] },
  {
    name: 'a second document',
    text: 'site: hq\n---\nsite: hq',
    faults: ['2:1: a second document begins here; a file holds one'],
  },
  { name: 'a list as a key', text: '? [a]\n: 1', faults: ['1:3: a key must be a plain word'] },
  {
    name: 'an empty file',
    text: '# only a comment\n',
    faults: ['1:1: the file is empty; config/demo.yaml and config/raspberry-pi.yaml are examples'],
  },
  { name: 'nesting without end', text: '['.repeat(10_000), faults: ['1:17: is nested deeper than 16 levels'] },
  { name: 'nested lists on one line', text: '- '.repeat(10_000), faults: ['1:33: is nested deeper than 16 levels'] },
  { name: 'a file without end', text: '#'.repeat(131_073), faults: ['1:1: the file is larger than 128 KiB'] },
  {
    name: 'the same key twice, and the faults of the first',
    text: textWith({ 8: '    strike: { line: 99 }\n    strike: { line: 18 }' }),
    faults: [
      '8:21 doors.front.strike.line: 99 is out of range; allowed: a whole number from 0 to 57',
      '9:5 doors.front.strike: is given twice, first on line 8; keep one',
    ],
  },
  {
    name: 'a tag',
    text: textWith({ 1: 'site: !secret hq' }),
    faults: ['1:7: tags (words beginning with !) are not used here; write the plain value'],
  },
  {
    name: 'an alias, and only once',
    text: textWith({ 1: 'site: &name hq', 2: 'gateway: *name' }),
    faults: ['2:10 gateway: anchors and aliases are not used here; write the value out'],
  },
  {
    name: 'an alias to nothing',
    text: textWith({ 2: 'gateway: *nobody' }),
    faults: ['2:10 gateway: anchors and aliases are not used here; write the value out'],
  },
];

describe('a value that is not allowed is told with its place and with what is allowed', () => {
  for (const { name, text, faults } of VALUES) it(name, () => assert.deepEqual(faultsOf(text), faults));
});

describe('a text that is not YAML, or YAML beyond what is used here, is refused with its place', () => {
  for (const { name, text, faults } of SYNTAX) it(name, () => assert.deepEqual(faultsOf(text), faults));
});

describe('a file with faults', () => {
  it('is told all of them at once, in the order of the file, whatever kind they are', () => {
    const text = textWith({
      1: 'site: HQ\nsitte: hq',
      5: '  url: mqtt://hr.example.com',
      8: '    strike: { line: 17 }\n    contact: { line: 17, activeLow: on }',
      11: '    door: frnt\n    door: front',
    });
    assert.deepEqual(faultsOf(text), [
      `1:7 site: "HQ" is not allowed; ${ID_RULE}`,
      '2:1 sitte: unknown key; did you mean site?',
      '6:8 mqtt.url: mqtt:// to another host is not encrypted; use mqtts://, or permit it with mqtt.allowPlaintext: true',
      '10:22 doors.front.contact.line: GPIO line 17 is used already by doors.front.strike.line on line 9 of this file; allowed: a free line',
      '10:37 doors.front.contact.activeLow: "on" is not allowed; allowed: true or false',
      '13:11 readers.front-in.door: there is no door frnt; did you mean front? allowed: front',
      '14:5 readers.front-in.door: is given twice, first on line 13; keep one',
    ]);
  });

  it('tells a hundred of them and how many more there are', () => {
    const faults = faultsOf(textWith({ 1: Array.from({ length: 250 }, (_, i) => `key${i}: 1`).join('\n') }));
    assert.equal(faults.length, 101);
    assert.equal(faults.at(-1), '100:1: and 151 more like these');
  });

  it('keeps passwords in addresses to itself', () => {
    const faults = [
      ...faultsOf(textWith({ 5: '  url: mqtts://hr:hunter2@hr.example.com' })),
      ...faultsOf(textWith({ 4: 'mqtt: mqtts://hr:hunter2@hr.example.com', 5: '' })),
      ...faultsOf(textWith({ 5: '  url: wss://hr:hunter2@hr.example.com' })),
    ];
    assert.deepEqual(faults.slice(0, 1), [
      '5:8 mqtt.url: holds credentials; put them into mqtt.username and mqtt.passwordFile',
    ]);
    assert.equal(faults.length, 3);
    assert.ok(faults.every((fault) => !fault.includes('hunter2')));
  });

  it('counts lines and columns past Windows line ends', () => {
    assert.deepEqual(faultsOf(textWith({ 2: 'gateway: X' }).replaceAll('\n', '\r\n')), [
      `2:10 gateway: "X" is not allowed; ${ID_RULE}`,
    ]);
  });
});
