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
  const objection = firstObjection(error);
  if (objection === undefined) return UNREADABLE;
  return { code: 'invalid-message', path: pathText(objection.path), detail: objection.message };
};

/** As schemaFault(); for what is part of another schema. */
export const firstObjection = ({
  issues: [issue],
}: z.ZodError): { readonly path: PropertyKey[]; readonly message: string } | undefined => {
  if (issue === undefined) return undefined;
  const unknownKey = issue.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  return { path: [...issue.path, ...(unknownKey === undefined ? [] : [unknownKey])], message: messageOf(issue) };
};

/** The library tells of a missing field as of one that is undefined, which JSON does not know. */
const messageOf = (issue: z.core.$ZodIssue): string =>
  issue.code === 'invalid_type' && issue.message.endsWith('received undefined')
    ? `is missing; expected: ${issue.expected}`
    : issue.message;

/** A member of what came in, whatever it is; inherited ones do not count. */
export const fieldOf = (content: unknown, key: string): unknown =>
  typeof content === 'object' && content !== null ? Object.getOwnPropertyDescriptor(content, key)?.value : undefined;

/** Such as `access[0].doors[1]`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, key) => (typeof key === 'number' ? `${text}[${key}]` : `${text}${text === '' ? '' : '.'}${String(key)}`),
    '',
  );
