// `cardea backup`: everything that the gateway knows, in one encrypted file, while it goes on working.

import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { CardeaError, errorMessage } from '../errors.ts';
import type { BackupLock } from '../ports/backup-files.ts';
import { startProgress } from './progress.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options extends GatewayOptions {
  readonly recipient?: readonly string[];
  readonly passphraseFile?: string;
  readonly force?: boolean;
  readonly json?: boolean;
}

const HELP = `
The file holds cards, persons, orders and the log, so it is always encrypted. A key pair is made with
  age-keygen -o cardea-backup.txt
(https://age-encryption.org, the package "age" of Debian). What it prints, age1..., is the recipient: it goes here, or into
backup.recipients of the configuration. The file with the private half belongs somewhere else than the gateway. Without
a key pair, --passphrase-file names a file with a passphrase.`;

const collect = (value: string, all: readonly string[] = []): readonly string[] => [...all, value];

export const addBackupCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('backup')))
    .description('write everything that the gateway knows to one encrypted file; doors go on working')
    .argument('<file>', 'where to')
    .option(
      '--recipient <age1...>',
      'who can open it; may be given several times (default: backup.recipients)',
      collect,
    )
    .option('--passphrase-file <file>', 'lock it with the passphrase in this file instead')
    .option('--force', 'replace a file of that name')
    .addHelpText('after', HELP)
    .action((file: string, options: Options) => backUp(file, options, session));
};

const backUp = async (file: string, options: Options, session: CliSession): Promise<void> => {
  const { parseBackupEnd } = await import('../wire/backup-format.ts');
  const lock = await lockOf(options, session);
  const gateway = await session.gateway(options);
  const files = await session.environment.backupFiles();
  const { cards, events } = await gateway.call('backup', { operator: session.environment.operator() });
  const progress = await startProgress(session.terminal, { label: 'records', total: cards + events });
  let last: object = {};
  const lines = async function* (): AsyncGenerator<string> {
    let done = 0;
    for await (const record of gateway.stream('backup-records', {})) {
      done += 1;
      progress.update(done);
      last = record;
      yield JSON.stringify(record);
    }
    // Without it the gateway has said less than all.
    if (parseBackupEnd(last) === undefined)
      throw new CardeaError('backup-failed', 'the gateway has ended the connection');
  };
  try {
    const { bytes } = await files.write(file, lines(), { lock, mayReplace: options.force === true });
    progress.stop();
    const { records = 0, unreadable = 0 } = parseBackupEnd(last) ?? {};
    if (options.json === true) await session.printJson({ file, bytes, records, unreadable });
    else await session.print(`${plain(file)}: ${records} records, ${bytes} bytes${lossText(unreadable)}\n`);
  } finally {
    progress.stop();
  }
};

const lossText = (unreadable: number): string =>
  unreadable === 0 ? '' : `; ${unreadable} records of the store cannot be read and are not in it`;

const lockOf = async (options: Options, session: CliSession): Promise<BackupLock> => {
  const { recipient, passphraseFile } = options;
  if (passphraseFile !== undefined) {
    if (recipient !== undefined)
      throw new CardeaError('invalid-request', 'give --recipient or --passphrase-file, not both');
    return { kind: 'passphrase', passphrase: passphraseIn(passphraseFile) };
  }
  const recipients = recipient ?? (await configuredRecipients(options, session));
  if (recipients.length > 0) return { kind: 'recipients', recipients };
  throw new CardeaError(
    'invalid-request',
    'nobody could open the backup: name its --recipient (age1..., made with age-keygen; see cardea backup --help), set ' +
      'backup.recipients in the configuration, or give a --passphrase-file',
  );
};

/** Those of the configuration, whatever else may be wrong in it. */
const configuredRecipients = async (options: Options, session: CliSession): Promise<readonly string[]> => {
  // With --socket there may be no configuration on this machine.
  if (options.socket !== undefined && options.config === undefined) return [];
  const { parseYaml } = await import('../config/parse-yaml.ts');
  const recipients = parseYaml(textOf(session.configPath(options))).tree.at(['backup', 'recipients']);
  return Array.isArray(recipients) ? recipients.map(String) : [];
};

/** The first line of the file. Throws CardeaError `invalid-request` or `key-unusable`. */
export const passphraseIn = (file: string): string => {
  const passphrase = textOf(file).split(/\r?\n/)[0] ?? '';
  if (passphrase.length >= MIN_PASSPHRASE) return passphrase;
  throw new CardeaError('key-unusable', `the passphrase in ${file} has less than ${MIN_PASSPHRASE} characters`);
};

const MIN_PASSPHRASE = 12;

/** Throws CardeaError `key-unusable`. */
export const textOf = (file: string): string => {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new CardeaError('key-unusable', `cannot read ${file}: ${errorMessage(cause)}`, { cause });
  }
};
