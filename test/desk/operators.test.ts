// Who may work at the desk, and how they show that it is them.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { auditRecords } from '../../src/desk/audit-reading.ts';
import { verifyAudit } from '../../src/desk/audit-trail.ts';
import { LOCKED_FOR } from '../../src/desk/password-check.ts';
import { PasswordHasher, passwordFault } from '../../src/desk/passwords.ts';
import type { AuditRecord } from '../../src/desk/records.ts';
import { MemoryDeskStore } from '../fakes/memory-desk-store.ts';
import { ADMIN, CLERK, openDesk, refusalOf, taken } from '../fixtures/open-desk.ts';
import { accountsOf, CHEAP, FakeSetupCode, type OpenAccountsOptions, PASSWORD } from '../fixtures/open-desk-api.ts';

const OTHER_PASSWORD = 'staple of the hour';

/** Two admins, root and vice, and a clerk, li. */
const staffed = async (
  t: TestContext,
  { hasher, setupCode, ...options }: Parameters<typeof openDesk>[1] & OpenAccountsOptions = {},
) => {
  const opened = await openDesk(t, options);
  const accounts = await accountsOf(opened, {
    ...(hasher !== undefined && { hasher }),
    ...(setupCode !== undefined && { setupCode }),
  });
  t.after(() => accounts.close());
  const { operators, signIn } = accounts;
  for (const [name, role] of [
    ['root', 'admin'],
    ['vice', 'admin'],
    ['li', 'clerk'],
  ] as const) {
    await taken(operators.add({ name, password: PASSWORD, roles: [role] }, ADMIN));
  }
  const tokenOf = async (name: string, password = PASSWORD) => (await taken(signIn.signIn(name, password))).token;
  const isGood = (token: string): boolean => signIn.identify(token) !== undefined;
  const log = async (): Promise<readonly AuditRecord[]> => {
    const records: AuditRecord[] = [];
    for await (const record of auditRecords(opened.store)) records.push(record);
    return records;
  };
  return { ...opened, ...accounts, accounts, tokenOf, isGood, log };
};

/** Counts what it is asked to compare. */
class CountingHasher extends PasswordHasher {
  verified = 0;

  override verify(password: string, stored: string | undefined): Promise<boolean | 'overloaded'> {
    this.verified += 1;
    return super.verify(password, stored);
  }
}

describe('a password', () => {
  test('is kept as its scrypt hash with salt and cost, and compared at the cost it was made at', async () => {
    const before = new PasswordHasher({ cost: CHEAP });
    const stored = await before.hash(PASSWORD);
    assert.match(stored, /^scrypt\$2\$1\$1\$[\w-]{22}\$[\w-]{43}$/);
    assert.notEqual(await before.hash(PASSWORD), stored);
    const since = new PasswordHasher({ cost: { N: 4, r: 2, p: 2 } });
    assert.equal(await since.verify(PASSWORD, stored), true);
    assert.equal(await since.verify(OTHER_PASSWORD, stored), false);
    assert.equal(await since.verify(PASSWORD, undefined), false);
    await assert.rejects(since.verify(PASSWORD, 'plain'), { code: 'store-record-unreadable' });
  });

  test('is the same however its characters are composed', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP });
    assert.equal(await hasher.verify('cafe\u0301 au lait ne\u0301', await hasher.hash('café au lait né')), true);
  });

  test('that is short, monotonous or has the name in it is refused', () => {
    for (const [password, name] of [
      ['elevenchars', 'li'],
      ['abababababababab', 'li'],
      ['My-Zhang.Wei-rules', 'zhang.wei'],
    ] as const) {
      assert.equal(passwordFault(password, name)?.code, 'weak-password', password);
    }
    assert.equal(passwordFault(PASSWORD, 'li'), undefined);
    assert.equal(passwordFault('a lily of the valley', 'li'), undefined);
  });

  test('waits for its turn to be hashed, and is turned away where too many wait', async () => {
    const hasher = new PasswordHasher({ cost: CHEAP, mostAtOnce: 1, mostWaiting: 2 });
    const hashes = await Promise.all(Array.from({ length: 5 }, () => hasher.hash(PASSWORD)));
    assert.deepEqual(
      hashes.map((hash) => hash === 'overloaded'),
      [false, false, false, true, true],
    );
    assert.notEqual(await hasher.hash(PASSWORD), 'overloaded');
  });
});

