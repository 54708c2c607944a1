// Who is at the desk: sessions of operators, programs with their tokens, and, before there is any admin, whoever has the setup code.
//
// 1. An operator's roles are looked up each time: a session is never worth more than its operator.
// 2. The setup code is good while nobody is admin, and for making one.

import { formatInstant, instant, type Milliseconds, seconds } from '../domain/units.ts';
import type { Auditing } from './audited-refusal.ts';
import { auditedRefusal } from './audited-refusal.ts';
import type { Actor } from './card-requests.ts';
import type { OperatorBook } from './operator-book.ts';
import type { PasswordCheck } from './password-check.ts';
import type { Role } from './permissions.ts';
import type { TokenRecord } from './records.ts';
import { done, type Outcome } from './refusal.ts';
import { areEqualSecrets, type TokenBook } from './token-book.ts';

const SESSION_LENGTH: Milliseconds = seconds(8 * 3600);

/** Where the code for the first admin is kept. */
export interface SetupCode {
  /** Undefined where there is none. */
  read(): string | undefined;
  /** It is not needed any more. */
  remove(): Promise<void>;
}

export interface SignInDependencies extends Auditing {
  readonly operators: OperatorBook;
  readonly tokens: TokenBook;
  readonly check: PasswordCheck;
  readonly setupCode: Pick<SetupCode, 'read'>;
  readonly sessionLength?: Milliseconds;
}

export interface SignedIn {
  readonly token: string;
  readonly name: string;
  readonly roles: readonly Role[];
  readonly expiresAt: string;
}

export type Identity =
  | { readonly kind: 'known'; readonly actor: Actor; readonly token: TokenRecord }
  /** May make the first admin. */
  | { readonly kind: 'setup' };

export class SignIn {
  readonly #deps: SignInDependencies;

  constructor(deps: SignInDependencies) {
    this.#deps = deps;
  }

  signIn(name: string, password: string): Promise<Outcome<SignedIn>> {
    const { check, tokens, writer, audit, clock, sessionLength = SESSION_LENGTH } = this.#deps;
    return check.attempt<SignedIn>({ name, password, action: 'sign-in' }, async (operator, puts) => {
      const attempt = { operator: operator.name, action: 'sign-in', subject: operator.name };
      if (operator.isDisabled) {
        const detail = `the account ${operator.name} is disabled; an admin can enable it again`;
        if (puts.length > 0) await writer.write(puts);
        return auditedRefusal(this.#deps, attempt, { code: 'not-permitted', detail });
      }
      const now = clock.now();
      const expiresAt = formatInstant(instant(now + sessionLength));
      const { name: by, roles } = operator;
      const issued = tokens.issue({ kind: 'session', name: by, roles: [], createdBy: by, expiresAt }, now);
      await writer.write([...puts, ...issued.puts, audit.append({ ...attempt, outcome: 'done' }, now)]);
      return done({ token: issued.token, name: by, roles, expiresAt });
    });
  }

  /** Ends a session. */
  async signOut({ actor, token }: Extract<Identity, { kind: 'known' }>): Promise<Outcome<undefined>> {
    const { tokens, writer, audit, clock } = this.#deps;
    const attempt = { operator: actor.name, action: 'sign-out', subject: actor.name };
    if (token.kind === 'token') {
      const detail = 'this is the token of a program and no session; an admin can remove it';
      return auditedRefusal(this.#deps, attempt, { code: 'not-permitted', detail });
    }
    writer.requireSound();
    await writer.write([...tokens.remove([token]), audit.append({ ...attempt, outcome: 'done' }, clock.now())]);
    return done(undefined);
  }

  /** Undefined for what is no token, or is none any more. */
  identify(bearer: string): Identity | undefined {
    const { operators, tokens, clock, sessionLength = SESSION_LENGTH } = this.#deps;
    const token = tokens.find(bearer, clock.now());
    if (token === undefined) return this.#isSetupCode(bearer) ? { kind: 'setup' } : undefined;
    if (token.kind === 'token') return { kind: 'known', token, actor: { name: token.name, roles: token.roles } };
    if (clock.now() >= Date.parse(token.createdAt) + sessionLength) return undefined;
    const operator = operators.find(token.name);
    if (operator === undefined || operator.isDisabled) return undefined;
    return { kind: 'known', token, actor: { name: operator.name, roles: operator.roles } };
  }

  #isSetupCode(bearer: string): boolean {
    const { operators, setupCode } = this.#deps;
    const code = operators.hasAdmin ? undefined : setupCode.read();
    return code !== undefined && code !== '' && areEqualSecrets(bearer, code);
  }
}
