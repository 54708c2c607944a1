import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { test } from 'node:test';
import { REVOCATION_REASONS } from '../../src/domain/credential.ts';
import { fingerprintOf } from '../../src/domain/roster-change.ts';
import { MAX_MESSAGE_BYTES } from '../../src/wire/hr-messages.ts';
import type { RejectionCode } from '../../src/wire/message-json.ts';
import {
  accepted,
  CARD_REVOKED,
  CARDHOLDER_REVOKED,
  type DecodeOptions,
  FULL_BOUND,
  rejected,
  SHORT_BOUND,
  TOPICS,
} from './messages.ts';

test('a binding with every field of PROTOCOL.md is understood', () => {
  assert.deepEqual(accepted(FULL_BOUND), {
    messageType: 'card-bound',
    messageId: '01JD8Z3V6K4Q',
    revision: 1042,
    issuedAt: '2026-11-22T09:00:00+08:00',
    operator: 'hr.desk-2',
    change: {
      kind: 'bind-card',
      card: '04A2B3C4D5E680',
      cardholder: { id: 'E1001', name: 'Ada Person', department: 'Works' },
      access: [
        { doors: ['front', 'lab'], schedule: 'office-hours' },
        { doors: ['*'], schedule: 'always' },
        { level: 'staff' },
      ],
      cardKind: 'permanent',
      activation: 'active',
      validFrom: Date.parse('2026-11-23T00:00:00+08:00'),
      validUntil: Date.parse('2027-11-23T00:00:00+08:00'),
      supersedes: { kind: 'all' },
      transferFrom: 'E0999',
    },
  });
});

test('what a binding leaves out takes the default of PROTOCOL.md', () => {
  assert.deepEqual(accepted(SHORT_BOUND).change, {
    kind: 'bind-card',
    card: 'DEADBEEF',
    cardholder: { id: 'E1001' },
    access: [{ doors: ['front'], schedule: 'always' }],
    cardKind: 'permanent',
    activation: 'active',
    supersedes: { kind: 'all' },
  });
});

test('a revocation names one card or all cards of a person, for each reason of PROTOCOL.md', () => {
  assert.deepEqual(accepted(CARD_REVOKED).change, { kind: 'revoke-card', card: '04A2B3C4D5E680', reason: 'lost' });
  assert.deepEqual(accepted(CARDHOLDER_REVOKED).change, {
    kind: 'revoke-cardholder',
    cardholder: 'E1001',
    reason: 'left',
  });
  for (const reason of REVOCATION_REASONS) accepted({ ...CARD_REVOKED, reason });
});

test('each choice of kind, state and supersedes is understood', () => {
  const change = (changes: object) => accepted({ ...SHORT_BOUND, ...changes }).change;
  const temporary = change({ kind: 'temporary', validUntil: '2027-01-01T00:00:00Z' });
  assert.equal(temporary.kind === 'bind-card' && temporary.cardKind, 'temporary');
  const pending = change({ state: 'pending' });
  assert.equal(pending.kind === 'bind-card' && pending.activation, 'pending');
  const none = change({ supersedes: 'none' });
  assert.deepEqual(none.kind === 'bind-card' && none.supersedes, { kind: 'none' });
  const listed = change({ supersedes: ['04:a2:b3:c4:d5:e6:80', '04A2B3C4D5E680', '11223344'] });
  assert.deepEqual(listed.kind === 'bind-card' && listed.supersedes, {
    kind: 'cards',
    cards: ['04A2B3C4D5E680', '11223344'],
  });
});

test('the flags of a card are taken where they are true; false is as good as nothing', () => {
  for (const flag of ['overridesLockdown', 'extendedRelease']) {
    assert.deepEqual(accepted(bound({ [flag]: true })).change, { ...accepted(SHORT_BOUND).change, [flag]: true });
    assert.deepEqual(accepted(bound({ [flag]: false })).change, accepted(SHORT_BOUND).change);
    for (const value of [null, 'true', 1, []]) assert.equal(rejected(bound({ [flag]: value })).path, flag);
  }
});

test('a message without flags has the fingerprint that it had before there were any; a flag changes it', () => {
  const fingerprint = (changes: object) => fingerprintOf(accepted(bound(changes)).change);
  const before = 'f6d4440d2203c5b18070769035a5a44c0395eb0fb0f49b10e24ece2b0767cd24';
  assert.equal(fingerprint({}), before);
  assert.equal(fingerprint({ overridesLockdown: false, extendedRelease: false }), before);
  const others = [{ overridesLockdown: true }, { extendedRelease: true }].map(fingerprint);
  assert.equal(new Set([before, ...others]).size, 3);
});

