// `cardea desk lockdown`: the one command that all gateways of a site take, and what became of it at each.

import { randomUUID } from 'node:crypto';
import { loadConfig } from '../config/load.ts';
import { MAX_COMMAND_LIFETIME } from '../domain/door-command.ts';
import { columns } from './columns.ts';
import type { LockdownOptions } from './desk.ts';
import { deskSeal } from './desk-signing.ts';
import type { CliSession } from './session.ts';
import { type SiteAnswer, sendToSite } from './site-exchange.ts';

/** What unlocks takes effect soon or never; what locks may reach a gateway that was away for a moment. */
const END_LIFETIME = 30_000;

export const lockSiteDown = async (options: LockdownOptions, session: CliSession): Promise<void> => {
  const { config } = loadConfig(session.configPath(options));
  const seal = deskSeal(config, 'command', options.key);
  const isEnd = options.end === true;
  const now = Date.now();
  const messageId = `desk-${randomUUID()}`;
  const json = JSON.stringify({
    type: 'command',
    site: config.site,
    messageId,
    issuedAt: rfc3339(now),
    expiresAt: rfc3339(now + (isEnd ? END_LIFETIME : MAX_COMMAND_LIFETIME)),
    operator: session.environment.operator(),
    reason: options.reason,
    action: isEnd ? 'end-lockdown' : 'lockdown',
    door: '*',
    ...(options.until !== undefined && { until: options.until }),
    ...(options.for !== undefined && { until: rfc3339(now + options.for * 1000) }),
  });
  const answer = await sendToSite(config, { messageId, payload: await seal(json) });
  const isDone = answer.receipts.every(({ result, warnings }) => GOOD.includes(result) && warnings.length === 0);
  session.conclude(isDone && answer.missing.length + answer.offline.length === 0);
  if (options.json === true) await session.printJson(answer);
  else await session.print(answerText(answer));
};

const GOOD = ['applied', 'duplicate'];

const rfc3339 = (time: number): string => new Date(time).toISOString();

const answerText = ({ receipts, missing, offline }: SiteAnswer): string =>
  columns([
    ...receipts.map(({ gateway, result, code, detail, doors, warnings }) => [
      gateway,
      result,
      [...doors, ...warnings, ...[code, detail].filter((text) => text !== null)].join(', '),
    ]),
    ...missing.map((gateway) => [gateway, 'no answer', 'is online by its status']),
    ...offline.map((gateway) => [gateway, 'no answer', 'is offline: send it again when it is back']),
  ]);
