// What people and programs do over HTTP. Every answer here is held against the API's own description (open-desk-api.ts).

import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { ADMIN, receiptFor, statusOf, taken } from '../fixtures/open-desk.ts';
import { type Answer, FakeSetupCode, openDeskApi, PASSWORD } from '../fixtures/open-desk-api.ts';

const OLD = '04A2B3C4D5E680';
const NEW = '04A2B3C4D5E681';
const OTHER = '04A2B3C4D5E682';
const GATEWAY = 'cardea/hq/gateways/lobby-1';

/** Wang with one card, and one gateway with two doors, which has confirmed it. */
const site = async (t: TestContext) => {
  const opened = await openDeskApi(t);
  const { desk, link, call, tokens } = opened;
  link.connect();
  await link.deliver(`${GATEWAY}/status`, statusOf(desk, 'lobby-1', ['front', 'lab']));
  const as = (role: keyof typeof tokens) => ({
    get: (url: string) => call({ url, token: tokens[role] }),
    post: (url: string, body: object = {}, headers = {}) =>
      call({ method: 'POST', url, token: tokens[role], body, headers }),
    patch: (url: string, body: object) => call({ method: 'PATCH', url, token: tokens[role], body }),
    delete: (url: string) => call({ method: 'DELETE', url, token: tokens[role] }),
  });
  const [clerk, security, auditor, admin] = [as('clerk'), as('security'), as('auditor'), as('admin')];
  made(await clerk.post('/v1/employees', { id: 'E1001', name: '王小明', department: 'Lab' }));
  const bound = made(await clerk.post('/v1/bindings', { cardholder: 'E1001', card: OLD }));
  const confirm = async (id: string) => {
    const view = await desk.operation(id);
    assert.ok(view !== undefined);
    await link.deliver(`${GATEWAY}/receipt`, receiptFor(view.operation));
  };
  await confirm(bound.operation.id);
  return { ...opened, clerk, security, auditor, admin, confirm };
};

/** The body of an answer that has to be 201. */
const made = ({ status, body }: Answer): Answer['body'] => {
  assert.equal(status, 201, JSON.stringify(body));
  return body;
};

const refused = ({ status, body }: Answer): readonly unknown[] => [status, body.code, body.path];

/** Until `condition` holds; nothing here takes longer than a few turns. */
const turns = async (condition: () => boolean): Promise<void> => {
  for (let turn = 0; !condition(); turn++) {
    assert.ok(turn < 10_000, 'waited in vain');
    await setImmediate();
  }
};

describe('people', () => {
  test('are added, found, changed, imported, leave and return', async (t) => {
    const { clerk, security, call, tokens } = await site(t);
    assert.deepEqual(refused(await clerk.post('/v1/employees', { id: 'E1001', name: 'x' })), [
      409,
      'employee-exists',
      'id',
    ]);
    const found = await clerk.get(`/v1/employees?q=${encodeURIComponent('小明')}`);
    assert.deepEqual(
      found.body.employees.map(({ id, cards }: { id: string; cards: { card: string }[] }) => [id, cards[0]?.card]),
      [['E1001', OLD]],
    );
    assert.equal((await clerk.get('/v1/employees?q=04:A2:B3:C4:D5:E6:80')).body.employees[0].id, 'E1001');
    assert.deepEqual((await clerk.get(`/v1/employees?q=${OLD}&status=left`)).body.employees, []);
    assert.equal((await clerk.patch('/v1/employees/E1001', { department: 'Office' })).body.department, 'Office');
    const imported = {
      employees: [
        { id: 'E1001', name: '王小明' },
        { id: 'E1002', name: 'Zhang' },
      ],
    };
    assert.deepEqual((await clerk.post('/v1/imports', imported)).body, { added: 1, changed: 0, unchanged: 1 });
    const twice = { employees: [...imported.employees, imported.employees[0]] };
    assert.deepEqual(refused(await clerk.post('/v1/imports', twice)), [400, 'invalid-request', 'employees[2].id']);
    const left = made(
      await security.post('/v1/employees/E1001/leave', { note: 'last day' }, { 'idempotency-key': 'l' }),
    );
    assert.deepEqual(left.operation.stoppedCards, [OLD]);
    assert.equal(
      (await security.post('/v1/employees/E1001/leave', { note: 'last day' }, { 'idempotency-key': 'l' })).status,
      200,
    );
    const person = await clerk.get('/v1/employees/E1001');
    assert.deepEqual([person.body.status, person.body.cards[0].reason], ['left', 'left']);
    assert.equal((await clerk.post('/v1/employees/E1001/return')).body.status, 'active');
    made(await clerk.post('/v1/bindings', { cardholder: 'E1001', card: NEW }));
    made(await call({ method: 'POST', url: '/v1/employees/E1001/leave', token: tokens.security }));
    assert.deepEqual(refused(await clerk.get('/v1/employees/E9')), [404, 'unknown-employee', undefined]);
  });
});

