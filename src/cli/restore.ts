// `cardea restore`: reads a whole backup once and checks it, and only then hands it to the running gateway.

import type { Command } from 'commander';
import type { RestoreOutcome, RestorePlan } from '../admin/protocol.ts';
import { CardeaError } from '../errors.ts';
import type { BackupFiles, BackupKey } from '../ports/backup-files.ts';
import type { AdminClient } from './admin-client.ts';
import { passphraseIn, textOf } from './backup.ts';
import type { CheckedBackup } from './check-backup.ts';
import { columns } from './columns.ts';
import { type Progress, startProgress } from './progress.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';
import { plain } from './terminal.ts';

export interface KeyOptions {
  readonly identityFile?: string;
  readonly passphraseFile?: string;
}

interface Options extends GatewayOptions, KeyOptions {
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** Of the records of one request, in characters: few enough that taps are answered in between. */
const PAGE_CHARACTERS = 64 * 1024;
const PAGE_RECORDS = 200;

const HELP = `
What is newer in the gateway wins, and no card that was revoked since the backup comes back. The log that tells more is
kept. Until the roster was found equal to HR's again it counts as stale, and doors follow reconcile.stalePolicy.`;

export const addRestoreCommand = (program: Command, session: CliSession): void => {
  withJson(withGateway(program.command('restore')))
    .description('check a backup, and merge it into the running gateway')
    .argument('<file>', 'made by cardea backup, or by the gateway itself')
    .option('--identity-file <file>', 'the private half of a recipient, as age-keygen writes it')
    .option('--passphrase-file <file>', 'the passphrase that it was locked with')
    .option('--dry-run', 'check everything, change nothing')
    .addHelpText('after', HELP)
    .action((file: string, options: Options) => restore(file, options, session));
};

const restore = async (file: string, options: Options, session: CliSession): Promise<void> => {
  const key = keyOf(options);
  const files = await session.environment.backupFiles();
  const { checkBackup } = await import('./check-backup.ts');
  const checked = await checkBackup(files.read(file, key), await session.environment.backupRecords());
  const gateway = await session.gateway(options);
  const isDryRun = options.dryRun === true;
  const plan = await gateway.call('restore-begin', {
    header: checked.header,
    oldest: checked.oldest,
    operator: session.environment.operator(),
    dryRun: isDryRun ? 'true' : 'false',
  });
  if (isDryRun) {
    if (options.json === true) await session.printJson({ header: checked.header, records: checked.records, ...plan });
    else await session.print(planText(checked, plan));
    return;
  }
  const progress = await startProgress(session.terminal, { label: 'records', total: checked.records });
  try {
    await send({ file, key, files, gateway, restore: String(plan.restore), progress });
    const outcome = await gateway.call('restore-end', { restore: String(plan.restore) });
    progress.stop();
    if (options.json === true) await session.printJson(outcome);
    else await session.print(outcomeText(outcome));
  } finally {
    progress.stop();
  }
};

const send = async (job: {
  readonly file: string;
  readonly key: BackupKey;
  readonly files: BackupFiles;
  readonly gateway: AdminClient;
  readonly restore: string;
  readonly progress: Progress;
}): Promise<void> => {
  const { parseBackupEnd, parseBackupLine } = await import('../wire/backup-format.ts');
  const { gateway, restore, progress } = job;
  let page: object[] = [];
  let size = 0;
  let sent = 0;
  const flush = async (): Promise<void> => {
    if (page.length > 0) await gateway.call('restore-page', { restore, records: page });
    sent += page.length;
    progress.update(sent);
    page = [];
    size = 0;
  };
  let isHeader = true;
  for await (const line of job.files.read(job.file, job.key)) {
    const record = parseBackupLine(line);
    if (isHeader || parseBackupEnd(record) !== undefined) {
      isHeader = false;
      continue;
    }
    if (page.length === PAGE_RECORDS || size + line.length > PAGE_CHARACTERS) await flush();
    page.push(record);
    size += line.length;
  }
  await flush();
};

/** Throws CardeaError `invalid-request` or `key-unusable`. */
export const keyOf = ({ identityFile, passphraseFile }: KeyOptions): BackupKey => {
  if (passphraseFile !== undefined && identityFile === undefined) {
    return { kind: 'passphrase', passphrase: passphraseIn(passphraseFile) };
  }
  if (identityFile === undefined || passphraseFile !== undefined) {
    throw new CardeaError(
      'invalid-request',
      'give --identity-file FILE, the private half of a recipient, or --passphrase-file FILE',
    );
  }
  const lines = textOf(identityFile).split(/\r?\n/);
  const identities = lines.map((line) => line.trim()).filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length > 0 && identities.every((line) => line.startsWith('AGE-SECRET-KEY-'))) {
    return { kind: 'identities', identities };
  }
  throw new CardeaError('key-unusable', `${identityFile} holds no identity of age (AGE-SECRET-KEY-...)`);
};

const LOG_TEXTS: Readonly<Record<RestorePlan['log'], string>> = {
  'kept-same': "the gateway's own, which holds the backup's",
  'kept-longer': "the gateway's own, which tells more than the backup's",
  'kept-branched': "the gateway's own, which went on from the backup's earlier part in another way",
  replaced: "the backup's, with the few events of this gateway after it",
  continued: "the backup's, as an earlier restore has begun it",
};

const planText = ({ header, records }: CheckedBackup, { log, hasForeignEpochs }: RestorePlan): string =>
  columns(
    [
      ['backup', `of ${header.createdAt}, by version ${header.program}`],
      ['roster', `revision ${header.roster.revision}, ${header.roster.cards} cards`],
      ['records', String(records)],
      ['log', LOG_TEXTS[log]],
      ...(hasForeignEpochs
        ? [['attention', 'it has records of an HR epoch that is not known here; they are left out']]
        : []),
      ['', 'whole and genuine; nothing was changed'],
    ].map((row) => row.map(plain)),
  );

const outcomeText = ({ taken, kept, stopped, leftOut, log, events, missing }: RestoreOutcome): string =>
  columns([
    ['taken', String(taken)],
    ['kept', `${kept}, which were so already or are newer here`],
    ['stopped', `${stopped}, which were live in the backup and are not any more`],
    ...(leftOut > 0 ? [['left out', `${leftOut}, of an HR epoch that is not known here`]] : []),
    ['log', LOG_TEXTS[log]],
    ...(events > 0 ? [['events', `${events} taken from the backup`]] : []),
    ...(missing === null ? [] : [['numbers', `${missing.from} to ${missing.to} are gone for good`]]),
    ['roster', "counts as stale until it was found equal to HR's"],
  ]);
