// `cardea door`: a technician's command to a door.

import { Argument, type Command } from 'commander';
import type { DoorCommandAnswer } from '../admin/protocol.ts';
import { DOOR_ACTIONS, type DoorAction } from '../domain/door-command.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

const ACTIONS_HELP = `
Actions:
  unlock     release the strike once, as a granted tap does
  block      lock; no card and no unlock opens until normal (the exit button still does); outlives a restart
  hold-open  keep the strike unlocked until normal or block
  normal     back to cards

Every command is recorded with your name. What locks takes effect even while the store fails; what opens does not.
Exits 1 when the door refuses (blocked) or its strike cannot be driven.`;

export const addDoorCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('door')))
    .description('unlock a door, block it, hold it open, or bring it back to normal')
    .argument('<door>', 'id of the door')
    .addArgument(new Argument('<action>', 'what to do').choices(DOOR_ACTIONS))
    .addHelpText('after', ACTIONS_HELP)
    .action(async (door: string, action: DoorAction, options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('door-command', { door, action, operator: session.environment.operator() });
      session.conclude(answer.result === 'done');
      if (options.json === true) await session.printJson(answer);
      else await session.print(`${plain(doorText(answer))}\n`);
    });
};

const DONE: Readonly<Record<DoorAction, string>> = {
  unlock: 'unlocked once',
  block: 'blocked',
  'hold-open': 'held open until normal or block',
  normal: 'normal again',
  lockdown: 'in lockdown until end-lockdown',
  'end-lockdown': 'no longer in lockdown',
};

const doorText = ({ door, action, result, detail, mode }: DoorCommandAnswer): string => {
  const what = result === 'done' ? DONE[action] : `${action} ${result}`;
  const why = detail === null ? '' : `: ${detail}`;
  const also = result === 'done' ? '' : ` [mode ${mode}]`;
  return `door ${door} ${what}${why}${also}`;
};
