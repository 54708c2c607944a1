// The accounts of operators.

import * as z from 'zod';
import { lockOf } from '../desk/password-check.ts';
import type { OperatorRecord } from '../desk/records.ts';
import type { Instant } from '../domain/units.ts';
import { newOperator, operatorAnswer, operatorChange, operatorsAnswer, passwordChange } from './contract.ts';
import { resultOf } from './problems.ts';
import { actorOf, nothing, PROBLEMS, type RouteGroup } from './route-context.ts';

const tags = ['operators'];
const params = z.object({ name: z.string().min(1) });

export const operatorRoutes: RouteGroup = (app, { accounts: { operators }, clock }) => {
  app.get(
    '/v1/operators',
    {
      config: { action: 'read-operators' },
      schema: { summary: 'All operators', tags, response: { 200: operatorsAnswer, ...PROBLEMS } },
    },
    async () => ({ operators: operators.list().map((record) => shown(record, clock.now())) }),
  );

  app.post(
    '/v1/operators',
    {
      config: { action: 'change-operators', isForSetup: true },
      schema: {
        summary: 'Adds an operator; the first admin is made with the setup code as bearer token',
        tags,
        body: newOperator,
        response: { 201: operatorAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const isSetup = request.identity?.kind === 'setup';
      const outcome = isSetup
        ? await operators.addFirst(request.body)
        : await operators.add(request.body, actorOf(request));
      reply.code(201);
      return shown(resultOf(outcome), clock.now());
    },
  );

  app.patch(
    '/v1/operators/:name',
    {
      config: { action: 'change-operators' },
      schema: {
        summary: "Changes an operator's roles or password, disables or enables the account; their sessions end",
        tags,
        params,
        body: operatorChange,
        response: { 200: operatorAnswer, ...PROBLEMS },
      },
    },
    async (request) =>
      shown(resultOf(await operators.change(request.params.name, request.body, actorOf(request))), clock.now()),
  );

  app.delete(
    '/v1/operators/:name',
    {
      config: { action: 'change-operators' },
      schema: { summary: 'Removes an operator', tags, params, response: { 204: nothing, ...PROBLEMS } },
    },
    async (request, reply) => {
      resultOf(await operators.remove(request.params.name, actorOf(request)));
      reply.code(204);
    },
  );

  app.post(
    '/v1/operators/me/password',
    {
      config: { action: 'signed-in' },
      schema: {
        summary: "Changes one's own password; all of one's sessions end",
        tags,
        body: passwordChange,
        response: { 204: nothing, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      resultOf(await operators.changeOwnPassword(request.body, actorOf(request)));
      reply.code(204);
    },
  );
};

const shown = (record: OperatorRecord, now: Instant) => {
  const { name, roles, addedAt, isDisabled } = record;
  return { name, roles: [...roles], addedAt, isDisabled, lockedUntil: lockOf(record, now) ?? null };
};
