// The JSON Schema of the contract: it compiles elsewhere, explains itself, and says what the decoders do.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import fc from 'fast-check';
import type { DenialReason, EventName } from '../../src/domain/access-event.ts';
import { canonicalJson, sha256Hex } from '../../src/domain/canonical-json.ts';
import { DIGEST_BYTES, toggleCard } from '../../src/domain/roster-digest.ts';
import { CONTRACT, contractSchema, messageContractSchema, messageSchema } from '../../src/wire/contract.ts';
import { EXAMPLES } from '../../src/wire/contract-examples.ts';
import { HR_MESSAGE_TYPES } from '../../src/wire/message-envelope.ts';
import type { RejectionCode } from '../../src/wire/message-json.ts';
import { MESSAGE_NAMES, type MessageName } from '../../src/wire/message-names.ts';
import { decodeRosterRequest } from '../../src/wire/roster-messages.ts';
import { lastWill } from '../../src/wire/status.ts';
import { cardNumber, gatewayId, revision } from '../domain/samples.ts';
import { compile, isRecord, validators } from './contract-schemas.ts';
import { decode, TOPICS } from './messages.ts';

const VALIDATORS = validators();

const isValid = (name: MessageName, message: unknown): boolean => VALIDATORS.get(name)?.(message) === true;

const examplesOf = (name: MessageName): readonly object[] => EXAMPLES[name].map(({ payload }) => payload);

