// Whether somebody is who they say: by a password, a few times, and then not for a while.
//
// 1. After MOST_FAILURES wrong passwords in a row no password is looked at for LOCKED_FOR, and a restart changes nothing about it.
// 2. Attempts under one name are looked at one after the other: however many come at once, no more are counted.
// 3. A name that nobody has answers as one that somebody has, in words and in time.

import { formatInstant, type Instant, instant, seconds } from '../domain/units.ts';
import type { DeskPut } from '../ports/desk-store.ts';
import type { Auditing } from './audited-refusal.ts';
import type { OperatorBook } from './operator-book.ts';
import type { PasswordHasher } from './passwords.ts';
import { foldText } from './people.ts';
import type { OperatorRecord } from './records.ts';
import { type Outcome, refused } from './refusal.ts';
import type { StrangerTally } from './stranger-tally.ts';

export const MOST_FAILURES = 5;
export const LOCKED_FOR = seconds(15 * 60);
/** Attempts that are being looked at, or wait for it. */
const MOST_ATTEMPTS = 64;
/** Names that nobody has, whose wrong passwords are counted like the others. */
const MOST_STRANGERS = 1_000;

export interface PasswordCheckDependencies extends Auditing {
  readonly operators: OperatorBook;
  readonly hasher: PasswordHasher;
  readonly strangers: StrangerTally;
}

export interface Credentials {
  readonly name: string;
  readonly password: string;
  /** What it is for. */
  readonly action: 'sign-in' | 'change-password';
}

/** Is called in the instant in which the password was found to be right. `puts` are to be written with whatever it writes. */
export type OnRightPassword<Value> = (operator: OperatorRecord, puts: readonly DeskPut[]) => Promise<Outcome<Value>>;

type Failures = Pick<OperatorRecord, 'failures' | 'lockedUntil'>;

export class PasswordCheck {
  readonly #deps: PasswordCheckDependencies;
  readonly #turns = new Map<string, Promise<void>>();
  readonly #strangers = new Map<string, Failures>();
  #underWay = 0;

  constructor(deps: PasswordCheckDependencies) {
    this.#deps = deps;
  }

  /** What `onRight` gives, or why it was not called. Rejects with CardeaError `store-write-failed`. */
  async attempt<Value>(credentials: Credentials, onRight: OnRightPassword<Value>): Promise<Outcome<Value>> {
    this.#deps.writer.requireSound();
    if (this.#underWay >= MOST_ATTEMPTS) return this.#overloaded();
    this.#underWay += 1;
    try {
      return await this.#inTurn(foldText(credentials.name), () => this.#look(credentials, onRight));
    } finally {
      this.#underWay -= 1;
    }
  }

  /** Invariant 2. */
  #inTurn<Value>(name: string, work: () => Promise<Value>): Promise<Value> {
    const result = (this.#turns.get(name) ?? Promise.resolve()).then(work);
    const turn = result
      .then(
        () => {},
        () => {},
      )
      .then(() => {
        if (this.#turns.get(name) === turn) this.#turns.delete(name);
      });
    this.#turns.set(name, turn);
    return result;
  }

  async #look<Value>(credentials: Credentials, onRight: OnRightPassword<Value>): Promise<Outcome<Value>> {
    const { operators, hasher, strangers, clock } = this.#deps;
    const { name, password } = credentials;
    const before = operators.find(name);
    const lockedUntil = lockOf(before ?? this.#strangers.get(foldText(name)), clock.now());
    if (lockedUntil !== undefined) {
      await strangers.note('locked accounts');
      return refused('locked-out', `too many wrong passwords for ${name}; try again after ${lockedUntil}`);
    }
    const isRight = await hasher.verify(password, before?.password);
    if (isRight === 'overloaded') return this.#overloaded();
    const operator = operators.find(name);
    if (!isRight) {
      await (operator === undefined ? this.#countStranger(name) : this.#count(operator, credentials));
      return WRONG;
    }
    // While it was looked at, the account was removed or got another password.
    if (operator === undefined || operator.password !== before?.password) return WRONG;
    return await onRight(operator, operator.failures === 0 ? [] : [operators.put(withoutFailures(operator))]);
  }

  async #count(operator: OperatorRecord, { action }: Credentials): Promise<void> {
    const { operators, audit, writer, clock } = this.#deps;
    const counted = countedFailures(operator, clock.now());
    const { failures, lockedUntil } = counted;
    const detail = lockedUntil === undefined ? `wrong password, ${failures} in a row` : `locked until ${lockedUntil}`;
    const { name } = operator;
    await writer.write([
      operators.put({ ...withoutFailures(operator), ...counted }),
      audit.append(
        { operator: name, action, outcome: 'refused', subject: name, code: 'wrong-credentials', detail },
        clock.now(),
      ),
    ]);
  }

  async #countStranger(name: string): Promise<void> {
    const { clock, writer, strangers } = this.#deps;
    const key = foldText(name);
    const counted = countedFailures(this.#strangers.get(key), clock.now());
    this.#strangers.delete(key);
    this.#strangers.set(key, counted);
    if (this.#strangers.size > MOST_STRANGERS) {
      const [oldest = ''] = this.#strangers.keys();
      this.#strangers.delete(oldest);
    }
    // Invariant 3: a failure of somebody who is known is written, which takes its time. Nobody's name begins like this.
    await Promise.all([
      writer.write([{ kind: 'operator', key: '-', value: undefined }]),
      strangers.note('unknown names'),
    ]);
  }

  async #overloaded(): Promise<Outcome<never>> {
    await this.#deps.strangers.note('too many at once');
    return refused('overloaded', 'too many people sign in at once; try again in a moment');
  }
}

const WRONG = refused('wrong-credentials', 'the name or the password is wrong');

/** Until when no password is looked at; undefined where one is. One of a clock that was ahead would lock for years: it counts as over. */
export const lockOf = (failures: Failures | undefined, now: Instant): string | undefined => {
  const lockedUntil = failures?.lockedUntil;
  if (lockedUntil === undefined) return undefined;
  const left = Date.parse(lockedUntil) - now;
  return left > 0 && left <= LOCKED_FOR ? lockedUntil : undefined;
};

/** A lock that is over leaves nothing behind. */
const countedFailures = (before: Failures | undefined, now: Instant): Failures => {
  const failures = (before?.lockedUntil === undefined ? (before?.failures ?? 0) : 0) + 1;
  if (failures < MOST_FAILURES) return { failures };
  return { failures, lockedUntil: formatInstant(instant(now + LOCKED_FOR)) };
};

export const withoutFailures = ({ lockedUntil: _, ...operator }: OperatorRecord): OperatorRecord => ({
  ...operator,
  failures: 0,
});
