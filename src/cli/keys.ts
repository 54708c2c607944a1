// `cardea keys`: makes the key pairs that messages are signed with, and shows their public halves. Private halves are written to
// their file and shown to nobody; that needs no running gateway, and does not disturb one. And replaces the keys of a store.

import type { Command } from 'commander';
import { CONFIG_HELP } from './locate-gateway.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';

interface Options {
  readonly config?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const GENERATE_HELP = `
Without FILE it is the gateway's own key, which signs receipts and statuses, at the place that the configuration gives
it; a running gateway takes it at its next start. With FILE it is a key for whoever sends messages: the file stays there,
and what this command prints goes under trust.keys of the gateways.`;

const ROTATE_HELP = `
The store's records are sealed. This takes a new key into use, seals every record anew, and forgets the former key; it is recorded with
your name. Interrupted, by Ctrl-C here too, it goes on in the gateway, also after a restart; cardea status tells how far it is.`;

export const addKeysCommands = (program: Command, session: CliSession): void => {
  const keys = program
    .command('keys')
    .description('make keys for signed messages and show their public halves; replace those of the store');
  withFile(keys.command('generate'))
    .description('make an Ed25519 key pair and print its public half')
    .option('--force', 'replace the key that is there; what was signed with it is not believed any more')
    .addHelpText('after', GENERATE_HELP)
    .action(async (named: string | undefined, options: Options) => {
      const { generateKey } = await import('./key-pair.ts');
      await generateKey(named, options, session);
    });
  withFile(keys.command('show'))
    .description('print name and public half of a key, ready for trust.keys in a configuration')
    .action(async (named: string | undefined, options: Options) => {
      const { showKey } = await import('./key-pair.ts');
      await showKey(named, options, session);
    });
  withJson(withGateway(keys.command('rotate-store')))
    .description("replace the keys of the gateway's store, while its doors go on")
    .addHelpText('after', ROTATE_HELP)
    .action(async (options: Options & GatewayOptions) => {
      const { rotateStore } = await import('./rotate-store.ts');
      await rotateStore(options, session);
    });
};

const withFile = (command: Command): Command =>
  withJson(command)
    .argument('[file]', "PEM or JWK file (default: the gateway's own key)")
    .option('--config <file>', CONFIG_HELP);
