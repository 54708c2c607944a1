// What a gateway says of its configuration at every start.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Config } from '../../src/config/config.ts';
import { startWarnings } from '../../src/config/start-warnings.ts';

const warningsOf = (messages: Config['trust']['messages'], format: Config['cardNumber']['format']): readonly string[] =>
  startWarnings({
    trust: { messages, keys: [], gatewayKey: { file: 'gateway.jwk', isRequired: false } },
    cardNumber: { format },
  });

test('messages that anybody may write, and numbers that several cards may share, are told of at every start', () => {
  assert.deepEqual(warningsOf('signed', 'hex'), []);
  const [unsigned, lossy, ...rest] = warningsOf('unsigned', 'wiegand26');
  assert.match(unsigned ?? '', /whoever may publish to the broker/);
  assert.match(lossy ?? '', /wiegand26 drops bytes of the UID/);
  assert.deepEqual(rest, []);
});
