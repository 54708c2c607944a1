// What happened to a person, and to a card.

import * as z from 'zod';
import type { Desk, OperationView } from '../desk/desk.ts';
import { historyOfCard, historyOfPerson } from '../desk/history.ts';
import { cardHistory, employeeHistory, historyQuery } from './contract.ts';
import { viewOf } from './operation-answer.ts';
import { found } from './problems.ts';
import { PROBLEMS, type RouteGroup } from './route-context.ts';

export const historyRoutes: RouteGroup = (app, { desk, store }) => {
  const { state, usage } = desk;

  app.get(
    '/v1/employees/:id/history',
    {
      config: { action: 'read-operations' },
      schema: {
        summary: 'What was done about a person, the newest first; with what the audit log says of it',
        tags: ['employees'],
        params: z.object({ id: z.string().min(1) }),
        querystring: historyQuery,
        response: { 200: employeeHistory, ...PROBLEMS },
      },
    },
    async ({ params: { id }, query }) => {
      const history = await historyOfPerson(id, { store, state }, query);
      const { ids, next, audit } = found(history, 'unknown-employee', `a person with the id ${id}`);
      return { operations: await viewsOf(ids, desk), next, audit: [...audit] };
    },
  );

  app.get(
    '/v1/cards/:number/history',
    {
      config: { action: 'read-operations' },
      schema: {
        summary: 'What was done with a card, the newest first, and where it was seen last',
        tags: ['cards'],
        params: z.object({ number: z.string().min(1) }),
        querystring: historyQuery,
        response: { 200: cardHistory, ...PROBLEMS },
      },
    },
    async ({ params: { number }, query }) => {
      const history = await historyOfCard(number, { store, state, usage }, query);
      const { ids, next, taps } = found(history, 'unknown-card', `a card ${number}`);
      return { operations: await viewsOf(ids, desk), next, taps: [...taps] };
    },
  );
};

const viewsOf = async (ids: readonly string[], desk: Desk): Promise<OperationView[]> => {
  const views: OperationView[] = [];
  for (const id of ids) views.push(await viewOf(id, desk));
  return views;
};
