// `cardea keys`: makes the key pairs that messages are signed with, and shows their public halves. Private halves are written to
// their file and shown to nobody. Needs no running gateway, and does not disturb one.

import type { Command } from 'commander';
import { CONFIG_HELP } from './locate-gateway.ts';
import { type CliSession, withJson } from './session.ts';

interface Options {
  readonly config?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const GENERATE_HELP = `
Without FILE it is the gateway's own key, which signs receipts and statuses, at the place that the configuration gives
it; a running gateway takes it at its next start. With FILE it is a key for whoever sends messages: the file stays there,
and what this command prints goes under trust.keys of the gateways.`;

export const addKeysCommands = (program: Command, session: CliSession): void => {
  const keys = program.command('keys').description('make keys for signed messages, and show their public halves');
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
};

const withFile = (command: Command): Command =>
  withJson(command)
    .argument('[file]', "PEM or JWK file (default: the gateway's own key)")
    .option('--config <file>', CONFIG_HELP);
