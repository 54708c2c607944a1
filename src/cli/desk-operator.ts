// `cardea desk operator` and `desk token`: who may work at the desk, people and programs.

import {
  type NewOperator,
  type NewToken,
  newTokenAnswer,
  type OperatorAnswer,
  type OperatorChange,
  operatorAnswer,
  operatorsAnswer,
  type PasswordChange,
  tokensAnswer,
} from '../desk-api/contract.ts';
import { CardeaError } from '../errors.ts';
import { columns } from './columns.ts';
import { DeskClient, pathOf } from './desk-client.ts';
import type { ServiceOptions } from './desk-options.ts';
import { newPassword, oldPassword, type SetupOptions, setupCodeFile, setupUrl } from './desk-secrets.ts';
import { DeskVisit, deskUrl, readSecret, visitDesk } from './desk-visit.ts';
import { localTime, parseTime } from './local-times.ts';
import type { CliSession } from './session.ts';

type Role = OperatorAnswer['roles'][number];

export interface NewOperatorOptions extends ServiceOptions, SetupOptions {
  readonly role: readonly Role[];
  readonly passwordFile?: string;
}

export interface OperatorOptions extends ServiceOptions {
  readonly role?: readonly Role[];
  readonly disable?: boolean;
  readonly enable?: boolean;
}

export interface PasswordOptions extends ServiceOptions {
  readonly passwordFile?: string;
  readonly oldPasswordFile?: string;
}

export interface TokenOptions extends ServiceOptions {
  readonly role: readonly Role[];
  readonly expires?: string;
}

/** The first admin, with the code that lies beside the desk's records, or an operator whom an admin adds. */
export const addOperator = async (name: string, options: NewOperatorOptions, session: CliSession): Promise<void> => {
  const visit = await visitForSetup(session, options);
  const password = await newPassword(visit, options.passwordFile);
  const body: NewOperator = { name, password, roles: [...options.role] };
  const operator = await visit.desk.ask(operatorAnswer, { method: 'POST', path: '/v1/operators', body });
  await visit.print(operator, () => operatorsText([operator]));
};

const visitForSetup = async (session: CliSession, options: NewOperatorOptions): Promise<DeskVisit> => {
  const file = await setupCodeFile(options);
  if (file === undefined) return await visitDesk(session, options);
  if (options.tokenFile !== undefined) {
    throw new CardeaError('invalid-request', 'the first admin is made with the setup code, without --token-file');
  }
  const token = (await readSecret(session, file, 'the setup code')).trim();
  // The code is that of one desk: a session at another one says nothing about where it goes.
  const url = deskUrl(session, { url: options.url ?? (await setupUrl(options)) }, undefined);
  return new DeskVisit(session, new DeskClient({ url, token }), options);
};

export const listOperators = async (options: ServiceOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const answer = await visit.desk.ask(operatorsAnswer, { path: '/v1/operators' });
  await visit.print(answer, () => operatorsText(answer.operators));
};

const operatorsText = (operators: readonly OperatorAnswer[]): string =>
  columns([
    ['NAME', 'ROLES', 'STATE', 'SINCE'],
    ...operators.map(({ name, roles, isDisabled, lockedUntil, addedAt }) => [
      name,
      roles.join(', '),
      isDisabled ? 'disabled' : lockedUntil === null ? 'may sign in' : `locked until ${localTime(lockedUntil)}`,
      localTime(addedAt),
    ]),
  ]);

export const changeOperator = async (name: string, options: OperatorOptions, session: CliSession): Promise<void> => {
  const { role, disable, enable } = options;
  const body: OperatorChange = {
    ...(role !== undefined && { roles: [...role] }),
    ...(disable === true && { isDisabled: true }),
    ...(enable === true && { isDisabled: false }),
  };
  if (Object.keys(body).length === 0) {
    throw new CardeaError('invalid-request', 'say what changes: --role, --disable or --enable');
  }
  const visit = await visitDesk(session, options);
  const path = pathOf`/v1/operators/${name}`;
  const operator = await visit.desk.ask(operatorAnswer, { method: 'PATCH', path, body });
  await visit.print(operator, () => operatorsText([operator]));
};

/** One's own, which takes the old one, or as an admin somebody else's. */
export const changePassword = async (
  name: string | undefined,
  options: PasswordOptions,
  session: CliSession,
): Promise<void> => {
  const { passwordFile, oldPasswordFile } = options;
  if (name !== undefined && oldPasswordFile !== undefined) {
    throw new CardeaError('invalid-request', '--old-password-file is for your own password: leave NAME out');
  }
  if (passwordFile === '-' && oldPasswordFile === '-') {
    throw new CardeaError('invalid-request', 'only one of the passwords can come on standard input');
  }
  const visit = await visitDesk(session, options);
  if (name === undefined) {
    const old = await oldPassword(visit, oldPasswordFile);
    const body: PasswordChange = { old, new: await newPassword(visit, passwordFile) };
    await visit.desk.text({ method: 'POST', path: '/v1/operators/me/password', body });
  } else {
    const body: OperatorChange = { password: await newPassword(visit, passwordFile) };
    await visit.desk.text({ method: 'PATCH', path: pathOf`/v1/operators/${name}`, body });
  }
  await visit.print({ isChanged: true }, () => `the password${name === undefined ? '' : ` of ${name}`} is changed`);
};

export const removeOperator = async (name: string, options: ServiceOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  await visit.questions.confirm(`Remove operator ${name}?`);
  await visit.desk.text({ method: 'DELETE', path: pathOf`/v1/operators/${name}` });
  await visit.print({ name }, () => `operator ${name} is removed`);
};

/** The token is shown this once. */
export const addToken = async (name: string, options: TokenOptions, session: CliSession): Promise<void> => {
  const { role, expires } = options;
  const body: NewToken = {
    name,
    roles: [...role],
    ...(expires !== undefined && { expiresAt: parseTime(expires, '--expires', { isEnd: true }) }),
  };
  const visit = await visitDesk(session, options);
  const token = await visit.desk.ask(newTokenAnswer, { method: 'POST', path: '/v1/tokens', body });
  await visit.print(token, () =>
    columns([
      ['id', token.id],
      ['name', token.name],
      ['roles', token.roles.join(', ')],
      ['expires', token.expiresAt === null ? 'never' : localTime(token.expiresAt)],
      ['token', token.token],
    ]),
  );
  if (options.json !== true) visit.tell('the token is not shown again: keep it where only the program can read it');
};

export const listTokens = async (options: ServiceOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const answer = await visit.desk.ask(tokensAnswer, { path: '/v1/tokens' });
  await visit.print(answer, () =>
    answer.tokens.length === 0
      ? 'there are no tokens\n'
      : columns([
          ['ID', 'NAME', 'ROLES', 'MADE', 'EXPIRES'],
          ...answer.tokens.map(({ id, name, roles, createdAt, createdBy, expiresAt }) => [
            id,
            name,
            roles.join(', '),
            `${localTime(createdAt)} by ${createdBy}`,
            expiresAt === null ? 'never' : localTime(expiresAt),
          ]),
        ]),
  );
};

export const removeToken = async (id: string, options: ServiceOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  await visit.questions.confirm(`Remove token ${id}? Programs that have it are refused from then on.`);
  await visit.desk.text({ method: 'DELETE', path: pathOf`/v1/tokens/${id}` });
  await visit.print({ id }, () => `token ${id} is removed`);
};
