import { UNREADABLE_ORDERS } from '../../src/domain/door-mode.ts';
import { CardeaError } from '../../src/errors.ts';
import { eventLogContract } from '../contracts/event-log.contract.ts';
import { snapshotContract } from '../contracts/snapshot.contract.ts';
import { type StoreHarness, storeContract } from '../contracts/store.contract.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';

const makeHarness = async (): Promise<StoreHarness> => {
  const disk = new MemoryDisk();
  const opened: MemoryStore[] = [];
  return {
    open: async () => {
      const store = new MemoryStore(disk);
      opened.push(store);
      return store;
    },
    garbleCard: async (card) => void disk.garbledCards.add(card),
    garbleCardholder: async (id) => void disk.garbledCardholders.add(id),
    garbleEntry: async (sequence) => void disk.garbledEntries.add(sequence),
    garbleCalendar: async () => {
      disk.calendar = 'unreadable';
    },
    garbleOrders: async (door) => void disk.doorOrders.set(door, UNREADABLE_ORDERS),
    breakWrites: async () => {
      for (const store of opened) store.commitFailure = new CardeaError('store-write-failed', 'the disk is full');
    },
    dispose: async () => {},
  };
};

storeContract('MemoryStore', makeHarness);
eventLogContract('MemoryStore', makeHarness);
snapshotContract('MemoryStore', makeHarness);
