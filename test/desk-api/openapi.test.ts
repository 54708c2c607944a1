// The API's description of itself: a document that tools take, and that says of every route who may and what comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Validator } from '@seriousme/openapi-schema-validator';
import { openDeskApi } from '../fixtures/open-desk-api.ts';

test('the description is OpenAPI 3.1, and says of each route who may, what it takes, and what is wrong when it is refused', async (t) => {
  const { call } = await openDeskApi(t);
  const { body: document } = await call({ url: '/v1/openapi.json' });
  const validator = new Validator();
  const { valid, errors } = await validator.validate(structuredClone(document));
  assert.ok(valid, JSON.stringify(errors));
  assert.equal(validator.version, '3.1');
  for (const [path, item] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(Object(item))) {
      const { summary, tags, security, description, responses } = Object(operation);
      const place = `${method} ${path}`;
      assert.ok(summary !== undefined && tags.length === 1, place);
      assert.ok(Array.isArray(security) || /Roles: \w/.test(description), place);
      assert.ok(
        Object.keys(responses).some((status) => status.startsWith('2')),
        place,
      );
      assert.ok('application/problem+json' in responses['4XX'].content, place);
      assert.ok('application/problem+json' in responses['5XX'].content, place);
    }
  }
  const text = JSON.stringify(document);
  assert.ok(!text.includes('readOnly'));
  for (const name of Object.keys(document.components.schemas)) {
    assert.ok(text.includes(`"#/components/schemas/${name}"`), `${name} is used nowhere`);
  }
  const { parameters, requestBody } = document.paths['/v1/replacements'].post;
  assert.deepEqual(
    parameters.map(({ name }: { name: string }) => name),
    ['preview', 'idempotency-key'],
  );
  assert.equal(requestBody.content['application/json'].schema.additionalProperties, false);
});