describe('a session', () => {
  test('is for eight hours and has the roles that the operator has', async (t) => {
    const { signIn, clock, isGood } = await staffed(t);
    const { token, roles, expiresAt } = await taken(signIn.signIn('LI', PASSWORD));
    assert.deepEqual(roles, ['clerk']);
    assert.equal(expiresAt, '2026-01-05T16:00:00.000Z');
    const identity = signIn.identify(token);
    assert.deepEqual(identity?.kind === 'known' && identity.actor, { name: 'li', roles: ['clerk'] });
    clock.advance(8 * 3_600_000 - 1);
    assert.ok(isGood(token));
    clock.advance(1);
    assert.ok(!isGood(token));
  });

  test('ends with signing out, with the account, with another password, and with other roles', async (t) => {
    const { operators, signIn, tokenOf, isGood } = await staffed(t);
    const root = { name: 'root', roles: ['admin'] } as const;
    const ends: readonly ((token: string) => Promise<unknown>)[] = [
      async (token) => {
        const identity = signIn.identify(token);
        assert.ok(identity?.kind === 'known');
        await taken(signIn.signOut(identity));
      },
      () => taken(operators.change('li', { roles: ['clerk', 'security'] }, root)),
      () => taken(operators.change('li', { password: OTHER_PASSWORD }, root)),
      () => taken(operators.changeOwnPassword({ old: OTHER_PASSWORD, new: PASSWORD }, { name: 'li', roles: [] })),
      () => taken(operators.change('li', { isDisabled: true }, root)),
      () => taken(operators.remove('li', root)),
    ];
    for (const [index, end] of ends.entries()) {
      if (index === 5) await taken(operators.change('li', { isDisabled: false }, root));
      const token = await tokenOf('li', index === 3 ? OTHER_PASSWORD : PASSWORD);
      const others = await tokenOf('vice');
      await end(token);
      assert.ok(!isGood(token), `end ${index}`);
      assert.ok(isGood(others));
    }
  });

  test('is not to be had with a wrong password, for nobody, or for a disabled account', async (t) => {
    const { operators, signIn } = await staffed(t);
    const wrong = await refusalOf(signIn.signIn('li', OTHER_PASSWORD));
    assert.equal(wrong.code, 'wrong-credentials');
    assert.deepEqual(await refusalOf(signIn.signIn('nobody', PASSWORD)), wrong);
    await taken(operators.change('li', { isDisabled: true }, ADMIN));
    assert.equal((await refusalOf(signIn.signIn('li', PASSWORD))).code, 'not-permitted');
    assert.deepEqual(await refusalOf(signIn.signIn('li', OTHER_PASSWORD)), wrong);
  });

  test('is good after a restart, and nothing that is kept gives it away', async (t) => {
    const store = new MemoryDeskStore();
    const { tokenOf, accounts, desk, clock } = await staffed(t, { store });
    const token = await tokenOf('li');
    await accounts.close();
    await desk.close();
    const { signIn } = await accountsOf(await openDesk(t, { store, clock }));
    assert.equal(signIn.identify(token)?.kind, 'known');
    const secret = token.split('.')[1] ?? '';
    for await (const { kind, value } of store.records()) {
      assert.ok(!JSON.stringify(value).includes(secret), kind);
      assert.ok(!JSON.stringify(value).includes(PASSWORD), kind);
    }
  });

  test('is one of twenty at most: the oldest makes room', async (t) => {
    const { tokenOf, isGood, clock } = await staffed(t);
    const tokens: string[] = [];
    for (let index = 0; index < 21; index++) {
      tokens.push(await tokenOf('li'));
      clock.advance(1_000);
    }
    assert.deepEqual(tokens.map(isGood), [false, ...Array.from({ length: 20 }, () => true)]);
  });
});

