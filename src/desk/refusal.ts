// What the desk answers instead of doing what it was asked to: a value, never an exception.

export type RefusalCode =
  | 'invalid-request'
  | 'invalid-card-number'
  | 'random-uid'
  | 'card-in-use'
  | 'card-was-lost'
  | 'same-card'
  | 'unknown-card'
  | 'no-card'
  | 'ambiguous-card'
  | 'not-their-card'
  | 'not-suspended'
  | 'already-replaced'
  | 'unknown-employee'
  | 'employee-exists'
  | 'employee-left'
  | 'employee-active'
  | 'date-in-past'
  | 'invalid-window'
  | 'unknown-door'
  | 'too-large'
  | 'too-many-cards'
  | 'request-conflict'
  | 'not-permitted'
  | 'not-signed-in'
  | 'wrong-credentials'
  | 'locked-out'
  | 'weak-password'
  | 'unknown-operator'
  | 'operator-exists'
  | 'last-admin'
  | 'unknown-token'
  | 'unknown-operation'
  | 'unknown-batch'
  | 'unknown-gateway'
  | 'overloaded'
  | 'no-answer';

export interface Refusal {
  readonly code: RefusalCode;
  /** For the person who asked: what is wrong, with which value, and what to do. */
  readonly detail: string;
  /** Where in the request, such as `newCard`. */
  readonly path?: string;
}

export type Outcome<Value> =
  | {
      readonly kind: 'done';
      readonly value: Value /** It was done before, for the same request. */;
      readonly isRepeated: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export const refused = (code: RefusalCode, detail: string, path?: string) =>
  ({ kind: 'refused', refusal: { code, detail, ...(path !== undefined && { path }) } }) as const;

export const done = <Value>(value: Value, isRepeated = false): Outcome<Value> => ({ kind: 'done', value, isRepeated });