describe('the contract as JSON Schema', () => {
  it('is one document of draft 2020-12 that a strict validator compiles, and takes each example', () => {
    const schema = contractSchema();
    assert.equal(schema.$schema, 'https://json-schema.org/draft/2020-12/schema');
    assert.equal(schema.$id, 'urn:cardea:contract:1');
    assert.deepEqual(Object.keys(schema.$defs ?? {}), [...MESSAGE_NAMES]);
    const validate = compile(schema);
    for (const name of MESSAGE_NAMES) {
      for (const example of examplesOf(name)) assert.ok(validate(example), JSON.stringify(validate.errors));
    }
    assert.ok(!validate({ type: 'card-lost' }));
  });

  it('has a document for each message, which takes its own examples and no others', () => {
    for (const name of MESSAGE_NAMES) {
      assert.equal(messageContractSchema(name).$id, `urn:cardea:contract:1:${name}`);
      for (const other of MESSAGE_NAMES) {
        for (const example of examplesOf(other)) assert.equal(isValid(name, example), name === other, name);
      }
    }
  });

  it('means the same in draft 7, the dialect of AsyncAPI', () => {
    for (const name of MESSAGE_NAMES) {
      const ajv = new Ajv({ strict: true });
      addFormats.default(ajv);
      const validate = ajv.compile(messageSchema(name));
      for (const example of examplesOf(name)) assert.ok(validate(example), JSON.stringify(validate.errors));
    }
  });

  it('explains every message and every field', () => {
    for (const name of MESSAGE_NAMES) {
      const schema = messageSchema(name);
      assert.ok(String(schema.description).length > 20, name);
      for (const [path, field] of fieldsIn(schema, name)) {
        const isPlain = 'const' in field || 'properties' in field;
        assert.ok(isPlain || String(field['description'] ?? '').length > 5, `${path} has no description`);
      }
    }
  });

  it('uses no regular expression that only JavaScript understands', () => {
    assert.doesNotMatch(JSON.stringify(contractSchema()), /\\\\[pPuk]|\(\?</);
  });
});

/** Every member that the schema describes, with its path. */
const fieldsIn = (schema: unknown, path: string): [string, Record<string, unknown>][] => {
  if (Array.isArray(schema)) return schema.flatMap((part) => fieldsIn(part, path));
  if (!isRecord(schema)) return [];
  const own = isRecord(schema['properties']) ? Object.entries(schema['properties']) : [];
  const parts = [schema['items'], schema['additionalProperties']];
  // The alternatives of an object with fields of its own only restrict those.
  const alternatives = own.length > 0 ? [] : [schema['anyOf'], schema['oneOf']];
  return [
    ...own.flatMap(([key, field]): [string, Record<string, unknown>][] => [
      ...(isRecord(field) ? [[`${path}.${key}`, field] satisfies [string, object]] : []),
      ...fieldsIn(field, `${path}.${key}`),
    ]),
    ...[...parts, ...alternatives].flatMap((part) => fieldsIn(part, path)),
  ];
};

describe('the examples', () => {
  it('are taken by the decoders', () => {
    for (const name of HR_MESSAGE_TYPES) {
      for (const example of examplesOf(name)) assert.equal(refusalOf(name, example), undefined);
    }
    for (const example of examplesOf('roster-request')) assert.equal(refusalOf('roster-request', example), undefined);
  });

  it('end with the last will as a gateway leaves it with the broker', () => {
    assert.deepEqual(EXAMPLES.status.at(-1)?.payload, JSON.parse(lastWill(gatewayId('lobby-1'))));
  });

  it('have true digests and hashes, to test an implementation against', () => {
    const [bound] = EXAMPLES['card-bound'];
    const buckets = new Uint8Array(DIGEST_BYTES);
    toggleCard(buckets, cardNumber(bound.payload.card), revision(bound.payload.revision));
    assert.equal(EXAMPLES['roster-digest'][0].payload.buckets, Buffer.from(buckets).toString('base64'));
    assert.equal(EXAMPLES.receipt[0].payload.roster.digest, sha256Hex(buckets));
    const { hash, ...event } = EXAMPLES.event[0].payload;
    assert.equal(hash, sha256Hex(canonicalJson(event)));
  });
});

/** Lists that the compiler keeps complete. */
const EVENTS: Readonly<Record<EventName, true>> = {
  'access-granted': true,
  'access-denied': true,
  'access-not-taken': true,
  'door-opened': true,
  'door-closed': true,
  'door-held-open-warning': true,
  'door-held-open': true,
  'door-held-open-cleared': true,
  'door-forced-open': true,
  'door-forced-open-cleared': true,
  'exit-requested': true,
  'door-command': true,
  'lockdown-started': true,
  'lockdown-ended': true,
  tamper: true,
  'card-activated': true,
  'card-presented': true,
  'card-change': true,
  'reader-offline': true,
  'reader-online': true,
  'clock-trusted': true,
  'clock-untrusted': true,
  'store-full': true,
  'store-recovered': true,
  'roster-divergence': true,
  'roster-reconciled': true,
  'operator-action': true,
  'configuration-changed': true,
  checkpoint: true,
  'events-dropped': true,
  'store-damaged': true,
  'store-restored': true,
  'store-key-rotated': true,
  'gateway-started': true,
  'gateway-stopped': true,
};

const DENIALS: Readonly<Record<DenialReason, true>> = {
  'unknown-card': true,
  revoked: true,
  lost: true,
  stolen: true,
  replaced: true,
  suspended: true,
  left: true,
  pending: true,
  'not-yet-valid': true,
  expired: true,
  'door-not-permitted': true,
  'outside-schedule': true,
  'door-blocked': true,
  lockdown: true,
  passback: true,
  'second-card-required': true,
  'random-uid': true,
  'ambiguous-read': true,
  'clock-untrusted': true,
  'roster-stale': true,
  'store-failure': true,
};

const CODES: Readonly<Record<RejectionCode, true>> = {
  'invalid-message': true,
  'too-large': true,
  'wrong-site': true,
  'wrong-topic': true,
  'retained-not-allowed': true,
  'invalid-card-number': true,
  'random-uid': true,
  'card-in-use': true,
  'revision-conflict': true,
  'invalid-window': true,
  'expired-command': true,
  'unknown-door': true,
  'not-carried-out': true,
  'not-signed': true,
  'bad-signature': true,
  'unknown-key': true,
  'not-permitted': true,
  'store-unavailable': true,
};

describe('the lists of values', () => {
  it('hold every event and every reason for a denial that a gateway may give', () => {
    const [event] = EXAMPLES.event;
    for (const name of Object.keys(EVENTS)) assert.ok(isValid('event', { ...event.payload, event: name }), name);
    const text = JSON.stringify(messageSchema('event'));
    for (const reason of Object.keys(DENIALS)) assert.match(text, new RegExp(` ${reason}[ ,.]`), reason);
  });

  it('hold every code and every message type that a receipt may carry', () => {
    const [, rejected] = EXAMPLES.receipt;
    for (const code of Object.keys(CODES)) assert.ok(isValid('receipt', { ...rejected.payload, code }), code);
    for (const messageType of HR_MESSAGE_TYPES) {
      assert.ok(isValid('receipt', { ...rejected.payload, messageType }), messageType);
    }
  });

  it('name every warning that a receipt may carry', () => {
    const text = JSON.stringify(messageSchema('receipt'));
    for (const warning of [
      'not-yet-valid',
      'expired',
      'clock-untrusted',
      'roster-stale',
      'unknown-schedule',
      'unknown-level',
      'damaged-record',
      'not-carried-out',
    ]) {
      assert.match(text, new RegExp(` ${warning}[:,.]`), warning);
    }
  });
});

/** What the receiver of such a message has against it. */
const refusalOf = (name: MessageName, message: unknown): string | undefined => {
  if (name === 'roster-request') {
    return decodeRosterRequest(Buffer.from(JSON.stringify(message))) === undefined ? 'no request' : undefined;
  }
  if (CONTRACT[name].action === 'send') return CONTRACT[name].schema.safeParse(message).error?.message;
  const decoded = decode(message, { topic: TOPIC_OF[name] ?? '' });
  if (decoded.kind !== 'rejected') return undefined;
  const { code, path, detail } = decoded.rejection;
  return `${code} ${path ?? ''}: ${detail}`;
};

const TOPIC_OF: Partial<Record<MessageName, string>> = {
  'card-bound': TOPICS.cardBound,
  'card-revoked': TOPICS.cardRevoked,
  'roster-digest': TOPICS.rosterDigest,
  calendar: TOPICS.calendar,
  'roster-page': TOPICS.rosterPage,
  'event-ack': TOPICS.eventAck,
  command: TOPICS.command,
};

/** What JSON Schema cannot say: comparisons between fields, the site's own card numbers and names, and what this version lacks. */
const BEYOND_SCHEMA =
  /^(wrong-site|wrong-topic gateway|invalid-card-number|random-uid|invalid-window (cards\[\d+\]\.)?validUntil: validUntil must be later|invalid-message (until: reset-passback has no end|expiresAt: (a command is good|expiresAt must)|supersedes: a card cannot|page: there are|cards\[\d+\]\.revision: the card is newer|cards\[\d+\]\.card: the card is in none|schedules\.(always: always is built in|\S+: (there is no holiday list|is equal to from))|holidays\.\S+: ".*" is not allowed))/;

type Mutation = readonly [which: number, how: 'set' | 'cut' | 'rename' | 'add', value: unknown, name: string];

const VALUE = fc.oneof(
  fc.jsonValue(),
  fc.constantFrom(
    0,
    -1,
    1,
    1.5,
    2 ** 53,
    '',
    '*',
    'x',
    'X',
    'a'.repeat(64),
    'a'.repeat(65),
    'a\u0000',
    '日本',
    null,
    [],
    {},
  ),
  fc.constantFrom('all', 'none', 'permanent', 'temporary', 'lost', 'pending', 'DEADBEEF', '08000001', 'front'),
  fc.constantFrom('2026-02-29T00:00:00Z', '2028-02-29T00:00:00+08:00', '2026-11-22T09:00Z', '2026-11-22T24:00:00Z'),
  fc.constantFrom('08:00', '24:00', '25:00', 'mon', 'public', '02-29', '02-30', '2026-01-02..2026-01-01'),
  fc.constantFrom('2026-11-22T09:00:00', '2026-11-22t09:00:00z', '2026-11-22T09:00:60Z', '2026-11-22T09:00:00.5-23:59'),
);

const MUTATION: fc.Arbitrary<Mutation> = fc.tuple(
  fc.nat(),
  fc.constantFrom('set', 'cut', 'rename', 'add'),
  VALUE,
  fc.constantFrom(
    'x-note',
    'x-',
    'x',
    'validUntill',
    'card',
    'cardholder',
    'validUntil',
    'level',
    'schedule',
    'kind',
    'always',
  ),
);

/** Every container in `value`, outermost first. */
const containersIn = (value: unknown): (unknown[] | Record<string, unknown>)[] => {
  if (Array.isArray(value)) return [value, ...value.flatMap(containersIn)];
  return isRecord(value) ? [value, ...Object.values(value).flatMap(containersIn)] : [];
};

const mutated = (message: object, mutations: readonly Mutation[]): unknown => {
  const copy: unknown = structuredClone(message);
  for (const [which, how, value, name] of mutations) {
    const places = containersIn(copy).flatMap((container) => Object.keys(container).map((key) => ({ container, key })));
    const place = places[which % places.length];
    if (place === undefined) continue;
    const { container, key } = place;
    if (Array.isArray(container)) {
      if (how === 'cut') container.splice(Number(key), 1);
      else if (how === 'set') container[Number(key)] = value;
      else container.push(value);
      continue;
    }
    const was = container[key];
    if (how === 'cut' || how === 'rename') delete container[key];
    if (how !== 'cut') container[how === 'set' ? key : name] = how === 'rename' ? was : value;
  }
  return copy;
};

describe('the JSON Schema and the decoders', () => {
  for (const name of MESSAGE_NAMES) {
    it(`agree about ${name}, as far as JSON Schema can say it`, () => {
      const counts = { taken: 0, refused: 0 };
      const message = fc
        .tuple(fc.constantFrom(...examplesOf(name)), fc.array(MUTATION, { maxLength: 3 }))
        .map(([example, mutations]) => mutated(example, mutations));
      fc.assert(
        fc.property(message, (value) => {
          const isTaken = isValid(name, value);
          const refusal = refusalOf(name, value);
          counts[refusal === undefined ? 'taken' : 'refused'] += 1;
          if (isTaken && refusal !== undefined) assert.match(refusal, BEYOND_SCHEMA);
          else
            assert.equal(
              isTaken,
              refusal === undefined,
              `${refusal} but ${JSON.stringify(VALIDATORS.get(name)?.errors)}`,
            );
        }),
        { numRuns: 1200 },
      );
      assert.ok(counts.taken > 300 && counts.refused > 300, JSON.stringify(counts));
    });
  }

  it('want a temporary card to have an end, and a revocation to name either a card or a person', () => {
    const [bound] = examplesOf('card-bound');
    assert.ok(!isValid('card-bound', { ...bound, kind: 'temporary' }));
    const [one, all] = examplesOf('card-revoked');
    assert.ok(!isValid('card-revoked', { ...one, ...all }));
  });
});
