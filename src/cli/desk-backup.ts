// `cardea desk backup` and `restore`: all records of a desk in one encrypted file, and a desk made of one. The desk does not run
// meanwhile; gateways go on deciding without it.

import { type Command, InvalidArgumentError } from 'commander';
import type { DeskConfig } from '../config/desk-config.ts';
import { CardeaError } from '../errors.ts';
import type { BackupLock } from '../ports/backup-files.ts';
import { passphraseIn } from './backup.ts';
import { columns } from './columns.ts';
import { DESK_CONFIG_HELP, deskConfigPath } from './desk-serve.ts';
import { type KeyOptions, keyOf } from './restore.ts';
import { type CliSession, type RestoredRecords, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface DeskFileOptions {
  readonly config?: string;
  readonly json?: boolean;
}

interface BackupOptions extends DeskFileOptions {
  readonly recipient?: readonly string[];
  readonly passphraseFile?: string;
  readonly force?: boolean;
}

interface RestoreOptions extends DeskFileOptions, KeyOptions {
  readonly atLeast?: number;
  readonly dryRun?: boolean;
}

const BACKUP_HELP = `
The desk has to be stopped for as long as it takes; gateways go on deciding, and tell it what happened when it is back. The file holds
people, cards, events, operators and the audit log, so it is always encrypted: for --recipient, which age-keygen prints (see cardea
backup --help), or with a passphrase. The keys that the desk signs with, in dataDir/keys, are not in it: keep a copy of them apart.`;

const RESTORE_HELP = `
Records are restored where there are none: move those of the lost desk away first. Copy dataDir/keys from where you keep them, or list
the new keys at the gateways (cardea desk keys). The desk then names a new epoch, which gateways take by a signed digest, or with
cardea roster accept-epoch, and brings all of them to its roster: what was changed after the backup is undone. It counts on far above
the backup's revision, and above --at-least, where a gateway has seen even more. What was under way is not sent again, batches are not
gone on with, and everybody signs in anew.`;

export const addDeskBackupCommands = (desk: Command, session: CliSession): void => {
  withJson(desk.command('backup'))
    .description('write all records of the desk to one encrypted file; the desk is stopped meanwhile')
    .argument('<file>', 'where to')
    .option('--config <file>', DESK_CONFIG_HELP)
    .option(
      '--recipient <age1...>',
      'who can open it; may be given several times',
      (value: string, all: readonly string[] = []) => [...all, value],
    )
    .option('--passphrase-file <file>', 'lock it with the passphrase in this file instead')
    .option('--force', 'replace a file of that name')
    .addHelpText('after', BACKUP_HELP)
    .action((file: string, options: BackupOptions) => backUp(file, options, session));
  withJson(desk.command('restore'))
    .description('check a backup, and make the records of a desk of it where there are none')
    .argument('<file>', 'made by cardea desk backup')
    .option('--config <file>', DESK_CONFIG_HELP)
    .option('--identity-file <file>', 'the private half of a recipient, as age-keygen writes it')
    .option('--passphrase-file <file>', 'the passphrase that it was locked with')
    .option('--at-least <revision>', 'the highest roster revision that a gateway shows (cardea status)', parseRevision)
    .option('--dry-run', 'check everything, change nothing')
    .addHelpText('after', RESTORE_HELP)
    .action((file: string, options: RestoreOptions) => restore(file, options, session));
};

const backUp = async (file: string, options: BackupOptions, session: CliSession): Promise<void> => {
  const { environment } = session;
  const lock = lockOf(options);
  const records = await environment.offlineDesk(await configOf(options, session));
  const files = await environment.backupFiles();
  let last = '';
  const lines = async function* (): AsyncGenerator<string> {
    for await (const line of records.lines()) {
      last = line;
      yield line;
    }
  };
  const { bytes } = await files.write(file, lines(), { lock, mayReplace: options.force === true });
  const { parseBackupEnd, parseBackupLine } = await import('../wire/backup-format.ts');
  const count = parseBackupEnd(parseBackupLine(last))?.records ?? 0;
  if (options.json === true) await session.printJson({ file, bytes, records: count });
  else await session.print(`${plain(file)}: ${count} records, ${bytes} bytes\n`);
};

const restore = async (file: string, options: RestoreOptions, session: CliSession): Promise<void> => {
  const { environment } = session;
  const key = keyOf(options);
  const records = await environment.offlineDesk(await configOf(options, session));
  const files = await environment.backupFiles();
  const isDryRun = options.dryRun === true;
  const request = { operator: environment.operator(), atLeast: options.atLeast, isDryRun };
  const restored = await records.restore(() => files.read(file, key), request);
  if (options.json === true) await session.printJson({ ...restored, isDryRun });
  else await session.print(restoredText(restored, isDryRun));
};

const configOf = async (options: DeskFileOptions, session: CliSession): Promise<DeskConfig> => {
  const { loadDeskConfig } = await import('../config/load-desk.ts');
  return loadDeskConfig(deskConfigPath(options, session)).config;
};

const lockOf = ({ recipient = [], passphraseFile }: BackupOptions): BackupLock => {
  if (passphraseFile !== undefined && recipient.length === 0) {
    return { kind: 'passphrase', passphrase: passphraseIn(passphraseFile) };
  }
  if (recipient.length > 0 && passphraseFile === undefined) return { kind: 'recipients', recipients: recipient };
  throw new CardeaError(
    'invalid-request',
    'say who can open the backup: --recipient age1..., or --passphrase-file FILE',
  );
};

const restoredText = (restored: RestoredRecords, isDryRun: boolean): string => {
  const { createdAt, program, records, employees, cards, openOperations, epoch, revision, auditFault } = restored;
  return columns(
    [
      ['backup', `of ${createdAt}, by version ${program}`],
      ['records', `${records}: ${employees} people, ${cards} live cards`],
      ['under way', `${openOperations} operations, which are not sent again`],
      ...(auditFault === null ? [] : [['attention', `the audit log is not what was recorded: ${auditFault}`]]),
      ...(isDryRun
        ? [['', 'whole; nothing was changed']]
        : [['roster', `goes on above revision ${revision}, in the epoch ${epoch}`]]),
    ].map((row) => row.map(plain)),
  );
};

const parseRevision = (text: string): number => {
  const revision = Number(text);
  if (/^\d{1,15}$/.test(text)) return revision;
  throw new InvalidArgumentError('It must be a whole number.');
};
