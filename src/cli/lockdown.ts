// `cardea lockdown`: no card opens the doors of this gateway, but for those that override it.

import type { Command } from 'commander';
import { doorText } from './door.ts';
import { ORDER_HELP, type OrderOptions, orderTerms, withOrder } from './order-options.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions, OrderOptions {
  readonly door?: string;
  readonly end?: boolean;
  readonly json?: boolean;
}

const LOCKDOWN_HELP = `
A lockdown beats every order, every schedule and every card but those that override it. The exit buttons still open. It ends what
was held open, for good; what was blocked is blocked again when it ends, and a door that unlocks after the first card waits for one
again. It outlives a restart. For all gateways of the site: cardea desk lockdown.
${ORDER_HELP}

Exits 1 when a door could not be locked, or its lockdown not be ended.`;

export const addLockdownCommand = (program: Command, session: CliSession): void => {
  withJson(withOrder(withGateway(program.command('lockdown'))))
    .description('lock all doors of this gateway down, or one; with --end, end that')
    .option('--door <id>', 'only this door')
    .option('--end', 'end the lockdown')
    .addHelpText('after', LOCKDOWN_HELP)
    .action(async (options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('lockdown', {
        action: options.end === true ? 'end-lockdown' : 'lockdown',
        ...(options.door !== undefined && { door: options.door }),
        ...orderTerms(options),
        operator: session.environment.operator(),
      });
      session.conclude(answer.doors.every(({ result }) => result === 'done'));
      if (options.json === true) await session.printJson(answer);
      else await session.print(answer.doors.map((door) => `${plain(doorText(door))}\n`).join(''));
    });
};
