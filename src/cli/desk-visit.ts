// What every command of the desk service works with: the service, whoever may be asked, and where the answer goes.

import { promises } from 'node:fs';
import { CardeaError, errorMessage } from '../errors.ts';
import { DeskClient, parseDeskUrl, SIGN_IN } from './desk-client.ts';
import { DEFAULT_DESK_URL, type ServiceOptions } from './desk-options.ts';
import { type DeskSession, readSession } from './desk-session-file.ts';
import type { Prompts } from './prompts.ts';
import type { CliSession } from './session.ts';
import { plain, plainLines } from './terminal.ts';

export class DeskVisit {
  readonly session: CliSession;
  readonly desk: DeskClient;
  readonly options: ServiceOptions;
  readonly questions: Questions;

  constructor(session: CliSession, desk: DeskClient, options: ServiceOptions) {
    this.session = session;
    this.desk = desk;
    this.options = options;
    this.questions = new Questions(session, options);
  }

  /** The answer of the command: JSON where programs read it, text otherwise. */
  print(value: object, text: () => string): Promise<void> {
    if (this.options.json === true) return this.session.printJson(value);
    return this.session.print(`${plainLines(text()).trimEnd()}\n`);
  }

  /** Beside the answer, which may be read by a program. */
  tell(line: string): void {
    this.session.terminal.writeError(`${plain(line)}\n`);
  }
}

/** Rejects with CardeaError `invalid-request` or `key-unusable` for an address or a token that cannot be used. */
export const visitDesk = async (session: CliSession, options: ServiceOptions): Promise<DeskVisit> => {
  const saved = await readSession(session.environment.env);
  const url = deskUrl(session, options, saved);
  const token = await tokenFor(url, { session, options, saved });
  const visit = new DeskVisit(session, new DeskClient({ url, token }), options);
  // Before anybody answers questions in vain.
  if (token === undefined && visit.questions.arePossible) throw new CardeaError('desk-refused', SIGN_IN);
  return visit;
};

/** The first of what is named, what the environment has, and where somebody has signed in. */
export const deskUrl = (
  session: CliSession,
  { url }: { readonly url?: string | undefined },
  saved: DeskSession | undefined,
): URL => parseDeskUrl(url ?? (session.environment.env['CARDEA_DESK_URL'] || saved?.url || DEFAULT_DESK_URL));

const tokenFor = async (
  url: URL,
  {
    session,
    options,
    saved,
  }: { readonly session: CliSession; readonly options: ServiceOptions; readonly saved: DeskSession | undefined },
): Promise<string | undefined> => {
  if (options.tokenFile !== undefined)
    return usableToken((await readSecret(session, options.tokenFile, 'the token')).trim(), options.tokenFile);
  const fromEnvironment = session.environment.env['CARDEA_DESK_TOKEN'];
  if (fromEnvironment) return usableToken(fromEnvironment, '$CARDEA_DESK_TOKEN');
  // A session is worth something at its own desk alone, and is nobody else's business.
  return saved?.url === url.href ? saved.token : undefined;
};

/** The first line of a file, or of standard input for `-`. Rejects with CardeaError `key-unusable`. */
export const readSecret = async (session: CliSession, file: string, what: string): Promise<string> => {
  const text = await readText(session, file, what);
  const [line = ''] = text.split(/\r?\n/, 1);
  return line;
};

const readText = async ({ environment }: CliSession, file: string, what: string): Promise<string> => {
  if (file === '-') return new TextDecoder().decode(await environment.readInput());
  try {
    return await promises.readFile(file, 'utf8');
  } catch (error) {
    throw new CardeaError('key-unusable', `${what} cannot be read: ${errorMessage(error)}`, { cause: error });
  }
};

const usableToken = (token: string, place: string): string => {
  if (/^[\x21-\x7e]{1,1024}$/.test(token)) return token;
  throw new CardeaError('key-unusable', `what stands in ${place} is no token`);
};

/** Questions to whoever sits at the terminal, for what the command line has left out. */
export class Questions {
  readonly #session: CliSession;
  readonly #options: ServiceOptions;

  constructor(session: CliSession, options: ServiceOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** Somebody is there, and does not read JSON. */
  get arePossible(): boolean {
    return this.#session.terminal.canAsk && this.#options.json !== true;
  }

  /** What was given, or is answered. Rejects with CardeaError `invalid-request` that names `option`, where nobody can be asked. */
  async orAsk<Value>(
    given: Value | undefined,
    option: string,
    ask: (prompts: Prompts) => Promise<Value>,
  ): Promise<Value> {
    if (given !== undefined) return given;
    if (this.arePossible) return await ask(await this.#session.environment.prompts());
    throw new CardeaError('invalid-request', `${option} is missing, and nobody can be asked here`);
  }

  /** Rejects with CardeaError `cancelled` when the answer is no. Where nobody can be asked, the command line has said it all. */
  async confirm(message: string): Promise<void> {
    if (this.#options.yes === true || !this.arePossible) return;
    const prompts = await this.#session.environment.prompts();
    if (!(await prompts.confirm(message))) throw new CardeaError('cancelled', 'nothing was done');
  }
}