test('limits are inclusive: revision, ids, grants, doors, superseded cards, and a message of exactly 64 KiB', () => {
  const long = 'x'.repeat(64);
  accepted({ ...SHORT_BOUND, revision: Number.MAX_SAFE_INTEGER });
  accepted({ ...SHORT_BOUND, messageId: long, operator: long, cardholder: { id: long } });
  accepted({ ...SHORT_BOUND, messageId: '員'.repeat(64), operator: '😀'.repeat(64) });
  accepted({ ...SHORT_BOUND, access: Array.from({ length: 64 }, () => ({ level: 'staff' })) });
  accepted({ ...SHORT_BOUND, access: [{ doors: Array.from({ length: 256 }, (_, n) => `door-${n}`) }] });
  const cards = Array.from({ length: 1000 }, (_, n) => `F0${n.toString(16).padStart(6, '0')}`);
  accepted({ ...SHORT_BOUND, supersedes: cards });
  const whole = JSON.stringify(SHORT_BOUND);
  accepted(whole.padEnd(MAX_MESSAGE_BYTES, ' '));
  assert.equal(rejected(whole.padEnd(MAX_MESSAGE_BYTES + 1, ' ')).code, 'too-large');
});

test('card numbers are brought to the canonical form of the site, wherever they stand', () => {
  const changed = { ...SHORT_BOUND, card: '3735928559', supersedes: ['1'] };
  const { change } = accepted(changed, { format: 'decimal' });
  assert.deepEqual(change.kind === 'bind-card' && [change.card, change.supersedes], [
    '3735928559',
    { kind: 'cards', cards: ['0000000001'] },
  ]);
  const pair = accepted({ ...CARD_REVOKED, card: '01700123' }, { format: 'wiegand26' }).change;
  assert.equal(pair.kind === 'revoke-card' && pair.card, '017,00123');
});

const bound = (changes: object) => ({ ...SHORT_BOUND, ...changes });
const without = (content: object, key: string) =>
  Object.fromEntries(Object.entries(content).filter(([name]) => name !== key));

interface Refusal {
  readonly what: string;
  readonly content: unknown;
  readonly code: RejectionCode;
  readonly path?: string;
  readonly options?: DecodeOptions;
}

const invalid = (what: string, path: string, content: unknown): Refusal => ({
  what,
  content,
  code: 'invalid-message',
  path,
});

const FULL_FIELDS = Object.keys(SHORT_BOUND);

