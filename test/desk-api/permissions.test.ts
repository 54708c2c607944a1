// Who may do what over HTTP: every role at every route that the API describes.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { auditRecords } from '../../src/desk/audit-reading.ts';
import { ROLES, type Role } from '../../src/desk/permissions.ts';
import { ADMIN, taken } from '../fixtures/open-desk.ts';
import { type Call, openDeskApi, PASSWORD } from '../fixtures/open-desk-api.ts';

const EVERY_ROLE: readonly Role[] = ROLES;
const ANYONE = 'anyone';

/** Written out once more, so that a slip in the table that the program goes by shows. */
const MAY: Readonly<Record<string, readonly Role[] | typeof ANYONE>> = {
  'GET /healthz': ANYONE,
  'GET /v1/openapi.json': ANYONE,
  'POST /v1/sessions': ANYONE,
  'DELETE /v1/sessions/current': EVERY_ROLE,
  'GET /v1/status': EVERY_ROLE,
  'GET /v1/employees': EVERY_ROLE,
  'POST /v1/employees': ['clerk'],
  'GET /v1/employees/{id}': EVERY_ROLE,
  'GET /v1/employees/{id}/history': EVERY_ROLE,
  'PATCH /v1/employees/{id}': ['clerk'],
  'POST /v1/employees/{id}/leave': ['security'],
  'POST /v1/employees/{id}/return': ['clerk'],
  'POST /v1/imports': ['clerk'],
  'GET /v1/exports/roster': ['clerk', 'auditor'],
  'GET /v1/cards/{number}': EVERY_ROLE,
  'GET /v1/cards/{number}/history': EVERY_ROLE,
  'POST /v1/replacements': ['clerk'],
  'POST /v1/bindings': ['clerk'],
  'POST /v1/reinstatements': ['clerk'],
  'POST /v1/loss-reports': ['security'],
  'POST /v1/revocations': ['security'],
  'GET /v1/operations': EVERY_ROLE,
  'GET /v1/operations/{id}': EVERY_ROLE,
  'POST /v1/batches': ['clerk'],
  'GET /v1/batches/{id}': EVERY_ROLE,
  'GET /v1/batches/{id}/report': EVERY_ROLE,
  'GET /v1/reports/{report}': ['clerk', 'security', 'auditor'],
  'GET /v1/gateways': EVERY_ROLE,
  'DELETE /v1/gateways/{id}': ['admin'],
  'GET /v1/presentations': ['clerk'],
  'POST /v1/lockdowns': ['security'],
  'GET /v1/audit': ['auditor', 'admin'],
  'GET /v1/audit/verification': ['auditor', 'admin'],
  'GET /v1/operators': ['auditor', 'admin'],
  'POST /v1/operators': ['admin'],
  'PATCH /v1/operators/{name}': ['admin'],
  'DELETE /v1/operators/{name}': ['admin'],
  'POST /v1/operators/me/password': EVERY_ROLE,
  'GET /v1/tokens': ['auditor', 'admin'],
  'POST /v1/tokens': ['admin'],
  'DELETE /v1/tokens/{id}': ['admin'],
};

const METHODS: Readonly<Record<string, NonNullable<Call['method']>>> = {
  get: 'GET',
  post: 'POST',
  patch: 'PATCH',
  delete: 'DELETE',
};

test('each role may do at each route what the table says, nobody without a token, and the audit log has who tried', async (t) => {
  const { app, accounts, call, store } = await openDeskApi(t);
  const routes = Object.entries(app.swagger().paths ?? {}).flatMap(([path, item]) =>
    Object.keys(item ?? {}).map((method) => ({ path, method: METHODS[method] ?? 'GET' })),
  );
  assert.deepEqual(routes.map(({ method, path }) => `${method} ${path}`).sort(), Object.keys(MAY).sort());
  for (const role of ROLES) {
    await taken(accounts.operators.add({ name: `an.${role}`, password: PASSWORD, roles: [role] }, ADMIN));
  }
  let refusals = 0;
  for (const { path, method } of routes) {
    const may = MAY[`${method} ${path}`] ?? [];
    const url = path.replaceAll(/\{[^}]+\}/g, 'nothing-here');
    const request = { method, url, ...(method !== 'GET' && method !== 'DELETE' && { body: {} }) };
    const { status, headers } = await call(request);
    assert.equal(status === 401, may !== ANYONE, `${method} ${path} without a token: ${status}`);
    if (status === 401) assert.equal(headers['www-authenticate'], 'Bearer realm="cardea desk"');
    if (may === ANYONE) continue;
    for (const role of ROLES) {
      // Some routes end the session.
      const { token } = await taken(accounts.signIn.signIn(`an.${role}`, PASSWORD));
      const answer = await call({ ...request, token });
      const place = `${method} ${path} as ${role}: ${answer.status} ${JSON.stringify(answer.body)}`;
      assert.notEqual(answer.status, 401, place);
      assert.equal(answer.status === 403, !may.includes(role), place);
      if (!may.includes(role)) refusals += 1;
    }
  }
  let recorded = 0;
  for await (const { code } of auditRecords(store)) if (code === 'not-permitted') recorded += 1;
  assert.equal(recorded, refusals);
});

test('whoever has several roles may do what any of them may', async (t) => {
  const { accounts, call } = await openDeskApi(t);
  const { token } = await taken(accounts.tokens.add({ name: 'both', roles: ['auditor', 'clerk'] }, ADMIN));
  assert.equal((await call({ url: '/v1/audit', token })).status, 200);
  const employee = { id: 'E1', name: 'Li' };
  assert.equal((await call({ method: 'POST', url: '/v1/employees', token, body: employee })).status, 201);
});
