// Gateways and what they see: which there are, cards that are held to their readers, and all doors locked down.

import * as z from 'zod';
import type { Desk } from '../desk/desk.ts';
import { forgetGateway } from '../desk/forget-gateway.ts';
import { type Instant, instant, seconds } from '../domain/units.ts';
import { gatewaysAnswer, lockdownAnswer, lockdownRequest, presentationAnswer, presentationQuery } from './contract.ts';
import type { Listen } from './long-polls.ts';
import { RefusedRequest, resultOf } from './problems.ts';
import { actorOf, nothing, PROBLEMS, type RouteGroup } from './route-context.ts';
import { gatewaysOf } from './status-routes.ts';

/** The gateway's clock may be so far behind; what is older was held to the reader before anybody waited. */
const CLOCK_TOLERANCE = seconds(5);

const tags = ['gateways'];

export const gatewayRoutes: RouteGroup = (app, { desk, lockdowns, clock, longPolls }) => {
  app.get(
    '/v1/gateways',
    {
      config: { action: 'read-gateways' },
      schema: { summary: 'The gateways that the desk knows', tags, response: { 200: gatewaysAnswer, ...PROBLEMS } },
    },
    async () => ({ gateways: [...gatewaysOf(desk)] }),
  );

  app.delete(
    '/v1/gateways/:id',
    {
      config: { action: 'forget-gateway' },
      schema: {
        summary: 'Forgets a gateway that is not there any more',
        tags,
        params: z.object({ id: z.string().min(1) }),
        response: { 204: nothing, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { state, writer, audit } = desk;
      const forget: Desk['forgetGateway'] = (gateway, puts) => desk.forgetGateway(gateway, puts);
      resultOf(await forgetGateway(request.params.id, actorOf(request), { state, writer, audit, clock, forget }));
      reply.code(204);
    },
  );

  app.get(
    '/v1/presentations',
    {
      config: { action: 'read-presentations' },
      schema: {
        summary: 'The next card that is held to an enrolment reader',
        tags,
        querystring: presentationQuery,
        response: { 200: presentationAnswer, ...PROBLEMS },
      },
    },
    async ({ query: { gateway, reader, wait } }, reply) => {
      const since = instant(clock.now() - CLOCK_TOLERANCE);
      const presented = await longPolls.first(wait, reply.raw, presenting(desk, { gateway, reader, since }));
      if (presented !== undefined) return presented;
      const detail = `no card was held to reader ${reader} of gateway ${gateway} within ${wait} seconds`;
      throw new RefusedRequest({ code: 'no-answer', detail }, 404);
    },
  );

  app.post(
    '/v1/lockdowns',
    {
      config: { action: 'lockdown' },
      schema: {
        summary: 'Locks all doors of the site down, or ends that; answers with what the gateways say',
        tags,
        body: lockdownRequest,
        response: { 201: lockdownAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { end, ...order } = request.body;
      const answer = resultOf(await lockdowns.order({ ...order, isEnd: end }, actorOf(request)));
      reply.code(201);
      return answer;
    },
  );
};

interface Awaited {
  readonly gateway: string;
  readonly reader: string;
  readonly since: Instant;
}

const presenting =
  (desk: Desk, { gateway, reader, since }: Awaited): Listen<z.output<typeof presentationAnswer>> =>
  (give) =>
    desk.onEvents((events) => {
      for (const { card, time, isTimeKnown, ...event } of events) {
        if (event.event !== 'card-presented' || event.gateway !== gateway || event.reader !== reader) continue;
        // What a gateway tells after it was away is older, too, where it does not know the time.
        if (card !== null && isTimeKnown && Date.parse(time) >= since) give({ card, gateway, reader, time });
      }
    });