describe('after five wrong passwords', () => {
  for (const name of ['li', 'nobody']) {
    test(`no password of ${name} is looked at for a quarter of an hour`, async (t) => {
      const hasher = new CountingHasher({ cost: CHEAP });
      const { signIn, clock } = await staffed(t, { hasher });
      for (let index = 0; index < 5; index++) {
        assert.equal((await refusalOf(signIn.signIn(name, 'wrong'))).code, 'wrong-credentials');
      }
      assert.equal((await refusalOf(signIn.signIn(name, PASSWORD))).code, 'locked-out');
      assert.equal(hasher.verified, 5);
      clock.advance(LOCKED_FOR - 1);
      assert.equal((await refusalOf(signIn.signIn(name, PASSWORD))).code, 'locked-out');
      clock.advance(1);
      const outcome = await signIn.signIn(name, PASSWORD);
      assert.equal(outcome.kind, name === 'li' ? 'done' : 'refused');
      // One wrong password more does not lock again.
      assert.equal((await refusalOf(signIn.signIn(name, 'wrong'))).code, 'wrong-credentials');
      assert.notEqual((await refusalOf(signIn.signIn(name, 'wrong'))).code, 'locked-out');
    });
  }

  test('which may come all at once, or before and after a restart', async (t) => {
    const store = new MemoryDeskStore();
    const first = await staffed(t, { store });
    for (let index = 0; index < 3; index++) await refusalOf(first.signIn.signIn('li', 'wrong'));
    await first.accounts.close();
    await first.desk.close();
    const hasher = new CountingHasher({ cost: CHEAP });
    const { signIn, operators } = await accountsOf(await openDesk(t, { store, clock: first.clock }), { hasher });
    const codes = await Promise.all(
      Array.from({ length: 20 }, async () => (await refusalOf(signIn.signIn('li', 'wrong'))).code),
    );
    assert.deepEqual(codes, [...Array(2).fill('wrong-credentials'), ...Array(18).fill('locked-out')]);
    assert.equal(hasher.verified, 2);
    // An admin who gives a new password means it to be used.
    await taken(operators.change('li', { password: OTHER_PASSWORD }, ADMIN));
    await taken(signIn.signIn('li', OTHER_PASSWORD));
  });

  test('but not where a right one comes in between', async (t) => {
    const { signIn } = await staffed(t);
    for (let round = 0; round < 3; round++) {
      for (let index = 0; index < 4; index++) await refusalOf(signIn.signIn('li', 'wrong'));
      await taken(signIn.signIn('li', PASSWORD));
    }
  });

  test('wherever they were given: one who has found a session open cannot try passwords at length', async (t) => {
    const { operators, signIn } = await staffed(t);
    const li = { name: 'li', roles: ['clerk'] } as const;
    for (let index = 0; index < 5; index++) {
      const outcome = operators.changeOwnPassword({ old: 'wrong', new: OTHER_PASSWORD }, li);
      assert.equal((await refusalOf(outcome)).code, 'wrong-credentials');
    }
    assert.equal((await refusalOf(signIn.signIn('li', PASSWORD))).code, 'locked-out');
  });
});

describe('a clock that was ahead and is set back', () => {
  const AHEAD = '2036-01-05T08:00:00Z';
  const NOW = '2026-01-05T08:00:00Z';

  test('leaves no session and no token that is good for years', async (t) => {
    const { tokens, tokenOf, isGood, clock } = await staffed(t);
    clock.setNow(AHEAD);
    const session = await tokenOf('li');
    const { token } = await taken(tokens.add({ name: 'hr', roles: ['clerk'] }, ADMIN));
    assert.deepEqual([isGood(session), isGood(token)], [true, true]);
    clock.setNow(Date.parse(AHEAD) - 300_000);
    assert.deepEqual([isGood(session), isGood(token)], [true, true]);
    clock.setNow(Date.parse(AHEAD) - 300_001);
    assert.deepEqual([isGood(session), isGood(token)], [false, false]);
    clock.setNow(NOW);
    assert.ok(isGood(await tokenOf('li')));
  });

  test('leaves no session that was to last longer than one does', async (t) => {
    const store = new MemoryDeskStore();
    const { tokenOf, accounts, desk, clock } = await staffed(t, { store });
    const token = await tokenOf('li');
    await accounts.close();
    await desk.close();
    for await (const [key, record] of store.entries('token')) {
      await store.write([{ kind: 'token', key, value: { ...Object(record), expiresAt: '2036-01-05T16:00:00.000Z' } }]);
    }
    const { signIn } = await accountsOf(await openDesk(t, { store, clock }));
    clock.advance(8 * 3_600_000 - 1);
    assert.equal(signIn.identify(token)?.kind, 'known');
    clock.advance(1);
    assert.equal(signIn.identify(token), undefined);
  });

  test('leaves nobody locked out for years', async (t) => {
    const { signIn, clock, operators } = await staffed(t);
    clock.setNow(AHEAD);
    for (let index = 0; index < 5; index++) await refusalOf(signIn.signIn('li', 'wrong'));
    assert.equal((await refusalOf(signIn.signIn('li', PASSWORD))).code, 'locked-out');
    clock.setNow(NOW);
    await taken(signIn.signIn('li', PASSWORD));
    assert.equal(operators.list().find(({ name }) => name === 'li')?.lockedUntil, undefined);
  });
});

