// As much of a JSON Schema validator as the configuration's schema needs. A keyword that it does not know is an error, so
// that the schema cannot grow beyond what is tested.

import type { JsonSchema } from '../../src/config/schema.ts';

type Rule = (argument: unknown, value: unknown, schema: JsonSchema) => boolean;

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const keysOf = (value: unknown): readonly string[] => (isRecord(value) ? Object.keys(value) : []);
const schemaOf = (value: unknown): JsonSchema => (isRecord(value) ? value : {});

const ANNOTATION: Rule = () => true;

const RULES: Readonly<Record<string, Rule>> = {
  $schema: ANNOTATION,
  title: ANNOTATION,
  description: ANNOTATION,
  default: ANNOTATION,
  type: (type, value) => {
    if (type === 'object') return isRecord(value);
    if (type === 'integer') return Number.isInteger(value);
    if (type === 'array') return Array.isArray(value);
    return typeof value === type;
  },
  enum: (choices, value) => Array.isArray(choices) && choices.includes(value),
  minimum: (minimum, value) => typeof value !== 'number' || value >= Number(minimum),
  maximum: (maximum, value) => typeof value !== 'number' || value <= Number(maximum),
  minLength: (minimum, value) => typeof value !== 'string' || value.length >= Number(minimum),
  maxLength: (maximum, value) => typeof value !== 'string' || value.length <= Number(maximum),
  pattern: (pattern, value) => typeof value !== 'string' || new RegExp(String(pattern), 'u').test(value),
  minItems: (minimum, value) => !Array.isArray(value) || value.length >= Number(minimum),
  items: (each, value) => !Array.isArray(value) || value.every((item) => isValid(schemaOf(each), item)),
  maxItems: (maximum, value) => !Array.isArray(value) || value.length <= Number(maximum),
  minProperties: (minimum, value) => !isRecord(value) || keysOf(value).length >= Number(minimum),
  maxProperties: (maximum, value) => !isRecord(value) || keysOf(value).length <= Number(maximum),
  required: (keys, value) =>
    !isRecord(value) || (Array.isArray(keys) && keys.every((key) => Object.hasOwn(value, String(key)))),
  properties: (properties, value) =>
    !isRecord(value) ||
    Object.entries(schemaOf(properties)).every(
      ([key, schema]) => !Object.hasOwn(value, key) || isValid(schemaOf(schema), value[key]),
    ),
  propertyNames: (names, value) => keysOf(value).every((key) => isValid(schemaOf(names), key)),
  additionalProperties: (rest, value, schema) =>
    !isRecord(value) ||
    keysOf(value)
      .filter((key) => !Object.hasOwn(schemaOf(schema['properties']), key))
      .every((key) => rest !== false && isValid(schemaOf(rest), value[key])),
  oneOf: (schemas, value) =>
    Array.isArray(schemas) && schemas.filter((schema) => isValid(schemaOf(schema), value)).length === 1,
};

/** Whether `value` keeps to `schema`. Throws on a keyword that is not handled here. */
export const isValid = (schema: JsonSchema, value: unknown): boolean =>
  Object.entries(schema).every(([keyword, argument]) => {
    const rule = RULES[keyword];
    if (rule === undefined) throw new Error(`the schema uses the keyword ${keyword}, which is not handled`);
    return rule(argument, value, schema);
  });

/** Every key that the schema knows, with its path (`*` for ids; lists do not show in it) and its own schema. */
export const keysIn = (
  schema: JsonSchema,
  path = '',
): readonly { readonly path: string; readonly schema: JsonSchema }[] => {
  const own = Object.entries(schemaOf(schema['properties'])).map(([key, value]) => [key, schemaOf(value)] as const);
  const rest = schema['additionalProperties'];
  const all = isRecord(rest) ? [...own, ['*', rest] as const] : own;
  return [
    ...all.flatMap(([key, value]) => [{ path: `${path}${key}`, schema: value }, ...keysIn(value, `${path}${key}.`)]),
    ...(isRecord(schema['items']) ? keysIn(schema['items'], path) : []),
  ];
};
