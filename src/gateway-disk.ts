// The part of the gateway that looks after the disk: its ballast, and the room that is left.

import { join } from 'node:path';
import { DiskWatch } from './app/disk-watch.ts';
import type { SerialWriter } from './app/serial-writer.ts';
import type { Config } from './config/config.ts';
import { Ballast } from './drivers/level/ballast.ts';
import { StoreDisk } from './drivers/level/disk-room.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';

export const createBallast = ({ dataDir, store }: Pick<Config, 'dataDir' | 'store'>): Ballast =>
  new Ballast({ file: join(dataDir, 'ballast'), bytes: store.ballastBytes });

interface Ground {
  readonly config: Config;
  readonly ballast: Ballast;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}

/** Not started yet. */
export const createDiskWatch = ({ config, ballast, writer, clock, log, onChange }: Ground): DiskWatch =>
  new DiskWatch({
    disk: new StoreDisk({ directory: config.dataDir, ballast }),
    minimumFreeBytes: config.store.minimumFreeBytes,
    writer,
    clock,
    log: log.child({ part: 'disk' }),
    onChange,
  });
