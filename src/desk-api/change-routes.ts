// What operators and programs do with cards. Each of them with `?preview=true` only tells what it would do.

import * as z from 'zod';
import type { CardPreview } from '../desk/card-preview.ts';
import type { Actor, Named } from '../desk/card-requests.ts';
import type { Desk } from '../desk/desk.ts';
import type { Operation } from '../desk/records.ts';
import type { Outcome } from '../desk/refusal.ts';
import {
  bindingRequest,
  changeQuery,
  lossRequest,
  operationView,
  previewAnswer,
  reinstatementRequest,
  replacementRequest,
  revocationRequest,
} from './contract.ts';
import { operationAnswer, type StatusReply } from './operation-answer.ts';
import { resultOf } from './problems.ts';
import { actorOf, type IdentifiedRequest, namedHeaders, PROBLEMS, type RouteGroup } from './route-context.ts';

export const changeRoutes: RouteGroup = (app, { desk }) => {
  const { cards } = desk;

  app.post(
    '/v1/replacements',
    {
      config: { action: 'replace-card' },
      schema: changeSchema(
        'A new card for an old one: the old one stops and the new one starts in the same instant',
        replacementRequest,
      ),
    },
    (request, reply) =>
      answer(request, reply, {
        desk,
        preview: (actor) => cards.previewReplacement(request.body, actor),
        carryOut: (named, actor) => cards.replace({ ...request.body, ...named }, actor),
      }),
  );

  app.post(
    '/v1/bindings',
    {
      config: { action: 'bind-card' },
      schema: changeSchema(
        'A first card, one more, a temporary one, or other rights for a card that the person has',
        bindingRequest,
      ),
    },
    (request, reply) =>
      answer(request, reply, {
        desk,
        preview: (actor) => cards.previewBinding(request.body, actor),
        carryOut: (named, actor) => cards.bind({ ...request.body, ...named }, actor),
      }),
  );

  app.post(
    '/v1/loss-reports',
    {
      config: { action: 'report-loss' },
      schema: changeSchema('A card is lost or stolen: it stops at once, and may come back', lossRequest),
    },
    (request, reply) =>
      answer(request, reply, {
        desk,
        preview: (actor) => cards.previewLossReport(request.body, actor),
        carryOut: (named, actor) => cards.reportLoss({ ...request.body, ...named }, actor),
      }),
  );

  app.post(
    '/v1/reinstatements',
    {
      config: { action: 'reinstate-card' },
      schema: changeSchema('A card that was reported lost is found, and works again', reinstatementRequest),
    },
    (request, reply) =>
      answer(request, reply, {
        desk,
        preview: (actor) => cards.previewReinstatement(request.body, actor),
        carryOut: (named, actor) => cards.reinstate({ ...request.body, ...named }, actor),
      }),
  );

  app.post(
    '/v1/revocations',
    {
      config: { action: 'revoke-card' },
      schema: changeSchema('A card stops for good, whether the desk knows it or not', revocationRequest),
    },
    (request, reply) =>
      answer(request, reply, {
        desk,
        preview: (actor) => cards.previewRevocation(request.body, actor),
        carryOut: (named, actor) => cards.revoke({ ...request.body, ...named }, actor),
      }),
  );
};

const changeSchema = <Body extends z.ZodType>(summary: string, body: Body) => ({
  summary,
  tags: ['changes'],
  headers: namedHeaders,
  querystring: changeQuery,
  body,
  response: {
    201: operationView,
    200: z.union([operationView, previewAnswer]).describe('What was done before, or would be done.'),
    ...PROBLEMS,
  },
});

interface ChangeRequest extends IdentifiedRequest {
  readonly query: z.output<typeof changeQuery>;
  readonly headers: z.output<typeof namedHeaders>;
}

interface Change {
  readonly desk: Desk;
  readonly preview: (actor: Actor) => Promise<Outcome<CardPreview>>;
  readonly carryOut: (named: Pick<Named, 'requestId'>, actor: Actor) => Promise<Outcome<Operation>>;
}

const answer = async (request: ChangeRequest, reply: StatusReply, { desk, preview, carryOut }: Change) => {
  const actor = actorOf(request);
  if (request.query.preview === true) {
    reply.code(200);
    return { preview: resultOf(await preview(actor)) };
  }
  return operationAnswer(await carryOut({ requestId: request.headers['idempotency-key'] }, actor), reply, desk);
};
