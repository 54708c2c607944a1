// YAML text to plain values that remember their place. Bounded: size and nesting; no aliases are followed, so nothing can
// expand. Never throws. Duplicate keys, aliases and tags are faults.

import {
  Composer,
  CST,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type ParsedNode,
  Parser,
  type YAMLError,
} from 'yaml';
import { ALIASED, type Branch, YamlTree } from './yaml-tree.ts';

export const MAX_FILE_BYTES = 128 * 1024;
/** The deepest key of the schema lies at 4. The library recurses on nesting, hence the look before it is called. */
const MAX_DEPTH = 16;

export interface YamlFault {
  /** In UTF-16 code units from the beginning of the text. */
  readonly offset: number;
  /** Empty where the text is not even YAML. */
  readonly path: readonly string[];
  readonly message: string;
}

export interface ParsedYaml {
  readonly tree: YamlTree;
  readonly faults: readonly YamlFault[];
  /** False when the text is not YAML: then the tree is empty and only the faults count. */
  readonly isReadable: boolean;
}

export const parseYaml = (text: string): ParsedYaml => {
  const lines = lineStarts(text);
  const unreadable = (faults: readonly YamlFault[]): ParsedYaml => ({
    tree: new YamlTree(EMPTY, lines),
    faults,
    isReadable: false,
  });
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    return unreadable([{ offset: 0, path: [], message: `the file is larger than ${MAX_FILE_BYTES / 1024} KiB` }]);
  }
  const tokens = [...new Parser().parse(text)];
  const deepOffset = tooDeep(tokens);
  if (deepOffset !== undefined) {
    return unreadable([{ offset: deepOffset, path: [], message: `is nested deeper than ${MAX_DEPTH} levels` }]);
  }
  // Resolving no known tags and no merge keys leaves the plain JSON-like values of YAML 1.2's core schema.
  const options = {
    prettyErrors: false,
    stringKeys: true,
    uniqueKeys: false,
    resolveKnownTags: false,
  };
  const [document, second] = [
    ...new Composer({ ...options, schema: 'core', logLevel: 'silent' }).compose(tokens, true, text.length),
  ];
  if (document === undefined) return unreadable([]);
  const syntax = document.errors.map(syntaxFault);
  if (second !== undefined) {
    syntax.push({ offset: second.range[0], path: [], message: 'a second document begins here; a file holds one' });
  }
  if (syntax.length > 0) return unreadable(syntax);
  const faults = document.warnings.map(syntaxFault);
  const root =
    document.contents === null ? EMPTY : branchOf(document.contents, { path: [], keyOffset: undefined, faults, lines });
  return { tree: new YamlTree(root, lines), faults, isReadable: true };
};

/** Counted here, as the library's parser skips line ends while it recovers from an error. */
const lineStarts = (text: string): LineCounter => {
  const lines = new LineCounter();
  lines.addNewLine(0);
  for (const { index } of text.matchAll(/\n/g)) lines.addNewLine(index + 1);
  return lines;
};

const EMPTY: Branch = { keyOffset: undefined, valueOffset: 0, value: null, children: new Map() };

/** In a technician's words, where the library speaks in the grammar's. */
const PLAIN_WORDS: Readonly<Record<string, string>> = {
  BLOCK_AS_IMPLICIT_KEY: 'there is a second ": " on this line; put a value that contains one in quotes',
  TAG_RESOLVE_FAILED: 'tags (words beginning with !) are not used here; write the plain value',
  TAB_AS_INDENT: 'a tab; indent with spaces',
  NON_STRING_KEY: 'a key must be a plain word',
  RESOURCE_EXHAUSTION: 'this cannot be read; it is nested too deeply',
};

const syntaxFault = (error: YAMLError): YamlFault => ({
  offset: error.pos[0],
  path: [],
  message: PLAIN_WORDS[error.code] ?? `not YAML: ${error.message}`,
});

interface Spot {
  readonly path: readonly string[];
  readonly keyOffset: number | undefined;
  readonly faults: YamlFault[];
  readonly lines: LineCounter;
}

const branchOf = (node: ParsedNode | null, spot: Spot): Branch => {
  const valueOffset = offsetOf(node, spot.keyOffset ?? 0);
  const leaf = (value: unknown): Branch => ({ keyOffset: spot.keyOffset, valueOffset, value, children: new Map() });
  if (isAlias(node)) {
    const message = 'anchors and aliases are not used here; write the value out';
    spot.faults.push({ offset: valueOffset, path: spot.path, message });
    return leaf(ALIASED);
  }
  if (isSeq(node)) {
    const items = node.items.map((item, index) => branchOf(item, { ...spot, path: [...spot.path, String(index)] }));
    return {
      ...leaf(items.map(({ value }) => value)),
      children: new Map(items.map((item, index) => [String(index), item])),
    };
  }
  if (isScalar(node)) return leaf(node.value);
  if (!isMap(node)) return leaf(null);
  const children = new Map<string, Branch>();
  for (const { key, value } of node.items) {
    // `stringKeys` has made every key a string.
    const name = String(isScalar(key) ? key.value : key);
    const keyOffset = offsetOf(key, valueOffset);
    const path = [...spot.path, name];
    const first = children.get(name);
    if (first === undefined) {
      children.set(name, branchOf(value, { ...spot, path, keyOffset }));
    } else {
      const { line } = spot.lines.linePos(first.keyOffset ?? 0);
      spot.faults.push({ offset: keyOffset, path, message: `is given twice, first on line ${line}; keep one` });
    }
  }
  // fromEntries defines own properties: a key named __proto__ stays a key.
  const value = Object.fromEntries([...children].map(([name, child]) => [name, child.value]));
  return { keyOffset: spot.keyOffset, valueOffset, value, children };
};

/** Where the first collection beyond the allowed nesting begins, found without recursion. */
const tooDeep = (tokens: readonly CST.Token[]): number | undefined => {
  const waiting = tokens.map((token) => ({ token, depth: 1 }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const { token, depth } = next;
    if (depth > MAX_DEPTH) return token.offset;
    if (token.type === 'document' && token.value !== undefined) waiting.push({ token: token.value, depth });
    if (!CST.isCollection(token)) continue;
    for (const { key, value } of token.items) {
      if (key != null) waiting.push({ token: key, depth: depth + 1 });
      if (value !== undefined) waiting.push({ token: value, depth: depth + 1 });
    }
  }
  return undefined;
};

/** An empty value has no text of its own: then the key's place serves. */
const offsetOf = (node: ParsedNode | null | undefined, otherwise: number): number => {
  const range = node?.range;
  return range == null || (range[0] === range[1] && isScalar(node)) ? otherwise : range[0];
};
