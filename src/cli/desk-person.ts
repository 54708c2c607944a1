// Which person a command means: by id, or by what somebody types until there is one.

import { type EmployeeWithCards, employeesAnswer, employeeWithCards } from '../desk-api/contract.ts';
import { CardeaError } from '../errors.ts';
import { padTo, widthOf } from './columns.ts';
import { type DeskClient, pathOf, refusalCodeOf } from './desk-client.ts';
import type { DeskVisit } from './desk-visit.ts';
import { localTime } from './local-times.ts';
import type { Choice } from './prompts.ts';

type Status = EmployeeWithCards['status'];

export interface Search {
  readonly status?: Status | undefined;
  readonly limit: number;
  readonly signal?: AbortSignal;
}

/** As many are offered at a time. */
const OFFERED = 20;
/** As many are named in an error. */
const NAMED = 5;

export const searchPeople = async (
  desk: DeskClient,
  text: string,
  { status, limit, signal }: Search,
): Promise<readonly EmployeeWithCards[]> => {
  const query = { q: text, status, limit };
  return (await desk.ask(employeesAnswer, { path: '/v1/employees', query, ...(signal !== undefined && { signal }) }))
    .employees;
};

export const readPerson = (desk: DeskClient, id: string): Promise<EmployeeWithCards> =>
  desk.ask(employeeWithCards, { path: pathOf`/v1/employees/${id}` });

/**
 * The person with the id `text`; where somebody can be asked, also the one they choose among those whom `text` finds. Only people of
 * that status are offered. Rejects with CardeaError `desk-refused` when there is none, and names those who may have been meant.
 */
export const findPerson = async (
  visit: DeskVisit,
  text: string | undefined,
  status?: Status,
): Promise<EmployeeWithCards> => {
  const { desk, questions } = visit;
  const offer = async (typed: string, signal?: AbortSignal): Promise<readonly Choice<string>[]> =>
    choicesOf(await searchPeople(desk, typed, { status, limit: OFFERED, ...(signal !== undefined && { signal }) }));
  if (text === undefined) {
    // What the desk refuses is told at once, and not while somebody types.
    if (questions.arePossible) await offer('');
    const id = await questions.orAsk(undefined, 'PERSON', (prompts) =>
      prompts.search('Who? (name, id, department or card)', offer),
    );
    return await readPerson(desk, id);
  }
  try {
    return await readPerson(desk, text);
  } catch (error) {
    if (refusalCodeOf(error) !== 'unknown-employee') throw error;
    const found = await offer(text);
    if (found.length === 0) throw error;
    if (questions.arePossible) {
      const id = await questions.orAsk(undefined, 'PERSON', (prompts) => prompts.choose('Who is meant?', found));
      return await readPerson(desk, id);
    }
    const names = found.slice(0, NAMED).map((choice) => choice.text.trim().replaceAll(/ {2,}/g, ' '));
    throw new CardeaError(
      'desk-refused',
      `nobody has the id ${JSON.stringify(text)}; is it one of: ${names.join('; ')}?`,
    );
  }
};

/** Which card of one who has several; the desk knows it otherwise, and says so where nobody can be asked. */
export const chooseCard = async (
  { questions }: DeskVisit,
  { cards }: EmployeeWithCards,
  option: string,
): Promise<string | undefined> => {
  const live = cards.filter(({ state }) => state === 'live');
  if (live.length < 2 || !questions.arePossible) return undefined;
  return await questions.orAsk(undefined, option, (prompts) =>
    prompts.choose(
      'Which card?',
      live.map(({ card, kind, boundAt }) => ({ value: card, text: `${card}  ${kind}, since ${localTime(boundAt)}` })),
    ),
  );
};

const choicesOf = (people: readonly EmployeeWithCards[]): readonly Choice<string>[] => {
  const width = (text: (person: EmployeeWithCards) => string): number =>
    Math.max(0, ...people.map((one) => widthOf(text(one))));
  const idWidth = width(({ id }) => id);
  const nameWidth = width(({ name }) => name);
  return people.map(({ id, name, department = '', status }) => ({
    value: id,
    text: `${padTo(id, idWidth)}  ${padTo(name, nameWidth)}  ${department}${status === 'left' ? ' (left)' : ''}`.trimEnd(),
  }));
};
