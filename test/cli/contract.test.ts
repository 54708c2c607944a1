import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { parseGatewayId, parseSiteId } from '../../src/domain/ids.ts';
import { asyncApi } from '../../src/wire/asyncapi.ts';
import { contractSchema, messageContractSchema } from '../../src/wire/contract.ts';
import { MESSAGE_NAMES } from '../../src/wire/message-names.ts';
import { run } from './cli-bench.ts';

describe('cardea contract', () => {
  it('asyncapi prints the document, with site and gateway in the topics when they are given', async () => {
    const { code, output, errors } = await run(['contract', 'asyncapi']);
    assert.deepEqual([code, errors], [EXIT.ok, '']);
    assert.deepEqual(JSON.parse(output), asyncApi());
    const given = await run(['contract', 'asyncapi', '--site', 'hq', '--gateway', 'lobby-1']);
    assert.deepEqual(
      JSON.parse(given.output),
      asyncApi({ site: parseSiteId('hq'), gateway: parseGatewayId('lobby-1') }),
    );
  });

  it('schema prints the JSON Schema of all messages, or of the one that is named', async () => {
    assert.deepEqual(JSON.parse((await run(['contract', 'schema'])).output), contractSchema());
    for (const name of MESSAGE_NAMES) {
      assert.deepEqual(JSON.parse((await run(['contract', 'schema', name])).output), messageContractSchema(name));
    }
  });

  it('tells what a site, a gateway or a message may be called', async () => {
    const site = await run(['contract', 'asyncapi', '--site', 'HQ']);
    assert.equal(site.code, EXIT.usage);
    assert.match(site.errors, /--site.*'HQ' is invalid.*lower-case/);
    const message = await run(['contract', 'schema', 'card-lost']);
    assert.equal(message.code, EXIT.usage);
    assert.match(message.errors, /card-revoked/);
  });
});
