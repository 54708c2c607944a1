// `cardea desk employee`: the people of the site, one at a time.

import {
  type EmployeeAnswer,
  type EmployeeChange,
  type EmployeeWithCards,
  employeeAnswer,
  employeeHistory,
  type NewEmployee,
} from '../desk-api/contract.ts';
import { CardeaError } from '../errors.ts';
import { columns } from './columns.ts';
import { auditText } from './desk-audit.ts';
import { pathOf } from './desk-client.ts';
import { type AccessOptions, accessOf, notEmpty } from './desk-new-card.ts';
import { accessText, carryOut, type OperationOptions, personText } from './desk-operation.ts';
import { type PageOptions, pageOf, type ServiceOptions } from './desk-options.ts';
import { findPerson, searchPeople } from './desk-person.ts';
import { operationsText, validityFacts } from './desk-proof-text.ts';
import { visitDesk } from './desk-visit.ts';
import { localTime } from './local-times.ts';
import type { CliSession } from './session.ts';

export interface PersonOptions extends ServiceOptions, AccessOptions {
  readonly name?: string;
  readonly department?: string;
}

export interface FindOptions extends ServiceOptions {
  readonly status?: EmployeeAnswer['status'];
  readonly limit: number;
}

export const addEmployee = async (
  named: string | undefined,
  options: PersonOptions,
  session: CliSession,
): Promise<void> => {
  const access = accessOf(options);
  const visit = await visitDesk(session, options);
  const { questions } = visit;
  const id = await questions.orAsk(named, 'ID', (prompts) =>
    prompts.text("HR's id of the person:", { check: notEmpty('a person has an id') }),
  );
  const name = await questions.orAsk(options.name, '--name', (prompts) =>
    prompts.text('Name:', { check: notEmpty('a person has a name') }),
  );
  const isAsked = options.name === undefined;
  const department =
    options.department ??
    (isAsked ? await questions.orAsk(undefined, '--department', (prompts) => prompts.text('Department:')) : '');
  const body: NewEmployee = {
    id,
    name,
    ...(department !== '' && { department }),
    ...(access !== undefined && { access }),
  };
  const employee = await visit.desk.ask(employeeAnswer, { method: 'POST', path: '/v1/employees', body });
  await visit.print(employee, () => employeeText(employee));
};

export const showEmployee = async (
  named: string | undefined,
  options: ServiceOptions,
  session: CliSession,
): Promise<void> => {
  const visit = await visitDesk(session, options);
  const employee = await findPerson(visit, named);
  await visit.print(employee, () => `${employeeText(employee)}\n${cardsText(employee.cards)}`);
};

const employeeText = ({ id, name, department, status, access, addedAt, changedAt }: EmployeeAnswer): string =>
  columns([
    ['person', personText({ id, name, department })],
    ['status', status],
    ['access', access.map(accessText).join('; ')],
    ['added', localTime(addedAt)],
    ...(changedAt === addedAt ? [] : [['changed', localTime(changedAt)]]),
  ]);

const cardsText = (cards: EmployeeWithCards['cards']): string =>
  cards.length === 0
    ? 'no card\n'
    : columns([
        ['CARD', 'STATE', 'KIND', 'BOUND', ''],
        ...cards.map((card) => [
          card.card,
          card.state === 'live' ? 'in use' : `stopped ${localTime(card.stoppedAt)}: ${card.reason}`,
          card.kind,
          localTime(card.boundAt),
          validityFacts(card)
            .map(([what = '', value = '']) => `${what} ${value}`)
            .join(', '),
        ]),
      ]);

/** Ends with `no` when nobody is found. */
export const findEmployees = async (
  words: readonly string[],
  options: FindOptions,
  session: CliSession,
): Promise<void> => {
  const visit = await visitDesk(session, options);
  const employees = await searchPeople(visit.desk, words.join(' '), options);
  session.conclude(employees.length > 0);
  await visit.print({ employees }, () =>
    employees.length === 0
      ? 'nobody is found\n'
      : columns([
          ['ID', 'NAME', 'DEPARTMENT', 'STATUS', 'CARDS'],
          ...employees.map(({ id, name, department = '', status, cards }) => [
            id,
            name,
            department,
            status,
            cards.map(({ card }) => card).join(', '),
          ]),
        ]),
  );
  if (employees.length === options.limit) visit.tell(`there may be more: --limit ${options.limit} are shown`);
};

export const changeEmployee = async (
  named: string | undefined,
  options: PersonOptions,
  session: CliSession,
): Promise<void> => {
  const { name, department } = options;
  const access = accessOf(options);
  const body: EmployeeChange = {
    ...(name !== undefined && { name }),
    ...(department !== undefined && { department }),
    ...(access !== undefined && { access }),
  };
  if (Object.keys(body).length === 0) {
    throw new CardeaError('invalid-request', 'say what changes: --name, --department, --doors, --schedule or --level');
  }
  const visit = await visitDesk(session, options);
  const { id } = await findPerson(visit, named);
  const employee = await visit.desk.ask(employeeAnswer, { method: 'PATCH', path: pathOf`/v1/employees/${id}`, body });
  await visit.print(employee, () => employeeText(employee));
  if (access !== undefined) visit.tell('cards that are bound already keep what they open; a replacement takes it over');
};

/** All cards of the person stop. */
export const employeeLeaves = async (
  named: string | undefined,
  options: OperationOptions,
  session: CliSession,
): Promise<void> => {
  const visit = await visitDesk(session, options);
  const person = await findPerson(visit, named, 'active');
  const live = person.cards.filter(({ state }) => state === 'live').map(({ card }) => card);
  const order = {
    path: pathOf`/v1/employees/${person.id}/leave`,
    body: options.note === undefined ? {} : { note: options.note },
    question: `Has ${personText(person)} left?`,
    summary: columns([
      ['person', personText(person)],
      ['stops', live.length === 0 ? 'no card' : live.join(', ')],
    ]),
  };
  await carryOut(visit, order, options);
};

export const employeeReturns = async (
  named: string | undefined,
  options: ServiceOptions,
  session: CliSession,
): Promise<void> => {
  const visit = await visitDesk(session, options);
  const { id } = await findPerson(visit, named, 'left');
  const path = pathOf`/v1/employees/${id}/return`;
  const employee = await visit.desk.ask(employeeAnswer, { method: 'POST', path });
  await visit.print(employee, () => employeeText(employee));
  visit.tell('cards of before stay stopped: bind one with cardea desk card bind');
};

export const showEmployeeHistory = async (
  named: string | undefined,
  options: PageOptions,
  session: CliSession,
): Promise<void> => {
  const visit = await visitDesk(session, options);
  const { id } = await findPerson(visit, named);
  const history = await visit.desk.ask(employeeHistory, {
    path: pathOf`/v1/employees/${id}/history`,
    query: pageOf(options),
  });
  await visit.print(history, () => `${operationsText(history)}\n${auditText(history.audit)}`);
};
