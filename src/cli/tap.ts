// `cardea tap`: holds a card to a simulated reader and says what became of it.

import type { Command } from 'commander';
import type { TapAnswer } from '../admin/protocol.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

export const addTapCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('tap')))
    .description('hold a card to a simulated reader; exits 1 when it is denied')
    .argument('<reader>', 'id of a reader with driver: simulated')
    .argument('<uid>', 'UID of the card: 8, 14 or 20 hex digits')
    .action(async (reader: string, uid: string, options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('tap', { reader, uid, operator: session.environment.operator() });
      session.conclude(answer.outcome !== 'denied');
      if (options.json === true) await session.printJson(answer);
      else await session.print(`${plain(tapText(answer))}\n`);
    });
};

const tapText = (answer: TapAnswer): string => {
  const card = answer.card === null ? '' : `, card ${answer.card}`;
  switch (answer.outcome) {
    case 'granted': {
      const name = answer.name === null ? '' : ` (${answer.name})`;
      return `granted: door ${answer.door}${card}, cardholder ${answer.cardholder}${name}`;
    }
    case 'denied':
      return `denied: ${answer.reason}${card}${answer.detail === null ? '' : ` (${answer.detail})`}`;
    case 'presented':
      return `presented${card}: an enrolment reader reports it to HR and opens nothing`;
    case 'activated':
      return `activated${card}: it opens doors from now on`;
  }
};
