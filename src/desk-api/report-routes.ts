// Reports, and the list of people as a whole. Who has taken which of them is in the audit log.

import * as z from 'zod';
import { isFaulty } from '../desk/card-checks.ts';
import type { DeskAction } from '../desk/permissions.ts';
import { Reports } from '../desk/reports.ts';
import { exportedEmployees, rosterTable } from '../desk/roster-export.ts';
import { formatInstant } from '../domain/units.ts';
import { exportQuery, REPORTS, reportAnswer, reportQuery, rosterExport } from './contract.ts';
import { RefusedRequest } from './problems.ts';
import { eitherAs, jsonOf, sendTable } from './report-output.ts';
import { actorOf, type IdentifiedRequest, PROBLEMS, type RouteGroup } from './route-context.ts';

export const reportRoutes: RouteGroup = (app, { desk, store, clock }) => {
  const { state, usage, writer, audit } = desk;
  const reports = new Reports({ store, state, usage, clock, standing: (id) => desk.standing(id) });

  const note = async (request: IdentifiedRequest, action: DeskAction, subject: string): Promise<void> => {
    const { name } = actorOf(request);
    await writer.write([audit.append({ operator: name, action, outcome: 'done', subject }, clock.now())]);
  };

  app.get(
    '/v1/reports/:report',
    {
      config: { action: 'read-reports' },
      schema: {
        summary: 'A report, row by row',
        tags: ['reports'],
        params: z.object({ report: z.enum(REPORTS) }),
        querystring: reportQuery,
        response: { 200: eitherAs(reportAnswer), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { report: name } = request.params;
      const { format, ...asked } = request.query;
      const report = reports.make(name, asked);
      if (isFaulty(report)) throw new RefusedRequest(report.refusal);
      await note(request, 'read-reports', name);
      const head = { report: name, generatedAt: formatInstant(clock.now()), columns: report.columns };
      sendTable(reply, { name, format, csv: () => report, json: () => jsonOf(report.rows(), head) });
      return reply;
    },
  );

  app.get(
    '/v1/exports/roster',
    {
      config: { action: 'export-roster' },
      schema: {
        summary: 'Everybody with their cards; as it is, it can be imported again',
        tags: ['employees'],
        querystring: exportQuery,
        response: { 200: eitherAs(rosterExport), ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { format, ...options } = request.query;
      await note(request, 'export-roster', options.status);
      const { revision } = state.roster;
      const head = { site: state.site, exportedAt: formatInstant(clock.now()), revision };
      sendTable(reply, {
        name: 'roster',
        format,
        csv: () => rosterTable(state, options),
        json: () => jsonOf(exportedEmployees(state, options), head, 'employees'),
      });
      return reply;
    },
  );
};
