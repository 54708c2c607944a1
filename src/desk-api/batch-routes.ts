// Many replacements in one request.

import * as z from 'zod';
import type { BatchDesk } from '../desk/batch-desk.ts';
import { batchReport } from '../desk/batch-report.ts';
import type { BatchView } from '../desk/batch-view.ts';
import { formatInstant } from '../domain/units.ts';
import {
  batchId,
  batchQuery,
  batchReportQuery,
  batchRequest,
  batchView,
  dryRunAnswer,
  MOST_LIST_BYTES,
  reportAnswer,
} from './contract.ts';
import type { Listen } from './long-polls.ts';
import { found, RefusedRequest, resultOf } from './problems.ts';
import { eitherAs, jsonOf, sendTable } from './report-output.ts';
import { actorOf, PROBLEMS, type RouteGroup } from './route-context.ts';

const tags = ['batches'];
const params = z.object({ id: batchId });

export const batchRoutes: RouteGroup = (app, { desk, clock, longPolls }) => {
  const { batches, state } = desk;

  app.post(
    '/v1/batches',
    {
      config: { action: 'run-batch' },
      bodyLimit: MOST_LIST_BYTES,
      schema: {
        summary: 'Many replacements, one operation each. The same batch again is not carried out again',
        tags,
        body: batchRequest,
        response: { 202: batchView, 200: dryRunAnswer, ...PROBLEMS },
      },
    },
    async (request, reply) => {
      const { dryRun = false, ...batch } = request.body;
      const actor = actorOf(request);
      if (dryRun) return { faults: [...resultOf(await batches.check(batch.rows, actor))] };
      const outcome = await batches.start(batch, actor);
      if (outcome.kind === 'faulty') {
        const detail = `${outcome.faults.length} of ${batch.rows.length} lines are faulty, and nothing was done`;
        throw new RefusedRequest({ code: 'invalid-request', detail, faults: outcome.faults }, 422);
      }
      const view = resultOf(outcome);
      reply.code(202).header('location', `/v1/batches/${view.id}`);
      return view;
    },
  );

  app.get(
    '/v1/batches/:id',
    {
      config: { action: 'read-operations' },
      schema: {
        summary: 'How far a batch is, and what became of each line',
        tags,
        params,
        querystring: batchQuery,
        response: { 200: batchView, ...PROBLEMS },
      },
    },
    async ({ params: { id }, query: { wait = 0, lines } }, reply) => {
      if (wait > 0) await longPolls.first(wait, reply.raw, settling(id, batches));
      const view: BatchView = found(await batches.view(id), 'unknown-batch', `a batch ${id}`);
      return lines === 'all' ? view : { ...view, lines: [] };
    },
  );

  app.get(
    '/v1/batches/:id/report',
    {
      config: { action: 'read-operations' },
      schema: {
        summary: 'What became of each line at each gateway, with the doors that the new card opens there',
        tags,
        params,
        querystring: batchReportQuery,
        response: { 200: eitherAs(reportAnswer), ...PROBLEMS },
      },
    },
    async ({ params: { id }, query: { format } }, reply) => {
      const batch = found(await batches.find(id), 'unknown-batch', `a batch ${id}`);
      const report = batchReport(batch, { state, operation: (operation) => desk.operation(operation) });
      const head = { report: 'batch', generatedAt: formatInstant(clock.now()), columns: report.columns };
      sendTable(reply, { name: 'batch', format, csv: () => report, json: () => jsonOf(report.rows(), head) });
      return reply;
    },
  );
};

const settling =
  (id: string, batches: BatchDesk): Listen<true> =>
  (give) => {
    const ended = new AbortController();
    void batches.settled(id, ended.signal).then(
      () => give(true),
      () => give(true),
    );
    return () => ended.abort();
  };