describe('a card', () => {
  test('is replaced, and what the gateways make of it is waited for', async (t) => {
    const { clerk, confirm } = await site(t);
    const answer = await clerk.post('/v1/replacements', { cardholder: 'E1001', newCard: NEW, reason: 'lost' });
    const { operation, proof } = made(answer);
    assert.equal(answer.headers['location'], `/v1/operations/${operation.id}`);
    assert.deepEqual([operation.stoppedCards, operation.newCard, proof.state], [[OLD], NEW, 'open']);
    assert.ok(!('json' in operation.message));
    const waiting = clerk.get(`/v1/operations/${operation.id}?wait=60`);
    await setImmediate();
    await confirm(operation.id);
    assert.equal((await waiting).body.proof.state, 'confirmed');
    const [now, before] = [await clerk.get(`/v1/cards/${NEW}`), await clerk.get(`/v1/cards/${OLD}`)];
    assert.deepEqual([now.body.state, now.body.holder.id, now.body.usage], ['live', 'E1001', null]);
    assert.deepEqual([before.body.state, before.body.reason], ['stopped', 'lost']);
  });

  test('is waited for no longer than was asked, and not at all by whoever does not ask', async (t) => {
    const { clerk, clock } = await site(t);
    const { operation } = made(
      await clerk.post('/v1/replacements', { cardholder: 'E1001', newCard: NEW, reason: 'lost' }),
    );
    assert.equal((await clerk.get(`/v1/operations/${operation.id}`)).body.proof.state, 'open');
    const timers = clock.pendingTimers;
    const waiting = clerk.get(`/v1/operations/${operation.id}?wait=30`);
    await turns(() => clock.pendingTimers > timers);
    clock.advance(30_000);
    assert.equal((await waiting).body.proof.state, 'open');
    assert.deepEqual(refused(await clerk.get(`/v1/operations/${operation.id}?wait=61`)), [
      400,
      'invalid-request',
      'wait',
    ]);
  });

  test('goes lost, comes back, and stops for good', async (t) => {
    const { clerk, security } = await site(t);
    made(await security.post('/v1/loss-reports', { cardholder: 'E1001', reason: 'lost', note: 'on the bus' }));
    made(await clerk.post('/v1/reinstatements', { card: OLD }));
    made(await security.post('/v1/revocations', { card: OLD, reason: 'damaged' }));
    assert.deepEqual(refused(await clerk.post('/v1/reinstatements', { card: OLD })), [409, 'not-suspended', 'card']);
    made(await security.post('/v1/revocations', { card: OTHER, reason: 'other' }));
    assert.deepEqual(refused(await clerk.get(`/v1/cards/${OTHER}`)), [404, 'unknown-card', undefined]);
  });

  test('is shown beforehand what a change would do, or what is wrong with it, and nothing is done', async (t) => {
    const { clerk, security, desk } = await site(t);
    const { revision } = desk.state.roster;
    const access = [{ doors: ['lab'] }];
    const asked = {
      cardholder: 'E1001',
      newCard: NEW,
      reason: 'lost',
      access,
      validUntil: '2026-02-01T00:00:00+08:00',
    };
    const { status, body } = await clerk.post('/v1/replacements?preview=true', asked);
    assert.equal(status, 200);
    const { cardholder, ...preview } = body.preview;
    assert.equal(cardholder.name, '王小明');
    assert.deepEqual(preview, {
      stoppedCards: [OLD],
      newCard: NEW,
      access: [{ doors: ['lab'], schedule: 'always' }],
      validFrom: null,
      validUntil: '2026-01-31T16:00:00.000Z',
      activation: 'active',
      doors: ['lab'],
    });
    const others: readonly [typeof clerk, string, object, readonly string[]][] = [
      [clerk, '/v1/bindings', { cardholder: 'E1001', card: NEW }, []],
      [security, '/v1/loss-reports', { card: OLD, reason: 'stolen' }, [OLD]],
      [security, '/v1/revocations', { card: OLD, reason: 'other' }, [OLD]],
    ];
    for (const [who, url, request, stopped] of others) {
      const answer = await who.post(`${url}?preview=true`, request);
      assert.deepEqual(answer.body.preview.stoppedCards, stopped, url);
    }
    const faulty = { ...asked, access: [{ doors: ['roof'] }] };
    assert.deepEqual(refused(await clerk.post('/v1/replacements?preview=true', faulty)), [
      422,
      'unknown-door',
      'access',
    ]);
    const window = { ...asked, validFrom: '2027-01-01T00:00:00Z' };
    assert.deepEqual(refused(await clerk.post('/v1/replacements?preview=true', window)), [
      422,
      'invalid-window',
      'validUntil',
    ]);
    assert.deepEqual(refused(await security.post('/v1/replacements?preview=true', asked)), [
      403,
      'not-permitted',
      undefined,
    ]);
    assert.equal(desk.state.roster.revision, revision);
    assert.equal(desk.state.cards.get(OLD)?.state, 'live');
    assert.equal((await clerk.get('/v1/operations')).body.operations.length, 1);
  });

  test('is replaced once under one key, however often, and another request under it is refused', async (t) => {
    const { clerk, call, accounts } = await site(t);
    const request = { cardholder: 'E1001', newCard: NEW, reason: 'lost' };
    const key = { 'idempotency-key': 'form-17' };
    const both = await Promise.all([
      clerk.post('/v1/replacements', request, key),
      clerk.post('/v1/replacements', request, key),
    ]);
    const again = await clerk.post('/v1/replacements', request, key);
    assert.deepEqual([...both, again].map(({ status }) => status).sort(), [200, 200, 201]);
    assert.equal(new Set([...both, again].map(({ body }) => body.operation.id)).size, 1);
    const other = await clerk.post('/v1/replacements', { ...request, newCard: OTHER }, key);
    assert.equal(other.body.code, 'request-conflict');
    // Keys are of whoever asks.
    const { token } = await taken(accounts.tokens.add({ name: 'second', roles: ['clerk'] }, ADMIN));
    const theirs = await call({
      method: 'POST',
      url: '/v1/replacements',
      token,
      body: { ...request, newCard: OTHER },
      headers: key,
    });
    made(theirs);
    assert.deepEqual(refused(await clerk.post('/v1/replacements', request, { 'idempotency-key': 'a b' })), [
      400,
      'invalid-request',
      'idempotency-key',
    ]);
  });

  test('that a hundred clerks take at once is one person’s in the end', async (t) => {
    const { clerk, accounts, call, desk } = await site(t);
    const tokens: string[] = [];
    for (let index = 0; index < 100; index++) {
      const name = `clerk-${index}`;
      await taken(accounts.operators.add({ name, password: PASSWORD, roles: ['clerk'] }, ADMIN));
      tokens.push((await call({ method: 'POST', url: '/v1/sessions', body: { name, password: PASSWORD } })).body.token);
      made(await clerk.post('/v1/employees', { id: `P${index}`, name: `Person ${index}` }));
      made(
        await clerk.post('/v1/bindings', { cardholder: `P${index}`, card: `04B000${String(index).padStart(8, '0')}` }),
      );
    }
    const answers = await Promise.all(
      tokens.map((token, index) =>
        call({
          method: 'POST',
          url: '/v1/replacements',
          token,
          body: { cardholder: `P${index}`, newCard: NEW, reason: 'lost' },
        }),
      ),
    );
    assert.equal(answers.filter(({ status }) => status === 201).length, 1);
    assert.deepEqual(new Set(answers.flatMap(({ body }) => body.code ?? [])), new Set(['card-in-use']));
    const winner = answers.findIndex(({ status }) => status === 201);
    assert.equal(desk.state.cards.get(NEW)?.cardholder, `P${winner}`);
  });
});

