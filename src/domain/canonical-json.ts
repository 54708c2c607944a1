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
  if (typeof value === 'string') return quoted(value);
  if (value === null || typeof value !== 'object') return String(value);
  if (isArray(value)) return `[${value.map(canonicalJson).join(',')}]`;
  let members = '';
  for (const key of Object.keys(value).sort()) {
    const member = value[key];
    if (member === undefined) continue;
    members += `${members === '' ? '' : ','}${quoted(key)}:${canonicalJson(member)}`;
  }
  return `{${members}}`;
};

/** Text that stands in JSON as it is; every event has some twenty of them, and this is half the work of JSON.stringify. */
const PLAIN = /^[ !#-[\]-~]*$/;
const quoted = (text: string): string => (PLAIN.test(text) ? `"${text}"` : JSON.stringify(text));

const isArray = (value: JsonValue): value is readonly JsonValue[] => Array.isArray(value);

/** Lower-case hex SHA-256. */
export const sha256Hex = (data: string | Uint8Array): string => hash('sha256', data, 'hex');
