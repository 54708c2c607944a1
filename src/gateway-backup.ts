// The part of the gateway that makes backups and merges them in.

import { setImmediate as turnOfOthers } from 'node:timers/promises';
import type { Backups } from './admin/backup-operations.ts';
import { BackupSchedule } from './app/backup-schedule.ts';
import type { DiskWatch } from './app/disk-watch.ts';
import type { DoorModeKeeper } from './app/door-mode-keeper.ts';
import type { RosterReconciler } from './app/reconcile-roster.ts';
import { BackupRestorer } from './app/restore-backup.ts';
import type { SerialWriter } from './app/serial-writer.ts';
import type { SiteRules } from './app/site-rules.ts';
import { backupRecords } from './app/write-backup.ts';
import type { Config } from './config/config.ts';
import { isSameOrders, NO_ORDERS } from './domain/door-mode.ts';
import { areOnOneDisk, backupFolder } from './drivers/backup/backup-folder.ts';
import type { LevelStore } from './drivers/level/level-store.ts';
import { parseSnapshotRecord } from './drivers/level/snapshot-records.ts';
import { errorMessage } from './errors.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';
import { VERSION } from './version.ts';

interface Dependencies {
  readonly config: Config;
  readonly store: LevelStore;
  readonly writer: SerialWriter;
  readonly keeper: DoorModeKeeper;
  readonly rules: SiteRules;
  readonly reconciler: RosterReconciler;
  readonly disk: Pick<DiskWatch, 'hasRoom'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

export interface GatewayBackups extends Backups {
  /** Undefined where the configuration names no directory. */
  readonly schedule: BackupSchedule | undefined;
}

export const createBackups = (deps: Dependencies): GatewayBackups => {
  const { config, store, writer, keeper, rules, reconciler, disk, clock, onChange } = deps;
  const { site, gateway, backup } = config;
  const log = deps.log.child({ part: 'backup' });
  const identity = { site, gateway, cardNumberFormat: config.cardNumber.format };
  const records = () => backupRecords({ identity, store, clock, version: VERSION });
  const doors = new Set(config.doors.map(({ id }) => id));
  const restorer = new BackupRestorer({
    identity,
    store,
    writer,
    clock,
    log,
    parseRecord: parseSnapshotRecord,
    yieldToOthers: () => turnOfOthers(),
    hasRoom: () => disk.hasRoom(),
    takeOrders: (door, orders) => {
      if (!doors.has(door) || !isSameOrders(keeper.orders(door), NO_ORDERS)) return;
      keeper.order(door, orders);
      keeper.storeLater(door);
    },
    onRestored: () => {
      rules.refresh();
      keeper.look();
      onChange();
      reconciler.recompare().catch((error: unknown) => log.warn({ err: errorMessage(error) }, 'roster not compared'));
    },
  });
  const { directory, recipients, interval, keep } = backup;
  const schedule =
    directory === undefined
      ? undefined
      : new BackupSchedule({
          site,
          gateway,
          folder: backupFolder(directory),
          recipients,
          interval,
          keep,
          records,
          eventLog: store,
          hasRoom: (bytes) => !areOnOneDisk(directory, config.dataDir) || disk.hasRoom(bytes),
          clock,
          log,
          onChange,
        });
  return { records, restorer, schedule };
};
