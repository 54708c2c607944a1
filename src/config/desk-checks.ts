// Rules between the keys of the desk's configuration: the broker's, keys of gateways given once and in one way, no password over a
// network in the clear.

import { SLUG } from '../domain/ids.ts';
import { deskFileSchema, trustMessages } from './desk-schema.ts';
import { atKey, atValue, type Finding, type Findings, showValue } from './faults.ts';
import { broker, isLoopback } from './mqtt-checks.ts';
import { ID_RULE } from './schema-terms.ts';
import { oneKey, repeatedKeys } from './trust-checks.ts';
import { isBlock, type YamlTree } from './yaml-tree.ts';

export const deskCrossCheck = (tree: YamlTree): Required<Findings> => {
  const all = [mqttLink, gateways, http, grants].map((check) => check(tree));
  return { faults: all.flatMap(({ faults }) => faults ?? []), warnings: all.flatMap(({ warnings }) => warnings ?? []) };
};

const mqttLink = (tree: YamlTree): Findings => (isBlock(tree.at(['mqtt'])) ? broker(tree, tree.keys(['mqtt'])) : {});

const GATEWAYS = ['gateways'];

const gateways = (tree: YamlTree): Findings => {
  const ids = tree.keys(GATEWAYS);
  const isSigned = tree.read(['trust', 'messages'], trustMessages) === 'signed';
  return {
    faults: [
      ...ids.flatMap((id) => gatewayFaults(tree, id)),
      // Two gateways with one key could each speak for the other.
      ...repeatedKeys(tree, GATEWAYS, ids),
    ],
    warnings: isSigned && ids.length === 0 ? [atKey(GATEWAYS, UNPROVEN)] : [],
  };
};

const UNPROVEN =
  'with signed messages no change is ever confirmed while no gateway’s key is here; put under each id what cardea keys show prints there';

const gatewayFaults = (tree: YamlTree, id: string): readonly Finding[] =>
  SLUG.test(id)
    ? oneKey(tree, [...GATEWAYS, id])
    : [atKey([...GATEWAYS, id], `${showValue(id)} is not an id; ${ID_RULE}`)];

const httpHost = deskFileSchema.shape.http.unwrap().shape.host;

/** Passwords and tokens go over it. */
const http = (tree: YamlTree): Findings => {
  const path = ['http', 'host'];
  const host = tree.read(path, httpHost);
  if (host === undefined || isOfThisMachine(host) || tree.at(['http', 'tls']) !== undefined) return {};
  const message = `${showValue(host)} is reachable from other machines, and passwords would go over the network in the clear; give http.tls, or leave host at 127.0.0.1`;
  return { faults: [atValue(path, message)] };
};

const isOfThisMachine = (host: string): boolean => isLoopback(host) || host === '::1';

const ACCESS = ['employees', 'access'];

const grants = (tree: YamlTree): Findings => {
  const access = tree.at(ACCESS);
  if (!Array.isArray(access)) return {};
  return { faults: access.flatMap((_, index) => grantFaults(tree, [...ACCESS, String(index)])) };
};

const grantFaults = (tree: YamlTree, block: readonly string[]): readonly Finding[] => {
  if (!isBlock(tree.at(block))) return [];
  const given = tree.keys(block);
  const has = (key: string): boolean => given.includes(key);
  if (has('level')) {
    return ['doors', 'schedule']
      .filter(has)
      .map((key) => atKey([...block, key], `level and ${key} exclude each other; keep one`));
  }
  return has('doors') ? [] : [atValue(block, 'opens nothing; give doors or level')];
};
