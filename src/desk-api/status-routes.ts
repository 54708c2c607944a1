// How the desk is, and what its API offers.

import * as z from 'zod';
import type { Desk } from '../desk/desk.ts';
import type { GatewayRecord } from '../desk/records.ts';
import { VERSION } from '../version.ts';
import { healthAnswer, statusAnswer } from './contract.ts';
import { PROBLEMS, type RouteContext, type RouteGroup } from './route-context.ts';

export const statusRoutes: RouteGroup = (app, context) => {
  const { desk } = context;
  app.get(
    '/healthz',
    {
      config: { action: 'anyone' },
      schema: { summary: 'Whether the desk works', tags: ['desk'], response: { 200: healthAnswer, ...PROBLEMS } },
    },
    async () => {
      desk.writer.requireSound();
      return { status: 'ok' as const };
    },
  );
  app.get(
    '/v1/openapi.json',
    {
      config: { action: 'anyone' },
      schema: {
        summary: 'This description',
        tags: ['desk'],
        response: { 200: z.record(z.string(), z.unknown()).describe('An OpenAPI document.'), ...PROBLEMS },
      },
    },
    async () => ({ ...app.swagger() }),
  );
  app.get(
    '/v1/status',
    {
      config: { action: 'signed-in' },
      schema: {
        summary: 'How the desk and its gateways are',
        tags: ['desk'],
        response: { 200: statusAnswer, ...PROBLEMS },
      },
    },
    async () => statusOf(context),
  );
};

const statusOf = ({ desk, clock, isConnected }: RouteContext) => {
  const { state, unsent } = desk;
  const open = [...state.open.values()].filter(({ confirmedAt }) => confirmedAt === undefined);
  const now = clock.now();
  return {
    site: state.site,
    version: VERSION,
    isConnected: isConnected(),
    unsent,
    employees: state.people.size,
    cards: state.roster.size,
    revision: state.roster.revision,
    epoch: state.roster.epoch,
    openOperations: open.length,
    overdueOperations: open.filter(({ deadline }) => Date.parse(deadline) <= now).length,
    gateways: gatewaysOf(desk).map(({ gateway, isOnline, isVerified, lastSeen, doors, isCurrent }) => ({
      ...{ gateway, isOnline, isVerified, lastSeen, isCurrent },
      doors: [...doors],
    })),
  };
};

/** By name; `isCurrent` is whether a gateway's roster is equal to the desk's. */
export const gatewaysOf = ({ state }: Desk): readonly (GatewayRecord & { readonly isCurrent: boolean })[] => {
  const { revision } = state.roster;
  return [...state.gateways.values()]
    .sort((a, b) => (a.gateway < b.gateway ? -1 : 1))
    .map((gateway) => {
      const { roster } = gateway;
      const isCurrent =
        roster !== undefined && roster.revision === revision && state.digests.isEqual(revision, roster.digest);
      return { ...gateway, isCurrent };
    });
};
