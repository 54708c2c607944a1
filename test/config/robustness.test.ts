// No text, however strange, makes the check throw; and what it says about one always has a place in it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parse, stringify } from 'yaml';
import { checkConfig } from '../../src/config/check.ts';
import { configJsonSchema } from '../../src/config/schema.ts';
import { textWith } from './config-text.ts';
import { isValid, keysIn } from './json-schema.ts';

const EXAMPLES = ['demo.yaml', 'raspberry-pi.yaml'].map((name) =>
  readFileSync(join(import.meta.dirname, '../../config', name), 'utf8'),
);
const schema = configJsonSchema();
const KEYS = [...new Set(keysIn(schema).map(({ path }) => path.replace(/.*\./, '')))];

/** Checks a text, and that the answer is one: a configuration that the schema allows, or faults with places in the text. */
const isAnswered = (text: string): boolean => {
  const { config, faults = [], warnings } = checkConfig(text, 'f.yaml');
  const lines = text.split(/\r\n|\n/);
  for (const { line, column, message } of [...faults, ...warnings]) {
    assert.ok(line >= 1 && line <= lines.length, `line ${line} of ${lines.length}: ${message}`);
    assert.ok(column >= 1 && column <= (lines[line - 1]?.length ?? 0) + 2, `column ${column}: ${message}`);
    assert.doesNotMatch(message, /undefined|\[object|\n/);
  }
  if (config === undefined) return faults.length > 0;
  assert.ok(isValid(schema, parse(text)));
  return true;
};

const scalar = fc.oneof(
  fc.constantFrom(
    '17',
    '0',
    '-1',
    '1e99',
    '.nan',
    'true',
    'null',
    '~',
    'hq',
    '""',
    '"',
    "'",
    '*a',
    '&a x',
    '!t x',
    '{}',
    '[]',
  ),
  fc.constantFrom(
    'simulated',
    'mfrc522',
    'front',
    'mqtt://10.0.0.1',
    'mqtts://h',
    'enrolment',
    '/dev/spidev0.0',
    '5',
    '4',
  ),
  fc.string({ maxLength: 12 }),
);

/** Lines that look like the file's own. */
const yamlish = fc
  .array(
    fc.record({
      indent: fc.integer({ min: 0, max: 4 }),
      key: fc.oneof(
        fc.constantFrom(...KEYS, 'front', '__proto__', '<<', '?', '-', '%YAML 1.1', '---'),
        fc.string({ maxLength: 6 }),
      ),
      value: fc.option(scalar, { nil: '' }),
    }),
    { maxLength: 40 },
  )
  .map((lines) => lines.map(({ indent, key, value }) => `${'  '.repeat(indent)}${key}: ${value}`).join('\n'));

const edits = fc.array(
  fc.record({
    at: fc.nat(4000),
    cut: fc.integer({ min: 0, max: 30 }),
    put: fc.oneof(
      scalar,
      fc.constantFrom('\n', '\t', ': ', ' ', '  ', '- ', '#', '{', '[', '|\n', '\0', '\r', '\ud800'),
    ),
  }),
  { minLength: 1, maxLength: 6 },
);

const mutated = fc.tuple(fc.constantFrom(...EXAMPLES, textWith()), edits).map(([text, changes]) =>
  changes.reduce((result, { at, cut, put }) => {
    const place = at % (result.length + 1);
    return result.slice(0, place) + put + result.slice(place + cut);
  }, text),
);

/** Whole values swapped, removed or put where they do not belong, in a file that stays YAML. */
const rearranged = fc
  .tuple(
    fc.constantFrom(...EXAMPLES, textWith()),
    fc.array(fc.tuple(fc.nat(), fc.nat(), fc.nat(4)), { minLength: 1, maxLength: 8 }),
  )
  .map(([text, moves]) => {
    const file: unknown = parse(text);
    for (const [from, to, kind] of moves) {
      const spots = spotsOf(file);
      const [source, target] = [spots[from % spots.length], spots[to % spots.length]];
      if (source === undefined || target === undefined) continue;
      if (kind === 0) delete target.block[target.key];
      else if (kind === 1) target.block[`${target.key}x`] = target.block[target.key];
      else target.block[target.key] = structuredClone(source.block[source.key]);
    }
    return stringify(file, { aliasDuplicateObjects: false });
  });

interface Spot {
  readonly block: Record<string, unknown>;
  readonly key: string;
}

const isBlock = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;

const spotsOf = (value: unknown): readonly Spot[] =>
  isBlock(value) ? Object.keys(value).flatMap((key) => [{ block: value, key }, ...spotsOf(value[key])]) : [];

describe('the check of a configuration answers, and never throws', () => {
  it('whatever text it gets', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 200 }), isAnswered), { numRuns: 30 });
  });

  it('on text that resembles a configuration', () => {
    fc.assert(fc.property(yamlish, isAnswered), { numRuns: 30 });
  });

  it('on a sound file with letters changed', () => {
    fc.assert(fc.property(mutated, isAnswered), { numRuns: 30 });
  });

  it('on a sound file with values removed, renamed or exchanged', () => {
    fc.assert(fc.property(rearranged, isAnswered), { numRuns: 30 });
  });

  it('on an explosion of aliases, without following them', () => {
    const levels = Array.from({ length: 15 }, (_, i) => `a${i + 1}: &a${i + 1} [${`*a${i}, `.repeat(9)}*a${i}]`);
    const { faults = [] } = checkConfig(['a0: &a0 [x, x]', ...levels].join('\n'), 'f.yaml');
    assert.ok(faults.some(({ message }) => message === 'anchors and aliases are not used here; write the value out'));
  });

  it('on every beginning of an example', () => {
    for (const text of EXAMPLES) {
      for (let end = 0; end < text.length; end += 97) assert.ok(isAnswered(text.slice(0, end)));
    }
  });
});
