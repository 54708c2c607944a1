// `cardea line`: operates the inputs of a simulated door.

import { Argument, type Command } from 'commander';
import { LINES, type LineRequest } from '../admin/protocol.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

const LINES_HELP = `
Lines:
  contact      on: the door is closed     off: the door is open
  exit-button  on: the button is pressed  off: it is let go
  tamper       on: somebody tampers       off: nobody does`;

export const addLineCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('line')))
    .description('open and close a simulated door, press and let go its exit button, tamper with it')
    .argument('<door>', 'id of the door')
    .addArgument(new Argument('<line>', 'which line').choices(LINES))
    .addArgument(new Argument('<state>', 'on is active').choices(['on', 'off']))
    .addHelpText('after', LINES_HELP)
    .action(async (door: string, line: LineRequest['line'], state: LineRequest['state'], options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('line', { door, line, state, operator: session.environment.operator() });
      if (options.json === true) await session.printJson(answer);
      else await session.print(`${plain(`door ${answer.door}: ${answer.position}, strike ${answer.strike}`)}\n`);
    });
};
