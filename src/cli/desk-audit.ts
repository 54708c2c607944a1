// `cardea desk audit`: who did what at the desk, and whether that log is what was written.

import { type AuditAnswer, auditAnswer, auditCheck } from '../desk-api/contract.ts';
import { columns } from './columns.ts';
import type { ServiceOptions } from './desk-options.ts';
import { visitDesk } from './desk-visit.ts';
import { localTime } from './local-times.ts';
import type { CliSession } from './session.ts';

export interface AuditOptions extends ServiceOptions {
  readonly from?: number;
  readonly limit?: number;
  readonly verify?: boolean;
}

/** With `verify` it ends with `no` for a log that was altered. */
export const showAudit = async (options: AuditOptions, session: CliSession): Promise<void> => {
  const { from, limit, verify } = options;
  const visit = await visitDesk(session, options);
  if (verify === true) {
    const check = await visit.desk.ask(auditCheck, { path: '/v1/audit/verification' });
    session.conclude(check.fault === undefined);
    const { records, hash, fault } = check;
    await visit.print(
      check,
      () => fault ?? `all ${records} records are what was written; the last one has the hash ${hash}`,
    );
    return;
  }
  const answer = await visit.desk.ask(auditAnswer, { path: '/v1/audit', query: { from, limit } });
  const last = answer.records.at(-1)?.sequence;
  await visit.print(answer, () => auditText(answer.records));
  if (last !== undefined && options.json !== true) visit.tell(`what comes after it: --from ${last + 1}`);
};

export const auditText = (records: AuditAnswer['records']): string =>
  records.length === 0
    ? 'nothing is on record\n'
    : columns([
        ['NUMBER', 'TIME', 'OPERATOR', 'ACTION', 'ABOUT', 'OUTCOME', ''],
        ...records.map(({ sequence, time, operator, action, outcome, subject, operation, code, detail }) => [
          String(sequence),
          localTime(time),
          operator,
          action,
          [subject, operation].filter((text) => text !== null && text !== '').join(', '),
          code === null ? outcome : `${outcome}: ${code}`,
          detail ?? '',
        ]),
      ]);