describe('operations', () => {
  test('are listed from the newest on, by state, person and card, page by page', async (t) => {
    const { clerk, security, link } = await site(t);
    made(await clerk.post('/v1/employees', { id: 'E1001/b', name: 'Zhang' }));
    made(await clerk.post('/v1/bindings', { cardholder: 'E1001/b', card: OTHER }));
    link.disconnect();
    made(await clerk.post('/v1/replacements', { cardholder: 'E1001', newCard: NEW, reason: 'lost' }));
    made(await security.post('/v1/loss-reports', { card: OTHER, reason: 'lost' }));
    const ids = async (query: string): Promise<readonly unknown[]> => {
      const { status, body } = await clerk.get(`/v1/operations?${query}`);
      assert.equal(status, 200, JSON.stringify(body));
      const operations: readonly { operation: { id: string } }[] = body.operations;
      return [...operations.map(({ operation }) => operation.id), body.next];
    };
    assert.deepEqual(await ids(''), ['op-4', 'op-3', 'op-2', 'op-1', null]);
    assert.deepEqual(await ids('limit=2'), ['op-4', 'op-3', 'op-3']);
    assert.deepEqual(await ids('limit=2&before=op-3'), ['op-2', 'op-1', null]);
    assert.deepEqual(await ids('cardholder=E1001'), ['op-3', 'op-1', null]);
    assert.deepEqual(await ids(`cardholder=${encodeURIComponent('E1001/b')}`), ['op-4', 'op-2', null]);
    assert.deepEqual(await ids(`card=${OLD.toLowerCase()}`), ['op-3', 'op-1', null]);
    assert.deepEqual(await ids(`card=${OLD}&cardholder=E1001&limit=1`), ['op-3', 'op-3']);
    assert.deepEqual(await ids(`card=${OTHER}&cardholder=E1001`), [null]);
    assert.deepEqual(await ids('state=confirmed'), ['op-1', null]);
    assert.deepEqual(await ids('state=unsent'), ['op-4', 'op-3', null]);
    assert.deepEqual(await ids('state=unsent&cardholder=E1001&card='.concat(NEW)), ['op-3', null]);
    assert.deepEqual(await ids('state=open&before=op-2'), [null]);
    assert.deepEqual(refused(await clerk.get('/v1/operations/op-9')), [404, 'unknown-operation', undefined]);
  });
});