describe('the last admin', () => {
  const ways: Readonly<
    Record<string, (operators: Awaited<ReturnType<typeof staffed>>['operators'], name: string) => Promise<unknown>>
  > = {
    removed: (operators, name) => operators.remove(name, ADMIN),
    disabled: (operators, name) => operators.change(name, { isDisabled: true }, ADMIN),
    demoted: (operators, name) => operators.change(name, { roles: ['auditor'] }, ADMIN),
  };
  for (const [way, end] of Object.entries(ways)) {
    test(`cannot be ${way}, also where the last two are so at once`, async (t) => {
      const { operators } = await staffed(t);
      const outcomes = await Promise.all([end(operators, 'root'), end(operators, 'vice')]);
      assert.deepEqual(
        outcomes.map((outcome) => Object(outcome).kind),
        ['done', 'refused'],
      );
      assert.equal(Object(outcomes[1]).refusal.code, 'last-admin');
      assert.ok(operators.hasAdmin);
    });
  }

  test('does not count where the account is disabled, and may change the password', async (t) => {
    const { operators } = await staffed(t);
    await taken(operators.change('vice', { isDisabled: true }, ADMIN));
    assert.equal((await refusalOf(operators.remove('root', ADMIN))).code, 'last-admin');
    await taken(operators.remove('vice', ADMIN));
    await taken(operators.change('root', { password: OTHER_PASSWORD, roles: ['admin', 'clerk'] }, ADMIN));
  });
});

describe('the first admin', () => {
  const first = { name: 'root', password: PASSWORD, roles: ['admin'] } as const;

  test('is made with the setup code, by one of those who try it at once, and the code is gone', async (t) => {
    const setupCode = new FakeSetupCode('0123456789abcdef');
    const { operators, signIn } = await accountsOf(await openDesk(t), { setupCode });
    assert.deepEqual(signIn.identify('0123456789abcdef'), { kind: 'setup' });
    assert.equal(signIn.identify('0123456789abcdee'), undefined);
    const clerk = operators.addFirst({ ...first, roles: ['clerk'] });
    assert.equal((await refusalOf(clerk)).code, 'not-permitted');
    const outcomes = await Promise.all([operators.addFirst(first), operators.addFirst({ ...first, name: 'other' })]);
    assert.deepEqual(
      outcomes.map(({ kind }) => kind),
      ['done', 'refused'],
    );
    assert.equal(setupCode.removals, 1);
    assert.equal(signIn.identify('0123456789abcdef'), undefined);
  });

  test('makes a code worthless that was left behind, and a start removes it', async (t) => {
    const store = new MemoryDeskStore();
    await staffed(t, { store });
    const setupCode = new FakeSetupCode('left behind');
    const { signIn, operators } = await accountsOf(await openDesk(t, { store }), { setupCode });
    assert.equal(setupCode.code, undefined);
    setupCode.code = 'left behind';
    assert.equal(signIn.identify('left behind'), undefined);
    assert.equal((await refusalOf(operators.addFirst({ ...first, name: 'late' }))).code, 'not-permitted');
  });
});

