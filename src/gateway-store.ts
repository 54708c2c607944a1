// The store as the gateway trusts it: what a start has found, and what is found by reading it through later.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { CardLook } from './app/card-look.ts';
import type { SerialWriter } from './app/serial-writer.ts';
import { StoreScrub } from './app/store-scrub.ts';
import { StoreTrust } from './app/store-trust.ts';
import type { Config } from './config/config.ts';
import type { LevelStore } from './drivers/level/level-store.ts';
import { suspectCards } from './drivers/level/trusted-store.ts';
import { verifyRecords } from './drivers/level/verify-store.ts';
import { CardeaError, errorMessage } from './errors.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';

/** Between two slices: a tap never meets more than one slice, and a million records take some minutes. */
const PAUSE_MILLISECONDS = 2;

export interface StoreGuard {
  readonly trust: StoreTrust;
  /** Not started. */
  readonly scrub: StoreScrub;
  /** Not started; undefined where the start has looked at all cards. */
  readonly cardLook: CardLook | undefined;
  readonly alarms: () => readonly string[];
}

export const guardStore = (deps: {
  readonly config: Config;
  readonly store: LevelStore;
  /** The doors were to work before all cards were looked at. */
  readonly areCardsUnseen: boolean;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
  /** The store cannot be trusted, and the next start knows it: the process is to end. */
  readonly onDamage: (reason: string) => void;
}): StoreGuard => {
  const cardLook = deps.areCardsUnseen ? createCardLook(deps) : undefined;
  const trust = trustIn(deps.store, deps.config, cardLook);
  const scrub = createScrub(deps);
  return { trust, scrub, cardLook, alarms: () => [...trust.alarms(), ...scrub.alarms()] };
};

const trustIn = (
  store: LevelStore,
  { dataDir, store: { failurePolicy } }: Config,
  cardLook: CardLook | undefined,
): StoreTrust => {
  const damage = store.damage();
  const isKept = damage !== undefined && existsSync(join(dataDir, damage.setAside));
  return new StoreTrust({ store, policy: failurePolicy, isKept, faultFound: () => cardLook?.fault });
};

const createCardLook = ({ config, store, log: parent, onDamage }: Parameters<typeof guardStore>[0]): CardLook => {
  const log = parent.child({ part: 'store' });
  return new CardLook({
    faultIn: (bucket) => store.faultInBucket(bucket),
    log,
    onFault: (fault) => {
      log.error({ fault }, 'the store is damaged: no card opens a door any more');
      suspectCards(config.dataDir)
        .catch((error: unknown) => log.error({ err: errorMessage(error) }, 'the next start will not know it'))
        .finally(() => onDamage(`the store is damaged: ${fault}`));
    },
  });
};

const createScrub = ({ store, writer, clock, log, onChange }: Parameters<typeof guardStore>[0]): StoreScrub => {
  const onProgress = async (): Promise<void> => {
    if (scrub.isStopped) throw new CardeaError('store-open-failed', 'the gateway stops');
    await pause(PAUSE_MILLISECONDS);
  };
  const verify = (): Promise<string | undefined> => verifyRecords(store, { onProgress });
  const scrub = new StoreScrub({ verify, writer, clock, log: log.child({ part: 'store' }), onChange });
  return scrub;
};
