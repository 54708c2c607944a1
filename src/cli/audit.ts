// `cardea audit verify`: whether the log is what was recorded, from the gateway or from a file that was saved elsewhere.

import type { Command } from 'commander';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';

export interface VerifyOptions extends GatewayOptions {
  readonly from?: string;
  readonly to?: string;
  readonly checkpoint?: readonly string[];
  readonly key?: readonly string[];
  readonly file?: string;
  readonly gateway?: string;
  readonly json?: boolean;
}

const VERIFY_HELP = `
Looks at each record: that it fits its hash, that it follows the one before it, that no number is missing, and that the checkpoints
in the log agree. The first record that is wrong is named. What the log alone cannot prove takes something that was kept elsewhere:
  --checkpoint  a checkpoint that HR or a backup has: a log whose end was cut off does not reach it
  --key         the gateway's public key (cardea keys show): a log that was forged and hashed anew has no such signature;
                without it the key that the configuration names is used where it can be read, and a missing signature is only told
Exits 1 when something is wrong. Events are saved elsewhere with: cardea events --since 0 --json > events.ndjson`;

export const addAuditCommand = (program: Command, session: CliSession): void => {
  const audit = program.command('audit').description('prove that the log is what was recorded');
  withJson(withGateway(audit.command('verify')))
    .description('verify the log of events; exits 1 when a record is missing, altered or out of place')
    .option('--from <sequence>', 'the first record to look at (default: the first that there is)')
    .option('--to <sequence>', 'the last one (default: the last that there is)')
    .option('--checkpoint <file>', 'a checkpoint that was kept elsewhere; may be given several times', listed)
    .option('--key <key>', "the gateway's public key, or a file with it; may be given several times", listed)
    .option('--file <file>', 'verify this file of events, one JSON object a line, instead of a gateway')
    .option('--gateway <name>', 'of that file only the records of this gateway, where it is the archive of a site')
    .addHelpText('after', VERIFY_HELP)
    .action(async (options: VerifyOptions) => {
      const { verifyLog } = await import('./verify-log.ts');
      await verifyLog(options, session);
    });
};

const listed = (value: string, earlier: readonly string[] = []): readonly string[] => [...earlier, value];
