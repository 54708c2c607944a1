// Tokens with which programs work at the desk, as admins make and remove them. The token itself is told once, to whoever makes it.

import { formatInstant, instant } from '../domain/units.ts';
import { accountName, accountNameFault } from './account-name.ts';
import { type Auditing, auditedRefusal, notPermitted } from './audited-refusal.ts';
import type { Actor } from './card-requests.ts';
import type { OperatorBook } from './operator-book.ts';
import { inOrder } from './operators.ts';
import type { Role } from './permissions.ts';
import type { TokenRecord } from './records.ts';
import { done, type Outcome, type Refusal } from './refusal.ts';
import type { TokenBook } from './token-book.ts';

const MOST_TOKENS = 1_000;
const ACTION = 'change-tokens';
/** What is later could not be read again. */
const LAST_TIME = Date.parse('9999-12-31T23:59:59.999Z');

export interface ProgramTokensDependencies extends Auditing {
  readonly operators: OperatorBook;
  readonly tokens: TokenBook;
}

export interface NewToken {
  readonly name: string;
  readonly roles: readonly Role[];
  /** RFC 3339 with offset. */
  readonly expiresAt?: string | undefined;
}

export interface IssuedToken {
  readonly record: TokenRecord;
  readonly token: string;
}

export class ProgramTokens {
  readonly #deps: ProgramTokensDependencies;

  constructor(deps: ProgramTokensDependencies) {
    this.#deps = deps;
  }

  /** Expired ones too, until they are removed. */
  list(): readonly TokenRecord[] {
    return this.#deps.tokens.programs();
  }

  async add(request: NewToken, actor: Actor): Promise<Outcome<IssuedToken>> {
    const { tokens, writer, audit, clock } = this.#deps;
    const name = accountName(request.name);
    const fault = notPermitted(actor, ACTION) ?? accountNameFault(name, this.#deps) ?? this.#fault(request);
    if (fault !== undefined) return this.#refuse(actor, request.name, fault);
    writer.requireSound();
    const now = clock.now();
    const roles = inOrder(request.roles);
    const expiresAt =
      request.expiresAt === undefined ? undefined : formatInstant(instant(Date.parse(request.expiresAt)));
    const { record, token, puts } = tokens.issue({ kind: 'token', name, roles, createdBy: actor.name, expiresAt }, now);
    const detail = `token ${record.id} made for ${roles.join(', ')}${expiresAt === undefined ? '' : ` until ${expiresAt}`}`;
    const entry = { operator: actor.name, action: ACTION, outcome: 'done', subject: name, detail } as const;
    await writer.write([...puts, audit.append(entry, now)]);
    return done({ record, token });
  }

  async remove(id: string, actor: Actor): Promise<Outcome<undefined>> {
    const { tokens, writer, audit, clock } = this.#deps;
    const record = tokens.program(id);
    const fault = notPermitted(actor, ACTION) ?? (record === undefined ? unknown(id) : undefined);
    if (fault !== undefined || record === undefined) return this.#refuse(actor, id, fault ?? unknown(id));
    writer.requireSound();
    const detail = `token ${id} removed`;
    const entry = { operator: actor.name, action: ACTION, outcome: 'done', subject: record.name, detail } as const;
    await writer.write([...tokens.remove([record]), audit.append(entry, clock.now())]);
    return done(undefined);
  }

  #fault({ expiresAt }: NewToken): Refusal | undefined {
    if (expiresAt !== undefined && !(Date.parse(expiresAt) > this.#deps.clock.now())) {
      return {
        code: 'date-in-past',
        detail: `${expiresAt} is over: the token would be good for nothing`,
        path: 'expiresAt',
      };
    }
    if (expiresAt !== undefined && Date.parse(expiresAt) > LAST_TIME) {
      const detail = `${expiresAt} is after the year 9999 in UTC; leave it out for a token that does not expire`;
      return { code: 'invalid-request', detail, path: 'expiresAt' };
    }
    if (this.#deps.tokens.programs().length < MOST_TOKENS) return undefined;
    return { code: 'too-large', detail: `there are ${MOST_TOKENS} tokens; remove some first` };
  }

  #refuse({ name }: Actor, subject: string, refusal: Refusal): Promise<Outcome<never>> {
    return auditedRefusal(this.#deps, { operator: name, action: ACTION, subject }, refusal);
  }
}

const unknown = (id: string): Refusal => ({ code: 'unknown-token', detail: `there is no token ${JSON.stringify(id)}` });