const REFUSALS: readonly Refusal[] = [
  ...FULL_FIELDS.map((field) => invalid(`a binding without ${field}`, field, without(SHORT_BOUND, field))),
  ...FULL_FIELDS.map((field) => invalid(`a binding whose ${field} is null`, field, bound({ [field]: null }))),
  ...['type', 'site', 'messageId', 'revision', 'issuedAt', 'operator', 'reason'].map((field) => ({
    ...invalid(`a revocation without ${field}`, field, without(CARD_REVOKED, field)),
    options: { topic: TOPICS.cardRevoked },
  })),
  invalid('a misspelt validUntil', 'validUntill', bound({ validUntill: '2027-01-01T00:00:00Z' })),
  invalid(
    'an unknown field of the cardholder',
    'cardholder.e-mail',
    bound({ cardholder: { id: 'E1', 'e-mail': 'a@b' } }),
  ),
  invalid(
    'an unknown field of a grant',
    'access[1].until',
    bound({ access: [{ level: 'a' }, { doors: ['a'], until: 1 }] }),
  ),
  invalid('an unknown field of a level', 'access[0].doorz', bound({ access: [{ level: 'a', doorz: [] }] })),
  invalid('an unknown field of a revocation', 'until', { ...CARD_REVOKED, until: 1 }),
  invalid('a field of the other type', 'access', { ...CARD_REVOKED, access: [] }),
  invalid('x without a dash', 'xtrace', bound({ xtrace: 1 })),
  invalid('X- in upper case', 'X-trace', bound({ 'X-trace': 1 })),
  invalid('a revocation of nothing', 'card', without(CARD_REVOKED, 'card')),
  invalid('a revocation of card and cardholder', 'cardholder', { ...CARD_REVOKED, cardholder: 'E1001' }),
  invalid('an unknown reason', 'reason', { ...CARD_REVOKED, reason: 'bored' }),
  invalid('an empty messageId', 'messageId', bound({ messageId: '' })),
  invalid('a messageId of 65 characters', 'messageId', bound({ messageId: 'x'.repeat(65) })),
  invalid('a messageId with a line break', 'messageId', bound({ messageId: 'a\nb' })),
  invalid('an operator with NUL', 'operator', bound({ operator: 'a\u0000' })),
  invalid('an id with half a surrogate pair', 'cardholder.id', bound({ cardholder: { id: 'E\ud800' } })),
  invalid('revision 0', 'revision', bound({ revision: 0 })),
  invalid('revision -1', 'revision', bound({ revision: -1 })),
  invalid('revision 1.5', 'revision', bound({ revision: 1.5 })),
  invalid('revision as text', 'revision', bound({ revision: '1' })),
  invalid('revision as a list', 'revision', bound({ revision: [1] })),
  invalid('revision true', 'revision', bound({ revision: true })),
  invalid('revision 2^53', 'revision', bound({ revision: 2 ** 53 })),
  invalid('a time without offset', 'issuedAt', bound({ issuedAt: '2026-11-22T09:00:00' })),
  invalid('a day that does not exist', 'issuedAt', bound({ issuedAt: '2026-02-30T09:00:00Z' })),
  invalid('a second 60', 'issuedAt', bound({ issuedAt: '2026-12-31T23:59:60Z' })),
  invalid('a time as a number', 'validFrom', bound({ validFrom: 1_700_000_000 })),
  invalid('a date alone', 'validUntil', bound({ validUntil: '2027-01-01' })),
  invalid('an empty name', 'cardholder.name', bound({ cardholder: { id: 'E1', name: '' } })),
  invalid('a cardholder as text', 'cardholder', bound({ cardholder: 'E1001' })),
  invalid('no grant', 'access', bound({ access: [] })),
  invalid('65 grants', 'access', bound({ access: Array.from({ length: 65 }, () => ({ level: 'a' })) })),
  invalid('a grant for no door', 'access[0].doors', bound({ access: [{ doors: [] }] })),
  invalid('a grant that is empty', 'access[0]', bound({ access: [{}] })),
  invalid('a grant of doors and level', 'access[0]', bound({ access: [{ level: 'a', doors: ['b'] }] })),
  invalid('a door in upper case', 'access[0].doors[1]', bound({ access: [{ doors: ['a', 'Front'] }] })),
  invalid('a schedule that is no id', 'access[0].schedule', bound({ access: [{ doors: ['a'], schedule: '' }] })),
  invalid('an unknown kind', 'kind', bound({ kind: 'eternal' })),
  invalid('an unknown state', 'state', bound({ state: 'revoked' })),
  invalid('an empty list in supersedes', 'supersedes', bound({ supersedes: [] })),
  invalid('another word in supersedes', 'supersedes', bound({ supersedes: 'ALL' })),
  invalid('a card that supersedes itself', 'supersedes', bound({ supersedes: ['de:ad:be:ef'] })),
  invalid('an empty card', 'card', bound({ card: '' })),
  invalid('1001 superseded cards', 'supersedes', bound({ supersedes: Array.from({ length: 1001 }, () => '11223344') })),
  {
    what: 'text that is no card number',
    content: bound({ card: 'DEADBEE' }),
    code: 'invalid-card-number',
    path: 'card',
  },
  {
    what: 'a superseded text that is no card number',
    content: bound({ supersedes: ['11223344', 'zz'] }),
    code: 'invalid-card-number',
    path: 'supersedes[1]',
  },
  { what: 'a random UID', content: bound({ card: '08A1B2C3' }), code: 'random-uid', path: 'card' },
  {
    what: 'a random UID to revoke',
    content: { ...CARD_REVOKED, card: '08-A1-B2-C3' },
    code: 'random-uid',
    path: 'card',
  },
  {
    what: 'a temporary card for ever',
    content: bound({ kind: 'temporary' }),
    code: 'invalid-window',
    path: 'validUntil',
  },
  {
    what: 'a window that is empty',
    content: bound({ validFrom: '2027-01-01T00:00:00Z', validUntil: '2027-01-01T08:00:00+08:00' }),
    code: 'invalid-window',
    path: 'validUntil',
  },
  { what: 'another site', content: bound({ site: 'branch' }), code: 'wrong-site', path: 'site' },
  {
    what: 'a revocation on the topic of bindings',
    content: CARD_REVOKED,
    code: 'wrong-topic',
    path: 'type',
    options: { topic: TOPICS.cardBound },
  },
  {
    what: 'a topic of nobody',
    content: SHORT_BOUND,
    code: 'wrong-topic',
    options: { topic: 'cardea/hq/hr/card-lent' },
  },
  {
    what: 'a topic of another site',
    content: SHORT_BOUND,
    code: 'wrong-topic',
    options: { topic: 'cardea/branch/hr/card-bound' },
  },
  { what: 'a retained copy', content: SHORT_BOUND, code: 'retained-not-allowed', options: { retained: true } },
  { what: 'a retained revocation', content: CARD_REVOKED, code: 'retained-not-allowed', options: { retained: true } },
];

