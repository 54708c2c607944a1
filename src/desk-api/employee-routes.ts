// The list of people.

import * as z from 'zod';
import { findEmployees } from '../desk/employee-search.ts';
import type { DeskCard, Employee } from '../desk/records.ts';
import {
  employeeAnswer,
  employeeChange,
  employeesAnswer,
  employeesQuery,
  employeeWithCards,
  importAnswer,
  importRequest,
  leaveRequest,
  MOST_LIST_BYTES,
  newEmployee,
  operationView,
} from './contract.ts';
import { operationAnswer } from './operation-answer.ts';
import { found, resultOf } from './problems.ts';
import { actorOf, namedHeaders, PROBLEMS, type RouteGroup } from './route-context.ts';

const tags = ['employees'];
const params = z.object({ id: z.string().min(1) });

export const employeeRoutes: RouteGroup = (app, context) => {
  const { desk } = context;
  const { state, employees, cards } = desk;

  app.get(
    '/v1/employees',
    {
      config: { action: 'read-roster' },
      schema: {
        summary: 'Finds people',
        tags,
        querystring: employeesQuery,
        response: { 200: employeesAnswer, ...PROBLEMS },
      },
    },
    async ({ query: { q, status, limit } }) => {
      const people = findEmployees(q, state, { limit, status });
      return { employees: people.map((person) => withCards(person, state.liveCardsOf(person.id))) };
    },
  );

  app.post(
    '/v1/employees',
    {
      config: { action: 'add-employee' },
      schema: { summary: 'Adds a person', tags, body: newEmployee, response: { 201: employeeAnswer, ...PROBLEMS } },
    },
    async (request, reply) => {
      const employee = resultOf(await employees.add(request.body, actorOf(request)));
      reply.code(201).header('location', `/v1/employees/${encodeURIComponent(employee.id)}`);
      return employee;
    },
  );

  app.get(
    '/v1/employees/:id',
    {
      config: { action: 'read-roster' },
      schema: {
        summary: 'A person, with all cards that they ever had, the newest first',
        tags,
        params,
        response: { 200: employeeWithCards, ...PROBLEMS },
      },
    },
    async ({ params: { id } }) => {
      const person = found(state.people.find(canonicalId(id)), 'unknown-employee', `a person with the id ${id}`);
      return withCards(person, state.allCardsOf(person.id));
    },
  );

  app.patch(
    '/v1/employees/:id',
    {
      config: { action: 'change-employee' },
      schema: {
        summary: 'Changes a name, a department, or what the next card opens',
        tags,
        params,
        body: employeeChange,
        response: { 200: employeeAnswer, ...PROBLEMS },
      },
    },
    async (request) => resultOf(await employees.change(canonicalId(request.params.id), request.body, actorOf(request))),
  );

  app.post(
    '/v1/employees/:id/leave',
    {
      config: { action: 'employee-left' },
      schema: {
        summary: 'A person leaves: all cards stop',
        tags,
        params,
        headers: namedHeaders,
        body: leaveRequest.prefault({}),
        response: { 201: operationView, 200: operationView, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const cardholder = canonicalId(request.params.id);
      const order = { ...request.body, cardholder, requestId: request.headers['idempotency-key'] };
      return operationAnswer(await cards.leave(order, actorOf(request)), reply, desk);
    },
  );

  app.post(
    '/v1/employees/:id/return',
    {
      config: { action: 'return-employee' },
      schema: {
        summary: 'A person who had left is here again; cards of before stay stopped',
        tags,
        params,
        response: { 200: employeeAnswer, ...PROBLEMS },
      },
    },
    async (request) => resultOf(await employees.return(canonicalId(request.params.id), actorOf(request))),
  );

  app.post(
    '/v1/imports',
    {
      config: { action: 'import-employees' },
      bodyLimit: MOST_LIST_BYTES,
      schema: {
        summary: 'Adds whom the desk does not know and changes whom it does; nobody leaves by it',
        tags,
        body: importRequest,
        response: { 200: importAnswer, ...PROBLEMS },
      },
    },
    async (request) => resultOf(await employees.import(request.body.employees, actorOf(request))),
  );
};

const withCards = (person: Employee, cards: readonly DeskCard[]) => ({ ...person, cards: [...cards] });

/** As ids are kept. */
export const canonicalId = (id: string): string => id.trim().normalize('NFC');
