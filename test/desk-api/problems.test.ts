// What is answered when nothing is done: always a problem that says what is wrong, and never a word about how the desk works.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { sequenceKey } from '../../src/desk/records.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { statusOf } from '../fixtures/open-desk.ts';
import { type Answer, openDeskApi } from '../fixtures/open-desk-api.ts';

const PROBLEM = 'application/problem+json';

const isProblem = ({ status, body, headers }: Answer, place: string): void => {
  assert.ok(String(headers['content-type']).startsWith(PROBLEM), `${place}: ${headers['content-type']}`);
  assert.equal(body.status, status, place);
  assert.equal(body.type, `urn:cardea:desk:${body.code}`, place);
  assert.ok(body.title !== '' && body.detail !== '', place);
  assert.equal(headers['cache-control'], 'no-store', place);
};

describe('a request is refused', () => {
  const OFFICE = { doors: ['front'] };
  const faults: readonly [string, string, object | string, readonly unknown[]][] = [
    ['without what it needs', '/v1/replacements', {}, [400, 'invalid-request', 'cardholder']],
    [
      'with a member that is misspelt',
      '/v1/bindings',
      { cardholder: 'E1', card: '04A2B3C4', validUntill: '2030-01-01T00:00:00Z' },
      [400, 'invalid-request', 'validUntill'],
    ],
    ['with a number for a text', '/v1/employees', { id: 7, name: 'x' }, [400, 'invalid-request', 'id']],
    [
      'with a fault deep inside',
      '/v1/employees',
      { id: 'E1', name: 'x', access: [OFFICE, { doors: [7] }] },
      [400, 'invalid-request', 'access[1]'],
    ],
    ...[
      { grant: { doors: ['Front Door'] }, path: 'doors[0]' },
      { grant: { doors: ['*', '**'] }, path: 'doors[1]' },
      { grant: { doors: ['*'], schedule: 'Always' }, path: 'schedule' },
      { grant: { level: 'a b' }, path: 'level' },
    ].map(({ grant, path }): [string, string, object, readonly unknown[]] => [
      `with ${JSON.stringify(grant)}, which no gateway would take`,
      '/v1/employees',
      { id: 'E1', name: 'x', access: [OFFICE, grant] },
      [400, 'invalid-request', `access[1].${path}`],
    ]),
    [
      'with a time without an offset',
      '/v1/bindings',
      { cardholder: 'E1', card: '04A2B3C4', validUntil: '2030-01-01T00:00:00' },
      [400, 'invalid-request', 'validUntil'],
    ],
    ['with control characters', '/v1/employees', { id: 'E1', name: 'a\u001b[2Jb' }, [400, 'invalid-request', 'name']],
    ['with half a character', '/v1/employees', '{"id":"E1","name":"a\\ud800"}', [400, 'invalid-request', 'name']],
    ['with one name twice', '/v1/employees', '{"id":"E1","name":"x","name":"y"}', [400, 'not-json', 'name']],
    ['that is no object', '/v1/employees', '[]', [400, 'not-json', undefined]],
    ['that is no JSON', '/v1/employees', '{"id":', [400, 'not-json', undefined]],
    ['that is empty', '/v1/employees', '', [400, 'invalid-request', undefined]],
    [
      'that reaches for the prototype',
      '/v1/employees',
      '{"id":"E1","name":"x","__proto__":{"status":"left"}}',
      [400, 'invalid-request', '__proto__'],
    ],
    [
      'that reaches for the constructor',
      '/v1/employees',
      '{"id":"E1","name":"x","constructor":{"prototype":{"a":1}}}',
      [400, 'invalid-request', 'constructor'],
    ],
    ['that is nested without end', '/v1/employees', `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`, [400]],
    ['that is too large', '/v1/employees', { id: 'E1', name: 'x'.repeat(70_000) }, [413, 'too-large', undefined]],
    [
      'with a preview that is neither true nor false',
      '/v1/revocations?preview=yes',
      { card: '04A2B3C4', reason: 'other' },
      [400, 'invalid-request', 'preview'],
    ],
    [
      'with something asked twice',
      '/v1/revocations?preview=true&preview=false',
      { card: '04A2B3C4', reason: 'other' },
      [400, 'invalid-request', 'preview'],
    ],
    [
      'with something asked that is not there',
      '/v1/revocations?preveiw=true',
      { card: '04A2B3C4', reason: 'other' },
      [400, 'invalid-request', 'preveiw'],
    ],
  ];

  test('and the desk is as it was', async (t) => {
    const { call, tokens, desk, errors } = await openDeskApi(t);
    for (const [what, url, body, [status, ...rest]] of faults) {
      const token = url.startsWith('/v1/revocations') ? tokens.security : tokens.clerk;
      const answer = await call({ method: 'POST', url, token, body });
      isProblem(answer, what);
      assert.equal(answer.status, status, what);
      if (rest.length > 0) assert.deepEqual([answer.body.code, answer.body.path], rest, what);
    }
    assert.deepEqual([desk.state.people.size, desk.state.roster.revision, errors], [0, 0, []]);
    assert.equal(Object(Object.prototype).status, undefined);
  });

  test('in another language than JSON, for what is not there, and in URLs that are none', async (t) => {
    const { call, tokens, app } = await openDeskApi(t);
    const token = tokens.clerk;
    const xml = {
      method: 'POST',
      url: '/v1/employees',
      token,
      body: '<id/>',
      headers: { 'content-type': 'text/xml' },
    } as const;
    const answers: readonly [Answer, number, string][] = [
      [await call(xml), 415, 'wrong-media-type'],
      [await call({ url: '/v1/nothing', token }), 404, 'not-found'],
      [await call({ url: '/', token }), 404, 'not-found'],
      [await call({ method: 'DELETE', url: '/v1/employees', token }), 404, 'not-found'],
      [await call({ url: '/v1/employees/E%001', token }), 404, 'unknown-employee'],
      [await call({ url: '/v1/employees/..%2f..%2fetc', token }), 404, 'unknown-employee'],
      [await call({ url: '/v1/operations/op-1%20', token }), 400, 'invalid-request'],
    ];
    for (const [answer, status, code] of answers) {
      isProblem(answer, code);
      assert.deepEqual([answer.status, answer.body.code], [status, code]);
    }
    for (const url of ['/v1/employees/%zz', `/v1/employees/${'x'.repeat(2_000)}`]) {
      const response = await app.inject({ url, headers: { authorization: `Bearer ${token}` } });
      assert.ok(response.statusCode === 400 || response.statusCode === 404, `${response.statusCode}`);
      assert.equal(response.json().status, response.statusCode);
    }
  });

  test('whoever asks as nobody: with no token, one that is none, or one that is somewhere else', async (t) => {
    const { call, tokens, app } = await openDeskApi(t);
    const { clerk } = tokens;
    const headers: readonly Readonly<Record<string, string>>[] = [
      {},
      { authorization: clerk },
      { authorization: `Basic ${clerk}` },
      { authorization: `Bearer ${clerk}x` },
      { authorization: 'Bearer __proto__' },
      { cookie: `token=${clerk}` },
      { 'x-api-key': clerk },
    ];
    for (const header of headers) {
      const answer = await call({ url: '/v1/status', headers: header });
      isProblem(answer, JSON.stringify(header));
      assert.equal(answer.status, 401);
      assert.equal(answer.headers['www-authenticate'], 'Bearer realm="cardea desk"');
    }
    assert.equal((await call({ url: `/v1/status?token=${clerk}` })).status, 401);
    const preflight = await app.inject({
      method: 'OPTIONS',
      url: '/v1/status',
      headers: { origin: 'https://elsewhere' },
    });
    assert.equal(preflight.statusCode, 404);
    assert.ok(!Object.keys(preflight.headers).some((name) => name.startsWith('access-control')));
  });
});