for (const { what, content, code, path, options } of REFUSALS) {
  test(`${what} is refused as ${code}${path === undefined ? '' : ` at ${path}`}`, () => {
    const rejection = rejected(content, options);
    assert.deepEqual([rejection.code, rejection.path], [code, path]);
    assert.ok(rejection.detail.length > 0 && rejection.detail.length <= 300);
  });
}

test('a field that is missing is said to be missing, and what it has to be', () => {
  const { operator, ...anonymous } = SHORT_BOUND;
  assert.equal(rejected(anonymous).detail, 'is missing; expected: string');
  assert.equal(rejected({ ...SHORT_BOUND, operator: 7 }).detail, 'Invalid input: expected string, received number');
});

test('x- fields are ignored at every level', () => {
  const extended = {
    ...FULL_BOUND,
    'x-trace': { deeply: [{ nested: true }] },
    'x-': null,
    cardholder: { ...FULL_BOUND.cardholder, 'x-payroll': 7 },
    access: FULL_BOUND.access.map((grant) => ({ ...grant, 'x-note': 'temporary' })),
  };
  assert.deepEqual(accepted(extended), accepted(FULL_BOUND));
  assert.deepEqual(accepted({ ...CARD_REVOKED, 'x-ticket': 1 }), accepted(CARD_REVOKED));
});

const spliced = (members: string, content: object = SHORT_BOUND): string =>
  `{${members},${JSON.stringify(content).slice(1)}`;

test('__proto__, constructor and their like are unknown fields, and no prototype is touched', () => {
  for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
    const rejection = rejected(spliced(`"${name}":{"supersedes":"none","isAdmin":true}`));
    assert.deepEqual([rejection.code, rejection.path], ['invalid-message', name]);
    const nested = JSON.stringify(SHORT_BOUND).replace('{"id"', `{"${name}":{"name":"x"},"id"`);
    assert.equal(rejected(nested).path, `cardholder.${name}`);
    const grant = JSON.stringify(SHORT_BOUND).replace('{"doors"', `{"${name}":["*"],"doors"`);
    assert.equal(rejected(grant).path, `access[0].${name}`);
  }
  assert.equal('isAdmin' in {}, false);
});

test('a name that occurs twice is refused, at every level and in every spelling', () => {
  const twice: readonly [string, string][] = [
    [spliced('"card":"11223344"'), 'card'],
    [spliced('"c\\u0061rd":"11223344"'), 'card'],
    [spliced('"revision":1'), 'revision'],
    [JSON.stringify(SHORT_BOUND).replace('{"id"', '{"id":"E2","id"'), 'cardholder.id'],
    [JSON.stringify(FULL_BOUND).replace('"level"', '"level":"all","level"'), 'access[2].level'],
    [spliced('"x-a":1,"x-b":[{"c":1},{"c":1,"d":[],"c":2}]'), 'x-b[1].c'],
    [spliced('"x-a":1,"x-a":1'), 'x-a'],
    [spliced('"__proto__":1,"__proto__":2'), '__proto__'],
  ];
  for (const [text, path] of twice) {
    const rejection = rejected(text);
    assert.deepEqual(
      [rejection.code, rejection.path, rejection.detail],
      ['invalid-message', path, 'the same name occurs twice'],
      text,
    );
  }
  accepted(spliced('"x-a":{"card":1,"b":{"card":2}},"x-b":{"card":"\\"card\\":1,{"},"x-c":["card","card",":"]'));
});

