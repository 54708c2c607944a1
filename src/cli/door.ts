// `cardea door`: a technician's command to a door.

import { Argument, type Command } from 'commander';
import type { DoorCommandAnswer } from '../admin/protocol.ts';
import { DOOR_ACTIONS, type DoorAction } from '../domain/door-command.ts';
import { ORDER_HELP, type OrderOptions, orderTerms, withOrder } from './order-options.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions, OrderOptions {
  readonly json?: boolean;
}

const ACTIONS_HELP = `
Actions:
  unlock        release the strike once, as a granted tap does
  block         lock; no card and no unlock opens until normal (the exit button still does); outlives a restart
  hold-open     keep the strike unlocked until normal or block; ends with a lockdown and with a restart
  normal        back to cards, and to the door's unlock schedule if it has one
  lockdown      as block, but for cards that override it, and whatever else is ordered; outlives a restart
  end-lockdown  end that; a block that was there before, or was ordered since, is in effect again
${ORDER_HELP}
A door with an unlock schedule is unlocked by it again after a restart; with afterFirstCard only when a card was granted again.

Every command is recorded with your name. What locks takes effect even while the store fails; what opens does not.
Exits 1 when the door refuses (blocked, in lockdown) or its strike cannot be driven.`;

export const addDoorCommand = (program: Command, session: CliSession): void => {
  withJson(withOrder(withGateway(program.command('door'))))
    .description('unlock a door, block it, hold it open, lock it down, or bring it back to normal')
    .argument('<door>', 'id of the door')
    .addArgument(new Argument('<action>', 'what to do').choices(DOOR_ACTIONS))
    .addHelpText('after', ACTIONS_HELP)
    .action(async (door: string, action: DoorAction, options: Options) => {
      const gateway = await session.gateway(options);
      const operator = session.environment.operator();
      const answer = await gateway.call('door-command', { door, action, operator, ...orderTerms(options) });
      session.conclude(answer.result === 'done');
      if (options.json === true) await session.printJson(answer);
      else await session.print(`${plain(doorText(answer))}\n`);
    });
};

const DONE: Readonly<Record<DoorAction, string>> = {
  unlock: 'unlocked once',
  block: 'blocked',
  'hold-open': 'held open',
  normal: 'normal again',
  lockdown: 'in lockdown',
  'end-lockdown': 'no longer in lockdown',
};

export const doorText = ({ door, action, result, detail, mode }: DoorCommandAnswer): string => {
  const what = result === 'done' ? DONE[action] : `${action} ${result}`;
  const why = detail === null ? '' : `: ${detail}`;
  const also = result === 'done' ? '' : ` [mode ${mode}]`;
  return `door ${door} ${what}${why}${also}`;
};
