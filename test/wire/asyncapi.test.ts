import assert from 'node:assert/strict';
import { createRequire } from 'node:module';
import { describe, it } from 'node:test';
import { Ajv } from 'ajv';
import addFormats from 'ajv-formats';
import { asyncApi } from '../../src/wire/asyncapi.ts';
import { CONTRACT } from '../../src/wire/contract.ts';
import { EXAMPLES } from '../../src/wire/contract-examples.ts';
import { MESSAGE_NAMES } from '../../src/wire/message-names.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { gatewayId, siteId } from '../domain/samples.ts';
import { isRecord } from './contract-schemas.ts';

const DOCUMENT = asyncApi();

const at = (document: unknown, path: string): unknown =>
  path.split('/').reduce((value, key) => (isRecord(value) ? value[key] : undefined), document);

/** Every reference in the document. */
const referencesIn = (value: unknown): string[] => {
  if (Array.isArray(value)) return value.flatMap(referencesIn);
  if (!isRecord(value)) return [];
  return typeof value['$ref'] === 'string' ? [value['$ref']] : Object.values(value).flatMap(referencesIn);
};

describe('the AsyncAPI document', () => {
  it('is valid by the official schema of AsyncAPI 3.0', () => {
    const ajv = new Ajv({ strict: false, allErrors: true });
    addFormats.default(ajv);
    const validate = ajv.compile(createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json'));
    assert.ok(validate(DOCUMENT), JSON.stringify(validate.errors));
    assert.ok(
      !validate({ ...DOCUMENT, channels: { event: { addres: 'cardea' } } }),
      'the validator finds no fault at all',
    );
  });

  it('refers to nothing that is not in it', () => {
    const references = referencesIn(DOCUMENT);
    assert.ok(references.length > 40);
    for (const reference of references) {
      assert.ok(reference.startsWith('#/'), reference);
      assert.ok(isRecord(at(DOCUMENT, reference.slice(2))), reference);
    }
  });

  it('names the topics that the gateway uses, with site and gateway as parameters unless they are given', () => {
    const site = siteId('hq');
    const gateway = gatewayId('lobby-1');
    const given = asyncApi({ site, gateway });
    const channels = [...MESSAGE_NAMES, 'site-command'];
    const addresses = channels.map((name) => at(given, `channels/${name}/address`));
    assert.deepEqual(addresses.toSorted(), Object.values(topicsOf(site, gateway)).toSorted());
    assert.equal(at(given, 'channels/receipt/parameters'), undefined);
    assert.equal(at(DOCUMENT, 'channels/receipt/address'), 'cardea/{site}/gateways/{gateway}/receipt');
    assert.deepEqual(parametersOf('receipt'), ['site', 'gateway']);
    assert.deepEqual(parametersOf('card-bound'), ['site']);
    assert.deepEqual(parametersOf('site-command'), ['site']);
  });

  it("takes the gateway's side: it receives what HR sends", () => {
    for (const name of MESSAGE_NAMES) {
      const { action, isRetained } = CONTRACT[name];
      const operation = at(DOCUMENT, `operations/${action}-${name}`);
      assert.equal(at(operation, 'action'), action);
      assert.equal(at(operation, 'bindings/mqtt/qos'), 1);
      assert.equal(at(operation, 'bindings/mqtt/retain'), isRetained);
    }
  });

  it('says that a command may also come for all gateways, which all answer', () => {
    const operation = at(DOCUMENT, 'operations/receive-site-command');
    assert.equal(at(operation, 'action'), 'receive');
    assert.equal(at(DOCUMENT, 'channels/site-command/address'), 'cardea/{site}/hr/command');
    assert.deepEqual(at(DOCUMENT, 'channels/site-command/messages'), at(DOCUMENT, 'channels/command/messages'));
    assert.deepEqual(at(operation, 'reply'), at(DOCUMENT, 'operations/receive-command/reply'));
  });

  it('shows every message with its schema and its examples, and the signed form where there is one', () => {
    for (const name of MESSAGE_NAMES) {
      assert.deepEqual(at(DOCUMENT, `components/messages/${name}/examples`), EXAMPLES[name]);
      const forms = Object.keys(Object(at(DOCUMENT, `channels/${name}/messages`)));
      assert.deepEqual(forms, CONTRACT[name].mayBeSigned ? [name, `${name}-signed`] : [name]);
    }
    assert.equal(at(DOCUMENT, 'components/messages/card-bound-signed/contentType'), 'application/jose');
  });
});

const parametersOf = (channel: string): string[] => Object.keys(Object(at(DOCUMENT, `channels/${channel}/parameters`)));
