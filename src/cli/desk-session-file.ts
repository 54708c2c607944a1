// The session of whoever has signed in at a desk, kept in a file that only they can read. It is a secret: whoever has it is them.

import { promises } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod';
import { CardeaError, errorMessage } from '../errors.ts';

const deskSession = z.object({
  url: z.string(),
  name: z.string(),
  token: z.string(),
  roles: z.array(z.string()),
  expiresAt: z.string(),
});
export type DeskSession = z.output<typeof deskSession>;

export type Environment = Readonly<Record<string, string | undefined>>;

/** `$XDG_CONFIG_HOME/cardea/desk-session.json`, and what is used where that is not set. */
export const sessionPath = (env: Environment): string => {
  const folder = env['XDG_CONFIG_HOME'] || join(env['HOME'] || homedir(), '.config');
  return join(folder, 'cardea', 'desk-session.json');
};

/** Undefined where nobody has signed in, and for a file that is none. */
export const readSession = async (env: Environment): Promise<DeskSession | undefined> => {
  try {
    return deskSession.safeParse(JSON.parse(await promises.readFile(sessionPath(env), 'utf8'))).data;
  } catch {
    return undefined;
  }
};

/** Rejects with CardeaError `key-unusable`. */
export const writeSession = async (env: Environment, session: DeskSession): Promise<void> => {
  const path = sessionPath(env);
  const partial = `${path}.part`;
  try {
    await promises.mkdir(dirname(path), { recursive: true, mode: 0o700 });
    // One that was left over may be open to others.
    await promises.rm(partial, { force: true });
    await promises.writeFile(partial, `${JSON.stringify(session)}\n`, { mode: 0o600, flag: 'wx' });
    await promises.rename(partial, path);
  } catch (error) {
    throw new CardeaError('key-unusable', `the session cannot be kept in ${path}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
};

export const removeSession = (env: Environment): Promise<void> => promises.rm(sessionPath(env), { force: true });