describe('gateways', () => {
  test('are in the status, with what is under way, until an admin forgets one', async (t) => {
    const { clerk, admin, clock } = await site(t);
    made(await clerk.post('/v1/replacements', { cardholder: 'E1001', newCard: NEW, reason: 'lost' }));
    clock.advance(300_000);
    const { body } = await clerk.get('/v1/status');
    const [gateway] = body.gateways;
    assert.deepEqual(
      [
        body.site,
        body.isConnected,
        body.employees,
        body.cards,
        body.revision,
        body.openOperations,
        body.overdueOperations,
      ],
      ['hq', true, 1, 1, 2, 1, 1],
    );
    assert.deepEqual([gateway.gateway, gateway.doors, gateway.isCurrent], ['lobby-1', ['front', 'lab'], false]);
    assert.equal((await clerk.get('/v1/gateways')).body.gateways[0].roster.cards, 0);
    assert.equal((await admin.delete('/v1/gateways/lobby-1')).status, 204);
    assert.deepEqual((await clerk.get('/v1/gateways')).body.gateways, []);
    assert.deepEqual(refused(await admin.delete('/v1/gateways/lobby-1')), [404, 'unknown-gateway', undefined]);
    const { body: log } = await admin.get('/v1/audit?from=1&limit=1000');
    const [done, refusal] = log.records.slice(-2);
    assert.deepEqual([done.action, done.outcome, done.subject], ['forget-gateway', 'done', 'lobby-1']);
    assert.deepEqual([refusal.action, refusal.code], ['forget-gateway', 'unknown-gateway']);
  });

  test('tell which card is held to a reader from now on', async (t) => {
    const { clerk, link, clock } = await site(t);
    const url = '/v1/presentations?gateway=lobby-1&reader=desk&wait=60';
    let sequence = 0;
    const present = (fields: object) => {
      sequence += 1;
      const event = {
        type: 'event',
        gateway: 'lobby-1',
        sequence,
        event: 'card-presented',
        time: '2026-01-05T08:00:01Z',
      };
      return link.deliver(
        `${GATEWAY}/event`,
        JSON.stringify({
          ...event,
          door: null,
          reader: 'desk',
          card: NEW,
          reason: null,
          detail: null,
          clockSynchronized: true,
          ...fields,
        }),
      );
    };
    const timers = clock.pendingTimers;
    const waiting = clerk.get(url);
    await turns(() => clock.pendingTimers > timers);
    await present({ time: '2026-01-05T07:59:54.999Z', card: OLD });
    await present({ clockSynchronized: false, card: OLD });
    await present({ reader: 'front-in', card: OLD });
    await present({ event: 'access-denied', card: OLD });
    await present({});
    const { status, body } = await waiting;
    assert.equal(status, 200);
    assert.deepEqual(body, { card: NEW, gateway: 'lobby-1', reader: 'desk', time: '2026-01-05T08:00:01Z' });
    const inVain = clerk.get(url);
    await turns(() => clock.pendingTimers > timers);
    clock.advance(60_000);
    assert.deepEqual(refused(await inVain), [404, 'no-answer', undefined]);
  });

  test('are locked down, and opened again', async (t) => {
    const { security, lockdowns } = await site(t);
    const locked = made(
      await security.post('/v1/lockdowns', { reason: 'intruder', until: '2026-01-05T18:00:00+08:00' }),
    );
    assert.deepEqual([locked.action, locked.operator], ['lockdown', 'program.security']);
    assert.equal(made(await security.post('/v1/lockdowns', { reason: 'over', end: true })).action, 'end-lockdown');
    assert.deepEqual(
      lockdowns.map(({ reason, isEnd }) => [reason, isEnd]),
      [
        ['intruder', undefined],
        ['over', true],
      ],
    );
  });
});

