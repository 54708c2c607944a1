// The audit log.

import { auditRecords } from '../desk/audit-reading.ts';
import { verifyAudit } from '../desk/audit-trail.ts';
import type { AuditRecord } from '../desk/records.ts';
import { auditAnswer, auditCheck, auditQuery } from './contract.ts';
import { PROBLEMS, type RouteGroup } from './route-context.ts';

const tags = ['audit'];

export const auditRoutes: RouteGroup = (app, { store }) => {
  app.get(
    '/v1/audit',
    {
      config: { action: 'read-audit' },
      schema: {
        summary: 'Every action and every refusal, the oldest first',
        tags,
        querystring: auditQuery,
        response: { 200: auditAnswer, ...PROBLEMS },
      },
    },
    async ({ query }) => {
      const records: AuditRecord[] = [];
      for await (const record of auditRecords(store, query)) records.push(record);
      return { records };
    },
  );

  app.get(
    '/v1/audit/verification',
    {
      config: { action: 'read-audit' },
      schema: {
        summary: 'Whether the audit log is what was written: follows its hashes from the first record on',
        tags,
        response: { 200: auditCheck, ...PROBLEMS },
      },
    },
    async () => verifyAudit(auditRecords(store)),
  );
};
