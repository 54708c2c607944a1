// What whoever sits at the terminal is asked. Commands know this interface alone, so that tests answer in a person's place.

import { CardeaError, errorMessage } from '../errors.ts';
import { plain } from './terminal.ts';

export interface Choice<Value> {
  readonly value: Value;
  readonly text: string;
}

/** Finds what fits the text typed so far; `signal` is aborted when more was typed. */
export type ChoiceSource<Value> = (text: string, signal: AbortSignal) => Promise<readonly Choice<Value>[]>;

/** Each rejects with CardeaError `cancelled` when the person ends the command instead. */
export interface Prompts {
  /** `check` says what is wrong with a text; undefined where nothing is. */
  text(
    message: string,
    options?: { readonly initial?: string; readonly check?: (text: string) => string | undefined },
  ): Promise<string>;
  /** Nothing of it is shown. */
  secret(message: string): Promise<string>;
  confirm(message: string): Promise<boolean>;
  choose<Value>(message: string, choices: readonly Choice<Value>[]): Promise<Value>;
  search<Value>(message: string, source: ChoiceSource<Value>): Promise<Value>;
}

/** Streams to ask on, where they are not those of this process. */
export interface PromptStreams {
  readonly input?: NodeJS.ReadableStream;
  readonly output?: NodeJS.WritableStream;
}

/** Prompts of the terminal. Each kind is loaded when it is first needed; what is shown is freed of control characters. */
export const terminalPrompts = (streams: PromptStreams = {}): Prompts => ({
  text: (message, { initial, check } = {}) =>
    answered(async () => {
      const { default: input } = await import('@inquirer/input');
      const validate = (text: string): string | true => check?.(text.trim()) ?? true;
      return input({ message: plain(message), validate, ...(initial !== undefined && { default: initial }) }, streams);
    }).then((text) => text.trim()),
  secret: (message) =>
    answered(async () => {
      const { default: password } = await import('@inquirer/password');
      return password({ message: plain(message) }, streams);
    }),
  confirm: (message) =>
    answered(async () => {
      const { default: confirm } = await import('@inquirer/confirm');
      return confirm({ message: plain(message), default: false }, streams);
    }),
  choose: (message, choices) =>
    answered(async () => {
      const { default: select } = await import('@inquirer/select');
      return select({ message: plain(message), choices: choices.map(toChoice) }, streams);
    }),
  search: (message, source) =>
    answered(async () => {
      const { default: search } = await import('@inquirer/search');
      return search({ message: plain(message), source: shownSource(source) }, streams);
    }),
});

/** What goes wrong is shown in the prompt. */
const shownSource =
  <Value>(source: ChoiceSource<Value>) =>
  async (text: string | undefined, { signal }: { readonly signal: AbortSignal }) => {
    try {
      return (await source(text ?? '', signal)).map(toChoice);
    } catch (error) {
      throw new Error(plain(errorMessage(error)), { cause: error });
    }
  };

const toChoice = <Value>({ value, text }: Choice<Value>) => ({ value, name: plain(text) });

/** Ctrl-C, and a terminal that is gone. */
const ENDINGS: readonly string[] = ['ExitPromptError', 'AbortPromptError'];

const answered = async <Value>(ask: () => Promise<Value>): Promise<Value> => {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof Error) || !ENDINGS.includes(error.name)) throw error;
    throw new CardeaError('cancelled', 'ended before it was done', { cause: error });
  }
};