describe('operators', () => {
  const PERSON = { name: 'zhang', password: PASSWORD, roles: ['clerk'] };

  test('begin with the setup code, which makes one admin and is good for nothing else', async (t) => {
    const setupCode = new FakeSetupCode('f00dfeedf00dfeed');
    const { call } = await openDeskApi(t, { setupCode });
    const token = 'f00dfeedf00dfeed';
    const make = (body: object) => call({ method: 'POST', url: '/v1/operators', token, body });
    assert.deepEqual(refused(await call({ url: '/v1/status', token })), [401, 'not-signed-in', undefined]);
    assert.deepEqual(refused(await call({ url: '/v1/operators', token })), [401, 'not-signed-in', undefined]);
    assert.deepEqual(refused(await make(PERSON)), [403, 'not-permitted', 'roles']);
    assert.deepEqual(refused(await make({ ...PERSON, roles: ['admin'], password: 'short' })), [
      422,
      'weak-password',
      'password',
    ]);
    const both = await Promise.all([
      make({ ...PERSON, roles: ['admin'] }),
      make({ ...PERSON, name: 'li', roles: ['admin'] }),
    ]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [201, 403]);
    assert.deepEqual(refused(await make({ ...PERSON, name: 'wu', roles: ['admin'] })), [
      401,
      'not-signed-in',
      undefined,
    ]);
    assert.equal(setupCode.removals, 1);
  });

  test('sign in, change their password, are changed, and go', async (t) => {
    const { admin, call } = await site(t);
    const added = made(await admin.post('/v1/operators', PERSON));
    assert.deepEqual(Object.keys(added).sort(), ['addedAt', 'isDisabled', 'lockedUntil', 'name', 'roles']);
    const signIn = (password: string) =>
      call({ method: 'POST', url: '/v1/sessions', body: { name: 'zhang', password } });
    const { token, roles, expiresAt } = made(await signIn(PASSWORD));
    assert.deepEqual([roles, expiresAt], [['clerk'], '2026-01-05T16:00:00.000Z']);
    const change = { old: PASSWORD, new: 'staple of the hour' };
    const own = (body: object) => call({ method: 'POST', url: '/v1/operators/me/password', token, body });
    assert.deepEqual(refused(await own({ ...change, new: 'zhang zhang zhang' })), [422, 'weak-password', 'new']);
    assert.equal((await own(change)).status, 204);
    assert.equal((await call({ url: '/v1/status', token })).status, 401);
    const next = made(await signIn(change.new)).token;
    assert.equal((await call({ method: 'DELETE', url: '/v1/sessions/current', token: next })).status, 204);
    assert.equal((await call({ url: '/v1/status', token: next })).status, 401);
    assert.deepEqual((await admin.patch('/v1/operators/zhang', { roles: ['auditor'] })).body.roles, ['auditor']);
    assert.deepEqual(refused(await admin.patch('/v1/operators/zhang', {})), [400, 'invalid-request', undefined]);
    assert.equal((await admin.delete('/v1/operators/zhang')).status, 204);
    assert.deepEqual((await admin.get('/v1/operators')).body.operators, []);
  });

  test('are locked out after five wrong passwords, and the last admin stays', async (t) => {
    const { admin, call } = await site(t);
    made(await admin.post('/v1/operators', { ...PERSON, roles: ['admin'] }));
    const signIn = (password: string) =>
      call({ method: 'POST', url: '/v1/sessions', body: { name: 'zhang', password } });
    for (let index = 0; index < 5; index++) {
      assert.deepEqual(refused(await signIn('wrong')), [401, 'wrong-credentials', undefined]);
    }
    const locked = await signIn(PASSWORD);
    assert.deepEqual(refused(locked), [429, 'locked-out', undefined]);
    assert.equal(locked.headers['retry-after'], '60');
    const [{ lockedUntil }] = (await admin.get('/v1/operators')).body.operators;
    assert.equal(lockedUntil, '2026-01-05T08:15:00.000Z');
    assert.deepEqual(refused(await admin.delete('/v1/operators/zhang')), [409, 'last-admin', undefined]);
    assert.deepEqual(refused(await admin.patch('/v1/operators/zhang', { isDisabled: true })), [
      409,
      'last-admin',
      undefined,
    ]);
  });

  test('have programs with tokens of their own', async (t) => {
    const { admin, auditor, call } = await site(t);
    const created = made(
      await admin.post('/v1/tokens', { name: 'hr', roles: ['clerk'], expiresAt: '2026-06-01T00:00:00Z' }),
    );
    assert.equal((await call({ url: '/v1/status', token: created.token })).status, 200);
    const listed = (await auditor.get('/v1/tokens')).body.tokens.at(-1);
    assert.deepEqual([listed.name, listed.expiresAt, 'token' in listed], ['hr', '2026-06-01T00:00:00.000Z', false]);
    assert.equal((await admin.delete(`/v1/tokens/${created.id}`)).status, 204);
    assert.equal((await call({ url: '/v1/status', token: created.token })).status, 401);
    assert.deepEqual(refused(await admin.delete(`/v1/tokens/${created.id}`)), [404, 'unknown-token', undefined]);
  });
});