describe('the desk cannot answer', () => {
  const site = async (t: TestContext) => {
    const store = new MemoryDeskStore();
    const opened = await openDeskApi(t, { store });
    opened.link.connect();
    await opened.link.deliver('cardea/hq/gateways/lobby-1/status', statusOf(opened.desk, 'lobby-1', ['front']));
    return { ...opened, store };
  };

  test('once a write has failed: not with a change, and not with what may not be so', async (t) => {
    const { call, tokens, store } = await site(t);
    const token = tokens.clerk;
    const add = () => call({ method: 'POST', url: '/v1/employees', token, body: { id: 'E1', name: 'Li' } });
    store.isBroken = true;
    const answer = await add();
    isProblem(answer, 'the write that failed');
    assert.deepEqual([answer.status, answer.body.code, answer.headers['retry-after']], [503, 'store-unavailable', '5']);
    store.isBroken = false;
    assert.equal((await add()).status, 503);
    assert.equal((await call({ url: '/v1/employees/E1', token })).status, 503);
    assert.equal((await call({ url: '/healthz' })).status, 503);
    assert.equal((await call({ method: 'POST', url: '/v1/sessions', body: { name: 'x', password: 'y' } })).status, 503);
    assert.equal((await call({ url: '/v1/openapi.json' })).status, 200);
  });

  test('because of a fault of its own, and says no more than that', async (t) => {
    const { call, tokens, store, errors } = await site(t);
    await store.write([{ kind: 'audit', key: sequenceKey(1), value: { secret: 'of the store' } }]);
    const answer = await call({ url: '/v1/audit', token: tokens.auditor });
    isProblem(answer, 'a record that does not decode');
    assert.deepEqual([answer.status, answer.body.code, answer.body.path], [500, 'internal-error', undefined]);
    assert.doesNotMatch(JSON.stringify(answer.body), /record|secret|store/);
    assert.equal(errors.length, 1);
  });
});
