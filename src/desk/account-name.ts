// Names of operators and of programs: they stand in the audit log, and in the messages to gateways as whoever did it.

import type { OperatorBook } from './operator-book.ts';
import { foldText } from './people.ts';
import type { Refusal } from './refusal.ts';
import type { TokenBook } from './token-book.ts';

/** Letters and digits of any script; as long as a message to gateways takes. */
const NAME = /^[\p{L}\p{N}][\p{L}\p{M}\p{N}._@-]{0,63}$/u;

/** What the audit log calls those who are no operator, and what the API calls everybody. */
const RESERVED: readonly string[] = ['cardea-desk', 'setup-code', 'unknown', 'me'];

export const SETUP_NAME = 'setup-code';

/** As it is kept: full-width letters of an input method are the usual ones. */
export const accountName = (name: string): string => name.trim().normalize('NFKC');

/** Undefined for a name that may be given to a new account. One name never stands for two, however it is written. */
export const accountNameFault = (
  name: string,
  { operators, tokens }: { readonly operators: OperatorBook; readonly tokens: TokenBook },
): Refusal | undefined => {
  if (!NAME.test(name)) {
    const detail = 'a name has 1 to 64 letters, digits or . _ @ - and begins with a letter or a digit';
    return { code: 'invalid-request', detail, path: 'name' };
  }
  const folded = foldText(name);
  const isTaken =
    RESERVED.includes(folded) ||
    operators.find(name) !== undefined ||
    tokens.programs().some((token) => foldText(token.name) === folded);
  if (!isTaken) return undefined;
  return { code: 'operator-exists', detail: `the name ${name} is taken; choose another one`, path: 'name' };
};