describe('whoever asks', () => {
  const EMPLOYEE = { id: 'E7', name: 'Chen' };

  /** A body of which nothing comes before `before` is done. */
  const slowBody = (body: object, before: () => Promise<unknown>): Readable =>
    Readable.from(
      (async function* () {
        await before();
        yield Buffer.from(JSON.stringify(body));
      })(),
    );

  test('is nobody any more where the session ends before the whole request is there', async (t) => {
    const { app, accounts, desk, call } = await openDeskApi(t);
    const { operators } = accounts;
    await taken(operators.add({ name: 'zhang', password: PASSWORD, roles: ['clerk'] }, ADMIN));
    for (const [end, status] of [
      [async () => {}, 201],
      [() => taken(operators.change('zhang', { roles: ['auditor'] }, ADMIN)), 401],
    ] as const) {
      const session = { name: 'zhang', password: PASSWORD };
      const { token } = made(await call({ method: 'POST', url: '/v1/sessions', body: session }));
      const answer = await app.inject({
        method: 'POST',
        url: '/v1/employees',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        payload: slowBody({ ...EMPLOYEE, id: `E${status}` }, end),
      });
      assert.equal(answer.statusCode, status, answer.body);
    }
    assert.equal(desk.state.people.size, 1);
  });

  test('is in the audit log once for a request that does not read as one, and for taking the list of people', async (t) => {
    const { clerk, auditor, call, tokens } = await site(t);
    const before = (await auditor.get('/v1/audit')).body.records.length;
    assert.equal((await clerk.patch('/v1/employees/E1001', { nmae: 'Li' })).status, 400);
    const text = { method: 'POST', url: '/v1/employees', token: tokens.clerk, body: '{"id":' } as const;
    assert.equal((await call(text)).body.code, 'not-json');
    assert.equal((await call({ ...text, token: 'nobody' })).status, 401);
    assert.equal((await clerk.post('/v1/revocations', {})).status, 403);
    assert.equal((await clerk.get('/v1/exports/roster?format=pdf')).status, 400);
    assert.equal((await clerk.get('/v1/exports/roster?format=csv')).status, 200);
    const records: readonly { operator: string; action: string; subject: string | null; code: string | null }[] = (
      await auditor.get('/v1/audit')
    ).body.records.slice(before);
    assert.deepEqual(
      records.map(({ operator, action, subject, code }) => [operator, action, subject, code]),
      [
        ['program.clerk', 'change-employee', 'E1001', 'invalid-request'],
        ['program.clerk', 'add-employee', null, 'not-json'],
        ['unknown', 'sign-in', null, 'not-signed-in'],
        ['program.clerk', 'revoke-card', null, 'not-permitted'],
        ['program.clerk', 'export-roster', null, 'invalid-request'],
        ['program.clerk', 'export-roster', 'active', null],
      ],
    );
  });
});