test('bytes that are no JSON object in UTF-8 are refused, named by their hash', () => {
  const whole = JSON.stringify(SHORT_BOUND);
  const bytes = Buffer.from(whole);
  const broken: readonly (string | Uint8Array)[] = [
    '',
    ' ',
    'null',
    'true',
    '1',
    '"card-bound"',
    '[]',
    `[${whole}]`,
    `${whole}${whole}`,
    `${whole}\u0000`,
    `\ufeff${whole}`,
    whole.replaceAll('"', "'"),
    whole.replace('}', ',}'),
    `// comment\n${whole}`,
    whole.replace(':1,', ':01,'),
    whole.replace(':1,', ':NaN,'),
    whole.replace(':1,', ':0x1,'),
    Buffer.concat([bytes.subarray(0, 20), Buffer.from([0xff]), bytes.subarray(20)]),
    Buffer.from(whole.replace('E1001', 'E\u00e9'), 'latin1'),
    Buffer.from(whole, 'utf16le'),
    Buffer.from(whole.replace('E1001', 'x'), 'utf8').fill(0xc0, 40, 41),
    new Uint8Array(1000),
    '['.repeat(65_536),
    '{"a":'.repeat(13_000),
  ];
  for (const content of broken) {
    const rejection = rejected(content);
    const label = String(content).slice(0, 60);
    assert.equal(rejection.code, 'invalid-message', label);
    assert.equal(rejection.messageId, null, label);
    assert.equal(rejection.payloadSha256, createHash('sha256').update(content).digest('hex'), label);
  }
  for (let length = 0; length < bytes.length; length++) {
    assert.equal(rejected(bytes.subarray(0, length)).code, 'invalid-message', `cut after ${length} bytes`);
  }
});

test('deep nesting inside a field is refused or ignored, and nothing overflows', () => {
  const deep = `${'['.repeat(30_000)}${']'.repeat(30_000)}`;
  accepted(spliced(`"x-deep":${deep}`));
  assert.equal(rejected(spliced(`"deep":${deep}`)).path, 'deep');
  for (const field of FULL_FIELDS) {
    const text = `{${Object.entries(SHORT_BOUND).map(([key, value]) => `"${key}":${key === field ? deep : JSON.stringify(value)}`)}}`;
    assert.equal(rejected(text).code, 'invalid-message', field);
  }
});

test('numbers at the edge of JSON are integers or refused', () => {
  const revision = (literal: string) => JSON.stringify(SHORT_BOUND).replace('"revision":1', `"revision":${literal}`);
  for (const literal of [
    '1e400',
    '-1e400',
    '-0',
    '0',
    '0.9999',
    '1e-1',
    '9007199254740992',
    '123456789012345678901234567890',
  ]) {
    assert.equal(rejected(revision(literal)).path, 'revision', literal);
  }
  assert.equal(accepted(revision('1.0')).revision, 1);
  assert.equal(accepted(revision('1e3')).revision, 1000);
});

test('a rejection carries as much of the message as could be made out, and nothing that is not valid', () => {
  const rejection = rejected({ ...SHORT_BOUND, card: 'zz' });
  assert.deepEqual(
    { ...rejection, detail: '' },
    {
      code: 'invalid-card-number',
      detail: '',
      path: 'card',
      messageType: 'card-bound',
      messageId: 'm-1',
      revision: 1,
      operator: 'hr',
      payloadSha256: null,
    },
  );
  const vague = rejected({ messageId: 'a\u0000', revision: 1.5, operator: ['x'] });
  assert.deepEqual([vague.messageId, vague.revision, vague.operator], [null, null, null]);
  assert.match(vague.payloadSha256 ?? '', /^[0-9a-f]{64}$/);
});

test('neither path nor detail of a rejection grows with the message', () => {
  const rejection = rejected({ ...SHORT_BOUND, [`k${'😀'.repeat(10_000)}`]: 1 });
  assert.ok((rejection.path ?? '').length <= 300 && rejection.detail.length <= 300);
  const many = rejected({
    ...SHORT_BOUND,
    ...Object.fromEntries(Array.from({ length: 4000 }, (_, n) => [`k${n}`, 1])),
  });
  assert.ok(many.detail.length <= 300);
});

test('the detail of a refused card number does not repeat the number', () => {
  assert.doesNotMatch(JSON.stringify(rejected({ ...SHORT_BOUND, card: 'DEADBEEF99' })), /DEADBEEF99/);
});

test('an oversized message is refused unread: not even its messageId is looked at', () => {
  const rejection = rejected({ ...SHORT_BOUND, 'x-pad': ' '.repeat(MAX_MESSAGE_BYTES) });
  assert.deepEqual([rejection.code, rejection.messageId, rejection.messageType], ['too-large', null, 'card-bound']);
});

test('what the envelope refuses is refused with its code, before anything is parsed', () => {
  const rejection = rejected(SHORT_BOUND, {
    envelope: () => ({ kind: 'refused', code: 'bad-signature', detail: 'the signature does not fit' }),
  });
  assert.deepEqual(
    [rejection.code, rejection.messageId, rejection.detail],
    ['bad-signature', null, 'the signature does not fit'],
  );
});
