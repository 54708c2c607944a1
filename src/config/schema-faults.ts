// Puts what the schema library objects to into words: what is wrong, and what is allowed instead, as the schema says it.

import type { z } from 'zod';
import { type Finding, showValue } from './faults.ts';
import { nearestKey } from './nearest-key.ts';
import type { JsonSchema } from './schema.ts';
import { ALIASED, type YamlTree } from './yaml-tree.ts';

type Issue = z.core.$ZodIssue;

/** One finding for each objection; an unknown key is one of its own. `root` is the schema of the file. */
export const schemaFindings = (issues: readonly Issue[], tree: YamlTree, root: JsonSchema): readonly Finding[] =>
  issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (tree.at(path) === ALIASED) return [];
    return issue.code === 'unrecognized_keys'
      ? issue.keys.map((key) => unknownKey([...path, key], root))
      : [issueFinding(issue, { path, value: tree.at(path), schema: schemaAt(root, path) })];
  });

interface Subject {
  readonly path: readonly string[];
  readonly value: unknown;
  readonly schema: JsonSchema;
}

const issueFinding = (issue: Issue, { path, value, schema }: Subject): Finding => {
  const finding = (message: string): Finding => ({ path, at: 'value', message });
  const allowed = allowedText(schema);
  switch (issue.code) {
    case 'custom':
      return finding(issue.message);
    case 'invalid_format':
      return finding(`${showValue(value)} is not allowed; ${issue.message}`);
    case 'too_small':
    case 'too_big':
      return finding(
        typeof value === 'string' ? lengthText(value, issue) : `${showValue(value)} is out of range; ${allowed}`,
      );
    default:
      if (value === undefined) return finding(`is missing; ${allowed}${explanation(schema)}`);
      if (value === null) return finding(`has no value; ${allowed}`);
      return finding(
        `${showValue(value)} is not allowed; ${allowed}${isBareWord(value, schema) ? '; put it in quotes' : ''}`,
      );
  }
};

/** YAML takes 12 and true for a number and a truth value; in quotes they are text. */
const isBareWord = (value: unknown, schema: JsonSchema): boolean =>
  schema['type'] === 'string' && schema['enum'] === undefined && ['number', 'boolean'].includes(typeof value);

const lengthText = (value: string, issue: Issue): string =>
  issue.code === 'too_big'
    ? `is ${value.length} characters long; allowed: at most ${issue.maximum}`
    : 'is empty; give a value or remove the key';

const explanation = (schema: JsonSchema): string =>
  typeof schema['description'] === 'string' ? ` (${schema['description']})` : '';

/** What a schema accepts, in words that begin with `allowed:`. */
const allowedText = (schema: JsonSchema): string => {
  const choices = schema['enum'];
  if (Array.isArray(choices)) return `allowed: ${choices.join(', ')}`;
  switch (schema['type']) {
    case 'integer':
      return `allowed: a whole number from ${schema['minimum']} to ${schema['maximum']}`;
    case 'number':
      return `allowed: a number from ${schema['minimum']} to ${schema['maximum']}`;
    case 'boolean':
      return 'allowed: true or false';
    case 'object': {
      const keys = knownKeys(schema);
      return keys.length > 0
        ? `allowed: a block with the keys ${keys.join(', ')}`
        : `allowed: a block of ids, each with its own ${asSchema(schema['additionalProperties'])?.['type'] === 'array' ? 'list' : 'block'}`;
    }
    case 'array':
      return `${allowedText(asSchema(schema['items']) ?? {})}, ${schema['minItems'] === undefined ? '' : 'at least one, '}in a list`;
    default:
      return 'allowed: text';
  }
};

const unknownKey = (path: readonly string[], root: JsonSchema): Finding => {
  const key = path.at(-1) ?? '';
  const block = path.slice(0, -1);
  const siblings = knownKeys(schemaAt(root, block));
  const near = nearestKey(key, siblings);
  const elsewhere = near === undefined ? placesOf(key, root, []) : [];
  const advice =
    near !== undefined
      ? `did you mean ${near}?`
      : elsewhere.length > 0
        ? `it belongs to ${elsewhere.slice(0, 3).join(' or ')}`
        : `allowed: ${siblings.join(', ')}`;
  return { path, at: 'key', message: `unknown key; ${advice}` };
};

/** Every block of the schema that has this key, as paths with `<id>` for ids. */
const placesOf = (key: string, schema: JsonSchema, path: readonly string[]): readonly string[] => {
  const here = path.length > 0 && knownKeys(schema).includes(key) ? [path.join('.')] : [];
  const below = knownKeys(schema).flatMap((name) => placesOf(key, schemaAt(schema, [name]), [...path, name]));
  const inEach = asSchema(schema['additionalProperties']);
  return [...here, ...below, ...(inEach === undefined ? [] : placesOf(key, inEach, [...path, '<id>']))];
};

const knownKeys = (schema: JsonSchema): readonly string[] => Object.keys(asSchema(schema['properties']) ?? {});

const schemaAt = (root: JsonSchema, path: readonly string[]): JsonSchema =>
  path.reduce<JsonSchema>((schema, key) => {
    const properties = asSchema(schema['properties']) ?? {};
    const own = Object.hasOwn(properties, key) ? asSchema(properties[key]) : undefined;
    return own ?? asSchema(schema['additionalProperties']) ?? asSchema(schema['items']) ?? {};
  }, root);

const asSchema = (value: unknown): JsonSchema | undefined =>
  typeof value === 'object' && value !== null ? { ...value } : undefined;
