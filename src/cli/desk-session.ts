// `cardea desk login` and `logout`.

import { sessionAnswer } from '../desk-api/contract.ts';
import { DeskClient, refusalCodeOf } from './desk-client.ts';
import type { ServiceOptions } from './desk-options.ts';
import { readSession, removeSession, sessionPath, writeSession } from './desk-session-file.ts';
import { DeskVisit, deskUrl, readSecret } from './desk-visit.ts';
import { localTime } from './local-times.ts';
import type { CliSession } from './session.ts';

export interface LoginOptions extends ServiceOptions {
  readonly passwordFile?: string;
}

/** Keeps the session in the file that other commands look into. */
export const login = async (named: string | undefined, options: LoginOptions, session: CliSession): Promise<void> => {
  const { env } = session.environment;
  const url = deskUrl(session, options, await readSession(env));
  const visit = new DeskVisit(session, new DeskClient({ url, token: undefined }), options);
  const { desk, questions } = visit;
  const name = await questions.orAsk(named, 'NAME', (prompts) =>
    prompts.text('Name:', { initial: session.environment.operator() }),
  );
  const given = options.passwordFile;
  const password = await questions.orAsk(
    given === undefined ? undefined : await readSecret(session, given, 'the password'),
    '--password-file',
    (prompts) => prompts.secret('Password:'),
  );
  const { token, roles, expiresAt, ...answer } = await desk.ask(sessionAnswer, {
    method: 'POST',
    path: '/v1/sessions',
    body: { name, password },
  });
  await writeSession(env, { url: url.href, name: answer.name, token, roles, expiresAt });
  const file = sessionPath(env);
  await visit.print(
    { url: url.href, name: answer.name, roles, expiresAt, file },
    () => `${answer.name} (${roles.join(', ')}) is signed in at ${desk.url} until ${localTime(expiresAt)}`,
  );
};

/** The file goes first: whatever the desk says, nobody is signed in here any more. */
export const logout = async (options: ServiceOptions, session: CliSession): Promise<void> => {
  const { env } = session.environment;
  const saved = await readSession(env);
  await removeSession(env);
  if (saved === undefined) {
    await session.print('nobody was signed in here\n');
    return;
  }
  const url = deskUrl(session, { url: saved.url }, undefined);
  const visit = new DeskVisit(session, new DeskClient({ url, token: saved.token }), options);
  await visit.desk.text({ method: 'DELETE', path: '/v1/sessions/current' }).catch((error: unknown) => {
    // It was over already.
    if (refusalCodeOf(error) === 'not-signed-in') return;
    visit.tell(`the session is forgotten here; the desk, which was not told, ends it at ${localTime(saved.expiresAt)}`);
    throw error;
  });
  await visit.print({ url: saved.url, name: saved.name }, () => `${saved.name} is signed out of ${saved.url}`);
};
