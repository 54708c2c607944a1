// What became of what was done.

import * as z from 'zod';
import type { Desk, OperationView } from '../desk/desk.ts';
import { findOperations } from '../desk/operation-search.ts';
import { operationQuery, operationsAnswer, operationsQuery, operationView } from './contract.ts';
import { canonicalId } from './employee-routes.ts';
import type { Listen } from './long-polls.ts';
import { viewOf } from './operation-answer.ts';
import { PROBLEMS, type RouteGroup } from './route-context.ts';

const tags = ['operations'];

export const operationRoutes: RouteGroup = (app, { desk, store, longPolls }) => {
  app.get(
    '/v1/operations',
    {
      config: { action: 'read-operations' },
      schema: {
        summary: 'Operations, the newest first',
        tags,
        querystring: operationsQuery,
        response: { 200: operationsAnswer, ...PROBLEMS },
      },
    },
    async ({ query: { cardholder, card, ...query } }) => {
      const found = await findOperations(
        {
          ...query,
          cardholder: cardholder === undefined ? undefined : canonicalId(cardholder),
          // A number that does not read is nobody's.
          card: card === undefined ? undefined : (desk.state.cardNumbered(card) ?? card),
        },
        { state: desk.state, store, stateOf: (id) => desk.stateOf(id) },
      );
      const operations: OperationView[] = [];
      for (const id of found.ids) operations.push(await viewOf(id, desk));
      return { operations, next: found.next };
    },
  );

  app.get(
    '/v1/operations/:id',
    {
      config: { action: 'read-operations' },
      schema: {
        summary: 'An operation, and what is proven of it, gateway by gateway and door by door',
        tags,
        params: z.object({ id: z.string().regex(/^op-[1-9]\d{0,8}$/, { error: 'must be an id such as op-17' }) }),
        querystring: operationQuery,
        response: { 200: operationView, ...PROBLEMS },
      },
    },
    async ({ params: { id }, query: { wait = 0 } }, reply) => {
      const view = await viewOf(id, desk);
      if (wait === 0 || isSettled(view)) return view;
      await longPolls.first(wait, reply.raw, settling(id, desk));
      return viewOf(id, desk);
    },
  );
};

const isSettled = ({ proof: { state } }: { readonly proof: Pick<OperationView['proof'], 'state'> }): boolean =>
  state === 'confirmed' || state === 'refused';

const settling =
  (id: string, desk: Desk): Listen<true> =>
  (give) => {
    const look = (): void => {
      if (isSettled({ proof: { state: desk.stateOf(id) } })) give(true);
    };
    const stop = desk.onOperationChange((changed) => {
      if (changed === id) look();
    });
    look();
    return stop;
  };
