// Rules of the `trust` section: signed messages need keys, each key is given once and in one way.

import { KEY_ID } from '../domain/trusted-key.ts';
import { atKey, atValue, type Finding, type Findings, formatPath, showValue } from './faults.ts';
import { trustMessages } from './schema.ts';
import { isBlock, type YamlTree } from './yaml-tree.ts';

const KEYS = ['trust', 'keys'];

export const trust = (tree: YamlTree): Findings => {
  const messages = tree.read(['trust', 'messages'], trustMessages);
  const kids = tree.keys(KEYS);
  const isKeyless = kids.length === 0 && (tree.at(KEYS) === undefined || isBlock(tree.at(KEYS)));
  return {
    faults: [
      ...(messages === 'signed' && isKeyless ? [atValue(['trust', 'messages'], NEEDS_KEYS)] : []),
      ...kids.flatMap((kid) => keyFaults(tree, kid)),
      ...repeatedKeys(tree, KEYS, kids),
    ],
    warnings:
      messages === 'unsigned' && kids.length > 0 ? [atKey(KEYS, 'has no effect with trust.messages: unsigned')] : [],
  };
};

const NEEDS_KEYS =
  'signed messages (the default) need a key: put the public key of HR under trust.keys; or set trust.messages: unsigned, and let only HR publish at the broker';

const keyFaults = (tree: YamlTree, kid: string): readonly Finding[] => {
  const block = [...KEYS, kid];
  if (!KEY_ID.test(kid)) {
    const rule = 'allowed: 1 to 64 printable ASCII characters without spaces';
    return [atKey(block, `${showValue(kid)} cannot name a key; ${rule}`)];
  }
  return oneKey(tree, block);
};

/** A block gives its key in one way. */
export const oneKey = (tree: YamlTree, block: readonly string[]): readonly Finding[] => {
  if (!isBlock(tree.at(block))) return [];
  const given = tree.keys(block);
  const has = (key: string): boolean => given.includes(key);
  if (has('publicKey') !== has('publicKeyFile')) return [];
  return has('publicKey')
    ? [atKey([...block, 'publicKeyFile'], 'publicKey and publicKeyFile exclude each other; keep one')]
    : [atKey(block, 'names no key; give publicKey or publicKeyFile')];
};

/** One key under two names would have the permissions of both. */
export const repeatedKeys = (
  tree: YamlTree,
  block: readonly string[],
  names: readonly string[],
): readonly Finding[] => {
  const first = new Map<unknown, readonly string[]>();
  return names.flatMap((name) => {
    const path = [...block, name, 'publicKey'];
    const key = tree.at(path);
    const earlier = typeof key === 'string' ? first.get(key) : undefined;
    first.set(key, earlier ?? path);
    return earlier === undefined ? [] : [atValue(path, `is the key of ${formatPath(earlier)} already; keep one`)];
  });
};
