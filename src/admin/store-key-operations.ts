// Replacing the keys of the store, on a technician's order. Who has ordered it is in the log before anything is replaced.

import type { SerialWriter } from '../app/serial-writer.ts';
import { CardeaError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { RotationBegun, RotationView, StoreKeyRotation } from '../ports/store-key-rotation.ts';

interface Dependencies {
  readonly storeKeys?: StoreKeyRotation;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
}

/** Rejects with CardeaError `store-write-failed`, and as StoreKeyRotation.begin does. */
export const rotateStoreKeys = async (deps: Dependencies, operator: string): Promise<RotationBegun> => {
  const { writer, clock, log } = deps;
  const keys = keysOf(deps);
  const detail = { action: 'rotate-store', operator };
  log.warn(detail, 'operator replaces the keys of the store');
  await writer.write((tx) => {
    const time = { at: clock.now(), clockSynchronized: clock.isSynchronized() };
    tx.append({ event: 'operator-action', ...time, detail });
  });
  return keys.begin();
};

export const viewRotation = (deps: Dependencies): RotationView => keysOf(deps).view();

const keysOf = ({ storeKeys }: Dependencies): StoreKeyRotation => {
  if (storeKeys === undefined) throw new CardeaError('invalid-request', 'the store of this gateway has no keys');
  return storeKeys;
};
