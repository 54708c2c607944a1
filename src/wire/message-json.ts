// The JSON of a message, before it means anything: one object, UTF-8, no name twice; and how a fault in it is told to its sender.

import type { z } from 'zod';
import { repeatedKey } from './unique-keys.ts';

export type RejectionCode =
  | 'invalid-message'
  | 'too-large'
  | 'wrong-site'
  | 'wrong-topic'
  | 'retained-not-allowed'
  | 'invalid-card-number'
  | 'random-uid'
  | 'card-in-use'
  | 'revision-conflict'
  | 'invalid-window'
  | 'expired-command'
  | 'unknown-door'
  | 'not-carried-out'
  | 'not-signed'
  | 'bad-signature'
  | 'unknown-key'
  | 'not-permitted'
  | 'store-unavailable';

/** Why a message is refused; `path` is where in the message, such as `access[0].doors[1]`. */
export interface Fault {
  readonly code: RejectionCode;
  readonly detail: string;
  readonly path?: string;
}

/** For what the schema has let through and a domain parser still refuses: the message is refused as well. */
export const UNREADABLE: Fault = { code: 'invalid-message', detail: 'an identifier does not parse' };

export const parseJsonObject = (bytes: Uint8Array): { readonly content: unknown } | { readonly fault: Fault } => {
  try {
    const json = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    const content: unknown = JSON.parse(json);
    if (typeof content !== 'object' || content === null || Array.isArray(content)) {
      return { fault: { code: 'invalid-message', detail: 'the message is not a JSON object' } };
    }
    const repeated = repeatedKey(json, content);
    if (repeated === undefined) return { content };
    return { fault: { code: 'invalid-message', path: pathText(repeated), detail: 'the same name occurs twice' } };
  } catch {
    return { fault: { code: 'invalid-message', detail: 'the message is not JSON in UTF-8' } };
  }
};

/** The first thing that the schema objects to. */
export const schemaFault = (error: z.ZodError): Fault => {
  const issue = error.issues[0];
  if (issue === undefined) return UNREADABLE;
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const path = [...issue.path, ...(unknownKey === undefined ? [] : [unknownKey])];
  return { code: 'invalid-message', path: pathText(path), detail: issue.message };
};

/** A member of what came in, whatever it is; inherited ones do not count. */
export const fieldOf = (content: unknown, key: string): unknown =>
  typeof content === 'object' && content !== null ? Object.getOwnPropertyDescriptor(content, key)?.value : undefined;

/** Such as `access[0].doors[1]`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text === '' ? '' : '.'}${String(key)}`),
    '',
  );
