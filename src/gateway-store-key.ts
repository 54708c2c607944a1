// The part of the gateway that replaces the keys of its store, and goes on with that after a restart.

import type { SerialWriter } from './app/serial-writer.ts';
import type { Config } from './config/config.ts';
import type { LevelStore } from './drivers/level/level-store.ts';
import { KeyRotation } from './drivers/level/rotate-keys.ts';
import { keySourceOf } from './drivers/level/store-key.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';

interface Ground {
  readonly config: Config;
  readonly store: LevelStore;
  readonly writer: SerialWriter;
  /** Whether so many bytes may be written besides what is always written. */
  readonly hasRoom: (bytes: number) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
}

/** Goes on with what a restart has interrupted when resume() is called. */
export const createKeyRotation = ({ config, store, writer, hasRoom, clock, log, onChange }: Ground): KeyRotation =>
  new KeyRotation({
    dataDir: config.dataDir,
    key: keySourceOf(process.env, config.store.keyFile),
    store,
    hasRoom,
    log: log.child({ part: 'store keys' }),
    onDone: (detail) => {
      const time = { at: clock.now(), clockSynchronized: clock.isSynchronized() };
      writer.record({ event: 'store-key-rotated', ...time, detail: { ...detail } });
      onChange();
    },
  });
