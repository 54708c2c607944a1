// `cardea alarm clear`: a technician has seen the alarms that retired cards have raised.

import type { Command } from 'commander';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

const CLEAR_HELP = `
A card that is lost, stolen or replaced and is held to a reader is denied and raises an alarm, which cardea status shows
until it is cleared here, HR binds the card anew, or 24 hours have passed. That it was cleared is recorded with your
name; the taps stay in the log of events. Other alarms end by themselves when their cause does.`;

export const addAlarmCommand = (program: Command, session: CliSession): void => {
  const alarm = program.command('alarm').description('alarms that wait for somebody to see them');
  withJson(withGateway(alarm.command('clear')))
    .description('clear the alarms of lost, stolen and replaced cards that were held to a reader')
    .addHelpText('after', CLEAR_HELP)
    .action(async (options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('clear-alarms', { operator: session.environment.operator() });
      if (options.json === true) await session.printJson(answer);
      else await session.print(`${clearedText(answer.cleared)}\n`);
    });
};

const clearedText = (count: number): string => {
  if (count === 0) return 'there was no alarm of a card to clear';
  return count === 1 ? '1 alarm cleared' : `${count} alarms cleared`;
};
