// One text for one value: JSON with sorted keys, for hashes that anybody can recompute. Numbers must be integers.

import { hash } from 'node:crypto';

export type JsonValue =
  | null
  | boolean
  | number
  | string
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue | undefined };

/** Keys sorted by UTF-16 code unit as in RFC 8785, members that are undefined left out, no white space. */
export const canonicalJson = (value: JsonValue): string => {
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  const members: string[] = [];
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member !== undefined) members.push(`${JSON.stringify(key)}:${canonicalJson(member)}`);
  }
  return `{${members.join(',')}}`;
};

const isArray = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

/** Lower-case hex SHA-256. */
export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data, 'hex');
