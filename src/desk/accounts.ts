// Everybody who works at the desk, put together from the store: operators, programs, and how they are told from others.

import type { Milliseconds } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeskStore } from '../ports/desk-store.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { DeskWriter } from './desk-writer.ts';
import { OperatorBook } from './operator-book.ts';
import { Operators } from './operators.ts';
import { PasswordCheck } from './password-check.ts';
import { PasswordHasher } from './passwords.ts';
import type { Role } from './permissions.ts';
import { ProgramTokens } from './program-tokens.ts';
import { type SetupCode, SignIn } from './sign-in.ts';
import { StrangerTally } from './stranger-tally.ts';
import { TokenBook } from './token-book.ts';

export interface AccountsDependencies {
  readonly store: DeskStore;
  /** Those of the desk. */
  readonly writer: DeskWriter;
  readonly audit: AuditTrail;
  readonly clock: Clock;
  readonly hasher?: PasswordHasher;
  /** How long an operator stays signed in; default: eight hours. */
  readonly sessionLength?: Milliseconds;
  readonly setupCode: SetupCode;
  /** Something that somebody should hear of; the desk goes on. */
  readonly onFault: (text: string) => void;
}

export interface Accounts {
  readonly operators: Operators;
  readonly tokens: ProgramTokens;
  readonly signIn: SignIn;
  /** Counts who comes with a token that is none. */
  readonly strangers: StrangerTally;
  /** What an operator, or a program with a token, may do now; undefined for nobody. */
  rolesOf(name: string): readonly Role[] | undefined;
  /** To be called before the desk is closed. */
  close(): Promise<void>;
}

/** Rejects with CardeaError `store-record-unreadable`. */
export const openAccounts = async (deps: AccountsDependencies): Promise<Accounts> => {
  const { store, hasher = new PasswordHasher() } = deps;
  const operators = await OperatorBook.load(store);
  const tokens = await TokenBook.load(store);
  const strangers = new StrangerTally(deps);
  const check = new PasswordCheck({ ...deps, hasher, operators, strangers });
  const accounts = {
    operators: new Operators({ ...deps, operators, tokens, hasher, check }),
    tokens: new ProgramTokens({ ...deps, operators, tokens }),
    signIn: new SignIn({ ...deps, operators, tokens, check }),
    strangers,
    rolesOf: (name: string): readonly Role[] | undefined => {
      const operator = operators.find(name);
      if (operator !== undefined) return operator.isDisabled ? undefined : operator.roles;
      return tokens.rolesOf(name, deps.clock.now());
    },
    close: () => strangers.close(),
  };
  // The desk may have ended between the first admin and this.
  await accounts.operators.removeSetupCode();
  return accounts;
};
