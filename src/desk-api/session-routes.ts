// Signing in and out.

import { sessionAnswer, sessionRequest } from './contract.ts';
import { resultOf } from './problems.ts';
import { knownIdentity, nothing, PROBLEMS, type RouteGroup } from './route-context.ts';

const tags = ['sessions'];

export const sessionRoutes: RouteGroup = (app, { accounts: { signIn } }) => {
  app.post(
    '/v1/sessions',
    {
      config: { action: 'anyone' },
      schema: {
        summary: 'Signs in',
        tags,
        body: sessionRequest,
        response: { 201: sessionAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { name, password } = request.body;
      const session = resultOf(await signIn.signIn(name, password));
      reply.code(201);
      return { ...session, roles: [...session.roles] };
    },
  );
  app.delete(
    '/v1/sessions/current',
    {
      config: { action: 'signed-in' },
      schema: { summary: 'Signs out', tags, response: { 204: nothing, ...PROBLEMS } },
    },
    async (request, reply) => {
      resultOf(await signIn.signOut(knownIdentity(request)));
      reply.code(204);
    },
  );
};