describe('times', () => {
  test('of another year than 1970 to 9999 in UTC are refused wherever they are given', async (t) => {
    const { clerk, security, admin, auditor } = await site(t);
    const [late, early] = ['9999-12-31T23:59:59-05:00', '1970-01-01T00:00:00+08:00'];
    const binding = { cardholder: 'E1001', card: NEW };
    const token = { name: 'hr', roles: ['clerk'] };
    for (const time of [late, early]) {
      const query = encodeURIComponent(time);
      for (const [path, answer] of [
        ['validFrom', await clerk.post('/v1/bindings', { ...binding, validFrom: time })],
        ['validUntil', await clerk.post('/v1/bindings', { ...binding, validUntil: time })],
        ['until', await security.post('/v1/lockdowns', { reason: 'x', until: time })],
        ['expiresAt', await admin.post('/v1/tokens', { ...token, expiresAt: time })],
        ['from', await auditor.get(`/v1/reports/changes?from=${query}`)],
        ['to', await auditor.get(`/v1/reports/changes?to=${query}`)],
        ['to', await auditor.get('/v1/reports/changes?to=1969-12-31')],
      ] as const) {
        assert.deepEqual(refused(answer), [400, 'invalid-request', path], `${path} ${time}`);
      }
    }
    const last = { ...token, expiresAt: '9999-12-31T18:59:59-05:00' };
    assert.equal(made(await admin.post('/v1/tokens', last)).expiresAt, '9999-12-31T23:59:59.000Z');
  });
});

describe('the audit log', () => {
  test('is read from any record on, and verified from the first', async (t) => {
    const { auditor, clerk } = await site(t);
    await clerk.post('/v1/replacements', { cardholder: 'E9', newCard: NEW, reason: 'lost' });
    const all = (await auditor.get('/v1/audit')).body.records;
    const { sequence, hash, operator, code } = all.at(-1);
    assert.deepEqual([operator, code], ['program.clerk', 'unknown-employee']);
    assert.deepEqual((await auditor.get(`/v1/audit?from=${sequence}&limit=1`)).body.records, [all.at(-1)]);
    assert.deepEqual((await auditor.get('/v1/audit/verification')).body, { records: sequence, hash });
  });
});
