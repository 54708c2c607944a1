// The store as the gateway trusts it: what a start has found, and what is found by reading it through later.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { SerialWriter } from './app/serial-writer.ts';
import { StoreScrub } from './app/store-scrub.ts';
import { StoreTrust } from './app/store-trust.ts';
import type { Config } from './config/config.ts';
import type { LevelStore } from './drivers/level/level-store.ts';
import { verifyAsStart, verifyRecords } from './drivers/level/verify-store.ts';
import { CardeaError } from './errors.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';

/** Between two slices: a tap never meets more than one slice, and a million records take some minutes. */
const PAUSE_MILLISECONDS = 2;

export interface StoreGuard {
  readonly trust: StoreTrust;
  /** Not started. */
  readonly scrub: StoreScrub;
  readonly alarms: () => readonly string[];
}

export const guardStore = (deps: {
  readonly config: Config;
  readonly store: LevelStore;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
  /** The store is not to be trusted, and a start will set it aside: the gateway is to end. */
  readonly onDamage: (reason: string) => void;
}): StoreGuard => {
  const trust = trustIn(deps.store, deps.config);
  const scrub = createScrub(deps);
  return { trust, scrub, alarms: () => [...trust.alarms(), ...scrub.alarms()] };
};

const trustIn = (store: LevelStore, { dataDir, store: { failurePolicy } }: Config): StoreTrust => {
  const damage = store.damage();
  const isKept = damage !== undefined && existsSync(join(dataDir, damage.setAside));
  return new StoreTrust({ store, policy: failurePolicy, isKept });
};

const createScrub = (deps: Parameters<typeof guardStore>[0]): StoreScrub => {
  const { store, writer, clock, log, onChange, onDamage } = deps;
  const onProgress = async (): Promise<void> => {
    if (scrub.isStopped) throw new CardeaError('store-open-failed', 'the gateway stops');
    await pause(PAUSE_MILLISECONDS);
  };
  const scrub = new StoreScrub({
    verify: () => verifyRecords(store, { onProgress }),
    verifyAsStart: () => verifyAsStart(store, { onProgress }),
    onSetAside: (reason) => onDamage(`the store is damaged, and the next start sets it aside: ${reason}`),
    writer,
    clock,
    log: log.child({ part: 'store' }),
    onChange,
  });
  return scrub;
};
