// The contract's JSON Schemas compiled by a validator that is not ours, as an integrator would use them.

import { Ajv2020, type AnySchemaObject, type ValidateFunction } from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { messageContractSchema } from '../../src/wire/contract.ts';
import { MESSAGE_NAMES, type MessageName } from '../../src/wire/message-names.ts';

/** In strict mode, in which an unknown keyword or format is an error. */
export const strictAjv = (): Ajv2020 => {
  const ajv = new Ajv2020({ strict: true, allErrors: true });
  addFormats.default(ajv);
  return ajv;
};

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** The same schema, in which an object may have no members but those that are described. */
export const closed = (schema: unknown): unknown => {
  if (Array.isArray(schema)) return schema.map(closed);
  if (!isRecord(schema)) return schema;
  const members = Object.entries(schema).map(([key, value]) => [key, key === 'examples' ? value : closed(value)]);
  const isOpen = 'properties' in schema && schema['type'] === 'object' && !('additionalProperties' in schema);
  return { ...Object.fromEntries(members), ...(isOpen && { additionalProperties: false }) };
};

export const compile = (schema: unknown): ValidateFunction => {
  if (!isRecord(schema)) throw new TypeError('no schema');
  return strictAjv().compile(schema satisfies AnySchemaObject);
};

/** One validator a message. */
export const validators = (
  change: (schema: unknown) => unknown = (schema) => schema,
): ReadonlyMap<MessageName, ValidateFunction> =>
  new Map(MESSAGE_NAMES.map((name) => [name, compile(change(messageContractSchema(name)))]));
