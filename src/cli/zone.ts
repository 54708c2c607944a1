// `cardea zone`: who is inside which zone, for a roll call. `cardea passback`: forgets where somebody is held to be.

import type { Command } from 'commander';
import type { ZoneAnswer } from '../admin/protocol.ts';
import { columns } from './columns.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

const ZONE_HELP = `
Inside is who last went in by a door of the zone: who came in behind somebody else is missing, who left so is still listed.`;

const RESET_HELP = `
For somebody whom anti-passback keeps out, or in, by mistake. What is known of where they are is forgotten in all zones of this
gateway, so that the next tap is judged by the card alone, either way. It is recorded with your name.`;

export const addZoneCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('zone')))
    .description('list who is inside the zones, or one of them, and since when')
    .argument('[zone]', 'id of the zone')
    .addHelpText('after', ZONE_HELP)
    .action(async (zone: string | undefined, options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('zone', zone === undefined ? {} : { zone });
      if (options.json === true) await session.printJson(answer);
      else await session.print(zonesText(answer));
    });
};

export const addPassbackCommand = (program: Command, session: CliSession): void => {
  const passback = program.command('passback').description('anti-passback of single people');
  withJson(withGateway(passback.command('reset')))
    .description('forget where a cardholder is, so that anti-passback holds nothing against them')
    .argument('<cardholder>', 'id of the cardholder, as HR writes it')
    .addHelpText('after', RESET_HELP)
    .action(async (cardholder: string, options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('reset-passback', { cardholder, operator: session.environment.operator() });
      if (options.json === true) return session.printJson(answer);
      const what = answer.zones.length === 0 ? 'nothing was known here' : `forgotten in ${answer.zones.join(', ')}`;
      await session.print(`${plain(`${answer.cardholder}: ${what}`)}\n`);
    });
};

const zonesText = ({ zones }: ZoneAnswer): string => {
  if (zones.length === 0) return 'there are no zones here\n';
  return zones.map(zoneText).join('\n');
};

const zoneText = ({ zone, antiPassback, inside }: ZoneAnswer['zones'][number]): string => {
  const head = `${zone}: ${inside.length} inside, anti-passback ${antiPassback}\n`;
  if (inside.length === 0) return head;
  const rows = inside.map(({ cardholder, name, since, isSinceGuessed }) => [
    cardholder,
    name ?? '-',
    isSinceGuessed ? `${since} (the clock was not set)` : since,
  ]);
  return `${head}${columns([['CARDHOLDER', 'NAME', 'SINCE'], ...rows], '  ')}`;
};
