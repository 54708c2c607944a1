// The accounts of those who work at the desk, as admins keep them.
//
// 1. There always is an admin, once there was one: the last one can be neither removed, nor disabled, nor demoted.
// 2. Sessions end with whatever they rest on: when the operator goes, is disabled, or gets other roles or another password.
// 3. A change is one batch, with its record in the audit log.

import { formatInstant } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { DeskPut } from '../ports/desk-store.ts';
import { accountName, accountNameFault, SETUP_NAME } from './account-name.ts';
import { type Auditing, auditedRefusal, notPermitted } from './audited-refusal.ts';
import type { Actor } from './card-requests.ts';
import { isAdmin, type OperatorBook } from './operator-book.ts';
import { type PasswordCheck, withoutFailures } from './password-check.ts';
import { type PasswordHasher, passwordFault } from './passwords.ts';
import { ROLES, type Role } from './permissions.ts';
import type { OperatorRecord } from './records.ts';
import { done, type Outcome, type Refusal } from './refusal.ts';
import type { SetupCode } from './sign-in.ts';
import type { TokenBook } from './token-book.ts';

const MOST_OPERATORS = 1_000;
const ACTION = 'change-operators';

export interface OperatorsDependencies extends Auditing {
  readonly operators: OperatorBook;
  readonly tokens: TokenBook;
  readonly hasher: PasswordHasher;
  readonly check: PasswordCheck;
  readonly setupCode: SetupCode;
  /** Something that somebody should hear of. */
  readonly onFault: (text: string) => void;
}

export interface NewOperator {
  readonly name: string;
  readonly password: string;
  readonly roles: readonly Role[];
}

export interface OperatorChange {
  readonly roles?: readonly Role[] | undefined;
  readonly password?: string | undefined;
  readonly isDisabled?: boolean | undefined;
}

export class Operators {
  readonly #deps: OperatorsDependencies;

  constructor(deps: OperatorsDependencies) {
    this.#deps = deps;
  }

  /** While it is false, the setup code makes the first one. */
  get hasAdmin(): boolean {
    return this.#deps.operators.hasAdmin;
  }

  list(): readonly OperatorRecord[] {
    return this.#deps.operators.all();
  }

  async add(request: NewOperator, actor: Actor): Promise<Outcome<OperatorRecord>> {
    const fault = notPermitted(actor, ACTION);
    if (fault !== undefined) return this.#refuse(actor.name, request.name, fault);
    return this.#add(request, actor.name, () => undefined);
  }

  /** By whoever has the setup code. */
  async addFirst(request: NewOperator): Promise<Outcome<OperatorRecord>> {
    const fault = (): Refusal | undefined => {
      if (this.hasAdmin) return { code: 'not-permitted', detail: 'there is an admin already; sign in' };
      if (request.roles.includes('admin')) return undefined;
      return { code: 'not-permitted', detail: 'the setup code makes the first admin, and nobody else', path: 'roles' };
    };
    const outcome = await this.#add(request, SETUP_NAME, fault);
    if (outcome.kind === 'done') await this.removeSetupCode();
    return outcome;
  }

  /** Where there is an admin, nobody needs the code any more. */
  async removeSetupCode(): Promise<void> {
    const { setupCode, onFault } = this.#deps;
    if (!this.hasAdmin || setupCode.read() === undefined) return;
    await setupCode.remove().catch((error: unknown) => {
      // It is worth nothing while there is an admin.
      onFault(`the setup code could not be removed: ${errorMessage(error)}`);
    });
  }