describe('a token of a program', () => {
  test('has its roles, until it expires or is removed', async (t) => {
    const { tokens, signIn, clock, isGood } = await staffed(t);
    const request = { name: 'hr.sync', roles: ['clerk'], expiresAt: '2026-01-05T18:00:00+08:00' } as const;
    const { token, record } = await taken(tokens.add(request, ADMIN));
    const identity = signIn.identify(token);
    assert.deepEqual(identity?.kind === 'known' && identity.actor, { name: 'hr.sync', roles: ['clerk'] });
    const lasting = await taken(tokens.add({ name: 'report', roles: ['auditor'] }, ADMIN));
    clock.advance(2 * 3_600_000);
    assert.deepEqual([isGood(token), isGood(lasting.token)], [false, true]);
    assert.deepEqual(
      tokens.list().map(({ id }) => id),
      [record.id, lasting.record.id],
    );
    await taken(tokens.remove(lasting.record.id, ADMIN));
    assert.ok(!isGood(lasting.token));
    const past = tokens.add({ ...request, name: 'late' }, ADMIN);
    assert.equal((await refusalOf(past)).code, 'date-in-past');
    const endless = tokens.add({ ...request, name: 'endless', expiresAt: '9999-12-31T23:59:59-05:00' }, ADMIN);
    const { code, path } = await refusalOf(endless);
    assert.deepEqual([code, path], ['invalid-request', 'expiresAt']);
  });

  test('is none with one character changed, cut off or added', async (t) => {
    const { tokens, isGood } = await staffed(t);
    const { token } = await taken(tokens.add({ name: 'hr.sync', roles: ['clerk'] }, ADMIN));
    const changed = `${token.slice(0, -2)}${token.at(-2) === 'A' ? 'B' : 'A'}${token.at(-1)}`;
    for (const other of [changed, token.slice(0, -1), `${token}A`, token.split('.')[0] ?? '', '', '.']) {
      assert.ok(!isGood(other), other);
    }
  });
});

describe('a name', () => {
  test('stands for one operator or program, however it is written', async (t) => {
    const { operators, tokens } = await staffed(t);
    const add = (name: string) => operators.add({ name, password: PASSWORD, roles: ['clerk'] }, ADMIN);
    for (const name of ['LI', ' li ', 'ｌｉ', 'me', 'Cardea-Desk', 'setup-code']) {
      assert.equal((await refusalOf(add(name))).code, 'operator-exists', name);
    }
    for (const name of ['', '-x', 'a b', 'a\u0000', '/etc']) {
      assert.equal((await refusalOf(add(name))).code, 'invalid-request', name);
    }
    assert.equal((await refusalOf(tokens.add({ name: 'Li', roles: ['clerk'] }, ADMIN))).code, 'operator-exists');
    await taken(tokens.add({ name: 'hr', roles: ['clerk'] }, ADMIN));
    assert.equal((await refusalOf(add('HR'))).code, 'operator-exists');
    assert.equal((await taken(add('王小明'))).name, '王小明');
  });
});

describe('the audit log', () => {
  test('has every action and every refusal, and none of the secrets', async (t) => {
    const { operators, tokens, signIn, log, store } = await staffed(t);
    const before = (await log()).length;
    await refusalOf(operators.add({ name: 'x', password: PASSWORD, roles: ['admin'] }, CLERK));
    await refusalOf(operators.remove('root', CLERK));
    await refusalOf(tokens.add({ name: 'x', roles: ['admin'] }, CLERK));
    await refusalOf(operators.change('ghost', { isDisabled: true }, ADMIN));
    await refusalOf(operators.add({ name: 'x', password: 'short', roles: ['clerk'] }, ADMIN));
    await refusalOf(signIn.signIn('li', 'wrong'));
    await taken(signIn.signIn('li', PASSWORD));
    await taken(tokens.add({ name: 'hr', roles: ['clerk'] }, ADMIN));
    const since = (await log()).slice(before);
    assert.deepEqual(
      since.map(({ operator, action, code }) => [operator, action, code]),
      [
        ['li', 'change-operators', 'not-permitted'],
        ['li', 'change-operators', 'not-permitted'],
        ['li', 'change-tokens', 'not-permitted'],
        ['root', 'change-operators', 'unknown-operator'],
        ['root', 'change-operators', 'weak-password'],
        ['li', 'sign-in', 'wrong-credentials'],
        ['li', 'sign-in', null],
        ['root', 'change-tokens', null],
      ],
    );
    assert.equal((await verifyAudit(auditRecords(store))).fault, undefined);
    assert.ok(!JSON.stringify(since).includes(PASSWORD));
  });

  test('is not filled by strangers: one record a minute, with their number', async (t) => {
    const { signIn, log, clock } = await staffed(t);
    const before = (await log()).length;
    for (let index = 0; index < 30; index++) await refusalOf(signIn.signIn(`nobody-${index}`, PASSWORD));
    assert.equal((await log()).length, before + 1);
    clock.advance(60_000);
    await signIn.signIn('li', PASSWORD);
    const [, second] = (await log()).slice(before);
    assert.equal(second?.operator, 'unknown');
    assert.equal(second?.detail, 'unknown names: 29');
  });
});
