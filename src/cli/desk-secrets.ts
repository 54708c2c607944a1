// Passwords and codes: from a file, from standard input, or typed where nobody sees them. Never from the command line, which other
// people on the machine can read.

import { join } from 'node:path';
import type { DeskConfig } from '../config/desk-config.ts';
import { CardeaError } from '../errors.ts';
import { type DeskVisit, readSecret } from './desk-visit.ts';

/** How often somebody may mistype. */
const TRIES = 3;

/** A new one, typed twice. Rejects with CardeaError `invalid-request`. */
export const newPassword = async ({ session, questions }: DeskVisit, file: string | undefined): Promise<string> => {
  if (file !== undefined) return await readSecret(session, file, 'the password');
  return await questions.orAsk(undefined, '--password-file', async (prompts) => {
    for (let tries = 0; tries < TRIES; tries += 1) {
      const password = await prompts.secret('New password (12 characters or more):');
      if (password === (await prompts.secret('The same again:'))) return password;
      session.terminal.writeError('the two are not the same\n');
    }
    throw new CardeaError('invalid-request', 'the two were never the same; nothing was changed');
  });
};

export const oldPassword = async ({ session, questions }: DeskVisit, file: string | undefined): Promise<string> => {
  if (file !== undefined) return await readSecret(session, file, 'the password');
  return await questions.orAsk(undefined, '--old-password-file', (prompts) => prompts.secret('Old password:'));
};

export interface SetupOptions {
  readonly setupCodeFile?: string;
  readonly dataDir?: string;
  readonly config?: string;
}

/** In the data directory of a desk that has no admin. */
const SETUP_CODE = 'setup-code';

/** The file with the code that makes the first admin; undefined where the command line names none. */
export const setupCodeFile = async ({
  setupCodeFile: named,
  dataDir,
  config,
}: SetupOptions): Promise<string | undefined> => {
  if (named !== undefined) return named;
  if (dataDir !== undefined) return join(dataDir, SETUP_CODE);
  if (config === undefined) return undefined;
  return join((await configOf(config)).dataDir, SETUP_CODE);
};

const EVERY_ADDRESS = ['0.0.0.0', '::'];

/** Where the desk of the configuration answers; undefined where the command line names none. Rejects with CardeaError `invalid-request`. */
export const setupUrl = async ({ config }: SetupOptions): Promise<string | undefined> => {
  if (config === undefined) return undefined;
  const { host, port, tls } = (await configOf(config)).http;
  if (port === 0) {
    throw new CardeaError('invalid-request', `${config} lets the desk take any free port: name it with --url`);
  }
  const named = EVERY_ADDRESS.includes(host) ? 'localhost' : host;
  return `${tls === undefined ? 'http' : 'https'}://${named.includes(':') ? `[${named}]` : named}:${port}`;
};

const configOf = async (path: string): Promise<DeskConfig> => {
  const { loadDeskConfig } = await import('../config/load-desk.ts');
  return loadDeskConfig(path).config;
};
