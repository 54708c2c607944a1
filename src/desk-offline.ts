// The records of a desk that does not run: where they are, how a backup of them is made, and how one becomes a desk again.
//
// 1. Restored records get their name when they are whole and were read again: whatever ends this on the way, the desk has none.

import { randomUUID } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import type { OfflineDesk, RestoredRecords, RestoreRequest } from './cli/session.ts';
import type { DeskConfig } from './config/desk-config.ts';
import { auditRecords } from './desk/audit-reading.ts';
import { verifyAudit } from './desk/audit-trail.ts';
import { type CheckedDeskBackup, checkDeskBackup, deskBackupLines, restoreDesk } from './desk/desk-backup.ts';
import { DeskState } from './desk/desk-state.ts';
import { instant } from './domain/units.ts';
import { LevelDeskStore } from './drivers/desk-store/level-desk-store.ts';
import { CardeaError } from './errors.ts';
import { VERSION } from './version.ts';

export const offlineDesk = (config: DeskConfig): OfflineDesk => {
  const folder = join(config.dataDir, 'store');
  return {
    lines: () => backupLines(folder),
    restore: async (lines, request) => {
      requireEmpty(folder);
      requireOwner(config.dataDir);
      const checked = await checkDeskBackup(lines(), config.site);
      if (request.isDryRun) return outcomeOf(checked);
      return await restore(lines(), { checked, config, folder, request });
    },
  };
};

async function* backupLines(folder: string): AsyncGenerator<string> {
  if (!existsSync(folder)) {
    throw new CardeaError('backup-failed', `there is no desk in ${folder}; is dataDir of its configuration right?`);
  }
  requireOwner(folder);
  const store = await LevelDeskStore.open(folder);
  try {
    yield* deskBackupLines(store, { program: VERSION, now: now() });
  } finally {
    await store.close();
  }
}

interface Restore {
  readonly checked: CheckedDeskBackup;
  readonly config: DeskConfig;
  readonly folder: string;
  readonly request: RestoreRequest;
}

const restore = async (lines: AsyncIterable<string>, job: Restore): Promise<RestoredRecords> => {
  const { checked, config, folder, request } = job;
  const { dataDir } = config;
  const unfinished = `${folder}.${randomUUID()}`;
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  try {
    const store = await LevelDeskStore.open(unfinished);
    let outcome: RestoredRecords;
    try {
      const restored = await restoreDesk(lines, store, checked, {
        ...request,
        epoch: `desk-${randomUUID()}`,
        now: now(),
      });
      outcome = { ...outcomeOf(checked), ...restored, auditFault: await faultOf(store, job) };
    } finally {
      await store.close();
    }
    requireEmpty(folder);
    renameSync(unfinished, folder);
    syncFolder(dataDir);
    return outcome;
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
};

/** Reads all of it as a desk that starts would. What is wrong with the audit log was wrong before, and does not keep anybody from it. */
const faultOf = async (store: LevelDeskStore, { config }: Restore): Promise<string | null> => {
  const { site, cardNumber } = config;
  await DeskState.load(store, { site, cardNumberFormat: cardNumber.format, newEpoch: '' });
  return (await verifyAudit(auditRecords(store))).fault ?? null;
};

const outcomeOf = ({
  header,
  meta,
  records,
  employees,
  cards,
  openOperations,
}: CheckedDeskBackup): RestoredRecords => ({
  ...{ createdAt: header.createdAt, program: header.program, records, employees, cards },
  ...{ openOperations: openOperations.size, epoch: meta.epoch, revision: meta.revision, auditFault: null },
});

const requireEmpty = (folder: string): void => {
  if (!existsSync(folder) || readdirSync(folder).length === 0) return;
  const message = `there are records in ${folder} already: a backup is restored where there are none; move them away first`;
  throw new CardeaError('invalid-request', message);
};

/** Whoever opens records writes there, and what root writes the desk cannot write any more. */
const requireOwner = (folder: string): void => {
  if (!existsSync(folder)) return;
  const { uid } = statSync(folder);
  if (uid === process.getuid?.()) return;
  const message = `${folder} is another user's: run this as the user of the desk, as with sudo -u '#${uid}'`;
  throw new CardeaError('invalid-request', message);
};

const syncFolder = (folder: string): void => {
  const descriptor = openSync(folder, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
};

const now = () => instant(Date.now());
