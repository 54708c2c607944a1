// Tokens of programs.

import * as z from 'zod';
import type { TokenRecord } from '../desk/records.ts';
import { newToken, newTokenAnswer, tokensAnswer } from './contract.ts';
import { resultOf } from './problems.ts';
import { actorOf, nothing, PROBLEMS, type RouteGroup } from './route-context.ts';

const tags = ['tokens'];

export const tokenRoutes: RouteGroup = (app, { accounts: { tokens } }) => {
  app.get(
    '/v1/tokens',
    {
      config: { action: 'read-operators' },
      schema: { summary: 'All tokens of programs', tags, response: { 200: tokensAnswer, ...PROBLEMS } },
    },
    async () => ({ tokens: tokens.list().map(shown) }),
  );

  app.post(
    '/v1/tokens',
    {
      config: { action: 'change-tokens' },
      schema: {
        summary: 'Makes a token for a program; the token itself is told this once',
        tags,
        body: newToken,
        response: { 201: newTokenAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { record, token } = resultOf(await tokens.add(request.body, actorOf(request)));
      reply.code(201);
      return { ...shown(record), token };
    },
  );

  app.delete(
    '/v1/tokens/:id',
    {
      config: { action: 'change-tokens' },
      schema: {
        summary: 'Removes a token: the program that has it can do nothing any more',
        tags,
        params: z.object({ id: z.string().min(1) }),
        response: { 204: nothing, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      resultOf(await tokens.remove(request.params.id, actorOf(request)));
      reply.code(204);
    },
  );
};

const shown = ({ id, name, roles, createdAt, createdBy, expiresAt }: TokenRecord) => ({
  ...{ id, name, createdAt, createdBy, expiresAt: expiresAt ?? null },
  roles: [...roles],
});
