// `cardea explain`: would this card open this door, why, from which message, and how fresh is what is known.

import type { Command } from 'commander';
import type { ExplainAnswer } from '../admin/protocol.ts';
import { columns } from './columns.ts';
import { grantTexts, modeText, verdictText } from './door-reasons.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';

interface Options extends GatewayOptions {
  readonly card: string;
  readonly door: string;
  readonly out?: boolean;
  readonly at?: string;
  readonly json?: boolean;
}

export const addExplainCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('explain')))
    .description('say whether a card would open a door, and why; exits 1 when it would be denied')
    .requiredOption('--card <card>', 'card number as HR writes it, or the UID in hex')
    .requiredOption('--door <door>', 'id of the door')
    .option('--out', 'for leaving by a reader with direction out, instead of entering')
    .option(
      '--at <time>',
      'at another time than now, such as 2026-11-22T09:00:00+08:00; the clock counts as right then',
    )
    .action(async ({ card, door, out, at, ...options }: Options) => {
      const gateway = await session.gateway(options);
      const direction = out === true ? 'out' : 'in';
      const answer = await gateway.call('explain', { card, door, direction, ...(at !== undefined && { at }) });
      session.conclude(answer.decision === 'granted');
      if (options.json === true) await session.printJson(answer);
      else await session.print(explainText(answer));
    });
};

const PASSBACK_HINT = 'cardea zone lists who is inside; cardea passback reset CARDHOLDER forgets where somebody is';

const explainText = (answer: ExplainAnswer): string => {
  const { origin, isLinkConnected } = answer;
  const link = isLinkConnected === null ? '' : `, HR link ${isLinkConnected ? 'connected' : 'not connected'}`;
  return columns([
    ['decision', verdictText(answer)],
    ['card', `${answer.card} (${answer.found})`],
    ['door', `${answer.door}, mode ${modeText(answer)}`],
    ['at', `${answer.at}${answer.clockSynchronized ? '' : ' (the clock is not synchronized)'}`],
    ['on the wall', `${answer.wallClock} (${answer.timeZone})`],
    ...grantTexts(answer).map((text) => ['schedule', text]),
    ...(answer.reason === 'passback' ? [['passback', PASSBACK_HINT]] : []),
    [
      answer.found === 'retired' ? 'retired by' : 'message',
      origin === null
        ? 'none: HR has never named this card to this gateway'
        : `${origin.messageId}, revision ${origin.revision}, applied ${origin.appliedAt}`,
    ],
    ['known up to', `revision ${answer.rosterRevision}${link}`],
  ]);
};