  async change(name: string, change: OperatorChange, actor: Actor): Promise<Outcome<OperatorRecord>> {
    const { operators } = this.#deps;
    const refuse = (refusal: Refusal): Promise<Outcome<never>> => this.#refuse(actor.name, name, refusal);
    const known = operators.find(name);
    const fault = notPermitted(actor, ACTION) ?? (known === undefined ? unknown(name) : changeFault(change, known));
    if (fault !== undefined) return refuse(fault);
    const password = change.password === undefined ? undefined : await this.#deps.hasher.hash(change.password);
    if (password === 'overloaded') return refuse(OVERLOADED);
    // From here on without a pause.
    this.#deps.writer.requireSound();
    const record = operators.find(name);
    if (record === undefined) return refuse(unknown(name));
    const next = changed(record, { ...change, password });
    if (operators.isLastAdmin(record) && !isAdmin(next)) return refuse(lastAdmin(record));
    const ended = endsSessions(record, next) ? this.#deps.tokens.endSessionsOf(record.name) : [];
    await this.#write([operators.put(next), ...ended], {
      operator: actor.name,
      subject: next.name,
      detail: told(change),
    });
    return done(next);
  }

  async remove(name: string, actor: Actor): Promise<Outcome<undefined>> {
    const { operators, tokens } = this.#deps;
    const record = operators.find(name);
    const fault = notPermitted(actor, ACTION) ?? (record === undefined ? unknown(name) : undefined);
    if (fault !== undefined || record === undefined) return this.#refuse(actor.name, name, fault ?? unknown(name));
    if (operators.isLastAdmin(record)) return this.#refuse(actor.name, name, lastAdmin(record));
    this.#deps.writer.requireSound();
    const puts = [operators.remove(record), ...tokens.endSessionsOf(record.name)];
    await this.#write(puts, { operator: actor.name, subject: record.name, detail: 'removed' });
    return done(undefined);
  }

  /** All of one's sessions end, this one too. */
  async changeOwnPassword(
    change: { readonly old: string; readonly new: string },
    actor: Actor,
  ): Promise<Outcome<undefined>> {
    const { operators, hasher, check, tokens, writer, audit, clock } = this.#deps;
    const action = 'change-password';
    const refuse = (refusal: Refusal): Promise<Outcome<never>> =>
      auditedRefusal(this.#deps, { operator: actor.name, action, subject: actor.name }, refusal);
    if (operators.find(actor.name) === undefined) return refuse(unknown(actor.name));
    const fault = passwordFault(change.new, actor.name, 'new');
    if (fault !== undefined) return refuse(fault);
    const password = await hasher.hash(change.new);
    if (password === 'overloaded') return refuse(OVERLOADED);
    return check.attempt<undefined>({ name: actor.name, password: change.old, action }, async (operator) => {
      const { name } = operator;
      await writer.write([
        operators.put({ ...withoutFailures(operator), password }),
        ...tokens.endSessionsOf(name),
        audit.append({ operator: name, action, outcome: 'done', subject: name }, clock.now()),
      ]);
      return done(undefined);
    });
  }

  async #add(
    { name: text, password, roles }: NewOperator,
    by: string,
    mayNot: () => Refusal | undefined,
  ): Promise<Outcome<OperatorRecord>> {
    const { operators, hasher, clock } = this.#deps;
    const name = accountName(text);
    const fault = (): Refusal | undefined =>
      mayNot() ?? accountNameFault(name, this.#deps) ?? (operators.size >= MOST_OPERATORS ? FULL : undefined);
    const before = fault() ?? passwordFault(password, name);
    if (before !== undefined) return this.#refuse(by, text, before);
    const hash = await hasher.hash(password);
    if (hash === 'overloaded') return this.#refuse(by, name, OVERLOADED);
    // From here on without a pause: somebody else may have got the name, or become the first admin.
    this.#deps.writer.requireSound();
    const after = fault();
    if (after !== undefined) return this.#refuse(by, name, after);
    const record: OperatorRecord = {
      name,
      roles: inOrder(roles),
      password: hash,
      addedAt: formatInstant(clock.now()),
      isDisabled: false,
      failures: 0,
    };
    await this.#write([operators.put(record)], {
      operator: by,
      subject: name,
      detail: `added as ${record.roles.join(', ')}`,
    });
    return done(record);
  }

  async #write(
    puts: readonly DeskPut[],
    about: { readonly operator: string; readonly subject: string; readonly detail: string },
  ): Promise<void> {
    const { writer, audit, clock } = this.#deps;
    await writer.write([...puts, audit.append({ ...about, action: ACTION, outcome: 'done' }, clock.now())]);
  }

  #refuse(operator: string, subject: string, refusal: Refusal): Promise<Outcome<never>> {
    return auditedRefusal(this.#deps, { operator, action: ACTION, subject }, refusal);
  }
}

const OVERLOADED: Refusal = {
  code: 'overloaded',
  detail: 'too many passwords are being worked on; try again in a moment',
};
const FULL: Refusal = { code: 'too-large', detail: `there are ${MOST_OPERATORS} operators; remove some first` };

const unknown = (name: string): Refusal => ({
  code: 'unknown-operator',
  detail: `there is no operator ${JSON.stringify(name)}`,
});

const lastAdmin = ({ name }: OperatorRecord): Refusal => ({
  code: 'last-admin',
  detail: `${name} is the only admin; make another one first`,
});

const changeFault = (
  { roles, password, isDisabled }: OperatorChange,
  { name }: OperatorRecord,
): Refusal | undefined => {
  if (roles === undefined && password === undefined && isDisabled === undefined) {
    return { code: 'invalid-request', detail: 'nothing is to be changed; give roles, password or isDisabled' };
  }
  return password === undefined ? undefined : passwordFault(password, name);
};

/** An admin who gives a new password, or enables an account, means it to be usable at once. */
const changed = (record: OperatorRecord, { roles, password, isDisabled }: OperatorChange): OperatorRecord => ({
  ...(password !== undefined || isDisabled === false ? withoutFailures(record) : record),
  ...(roles !== undefined && { roles: inOrder(roles) }),
  ...(password !== undefined && { password }),
  ...(isDisabled !== undefined && { isDisabled }),
});

const endsSessions = (before: OperatorRecord, after: OperatorRecord): boolean =>
  after.isDisabled || before.password !== after.password || before.roles.join() !== after.roles.join();

const told = ({ roles, password, isDisabled }: OperatorChange): string =>
  [
    ...(roles === undefined ? [] : [`roles ${inOrder(roles).join(', ')}`]),
    ...(password === undefined ? [] : ['a new password']),
    ...(isDisabled === undefined ? [] : [isDisabled ? 'disabled' : 'enabled']),
  ].join('; ');

/** Each once. */
export const inOrder = (roles: readonly Role[]): readonly Role[] => ROLES.filter((role) => roles.includes(role));
