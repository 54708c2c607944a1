// A person who answers what commands ask, in order; what is asked beyond that fails the test.

import type { Choice, ChoiceSource, Prompts } from '../../src/cli/prompts.ts';
import { CardeaError } from '../../src/errors.ts';

/** Ctrl-C. */
export const ENDS = Symbol('ends');
export type PromptAnswer = string | boolean | typeof ENDS;

export class AnsweringPrompts implements Prompts {
  /** Each question, and what was offered. */
  readonly asked: string[] = [];
  readonly #answers: PromptAnswer[];

  constructor(answers: readonly PromptAnswer[]) {
    this.#answers = [...answers];
  }

  get unused(): number {
    return this.#answers.length;
  }

  async text(
    message: string,
    { check }: { readonly check?: (text: string) => string | undefined } = {},
  ): Promise<string> {
    const answer = String(this.#next(message));
    const complaint = check?.(answer);
    if (complaint !== undefined) throw new Error(`${message} ${answer}: ${complaint}`);
    return answer;
  }

  async secret(message: string): Promise<string> {
    return String(this.#next(message));
  }

  async confirm(message: string): Promise<boolean> {
    return this.#next(message) === true;
  }

  /** The one whose text has the answer in it. */
  async choose<Value>(message: string, choices: readonly Choice<Value>[]): Promise<Value> {
    const answer = String(this.#next(`${message} ${choices.map(({ text }) => text).join(' | ')}`));
    const chosen = choices.find(({ text }) => text.includes(answer));
    if (chosen === undefined) throw new Error(`${message} ${answer} is not offered`);
    return chosen.value;
  }

  /** Types the answer, and takes the first that is found. */
  async search<Value>(message: string, source: ChoiceSource<Value>): Promise<Value> {
    const answer = String(this.#next(message));
    const [first] = await source(answer, new AbortController().signal);
    if (first === undefined) throw new Error(`${message} ${answer} finds nothing`);
    this.asked.push(first.text);
    return first.value;
  }

  #next(message: string): PromptAnswer {
    this.asked.push(message);
    const answer = this.#answers.shift();
    if (answer === ENDS) throw new CardeaError('cancelled', 'ended before it was done');
    if (answer === undefined) throw new Error(`nobody expected the question: ${message}`);
    return answer;
  }
}
