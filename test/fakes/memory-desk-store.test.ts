import { deskStoreContract } from '../contracts/desk-store.contract.ts';
import { MemoryDeskStore } from './memory-desk-store.ts';

deskStoreContract('MemoryDeskStore', async () => {
  const disk = new Map<string, string>();
  const opened: MemoryDeskStore[] = [];
  return {
    open: async () => {
      const store = new MemoryDeskStore(disk);
      opened.push(store);
      return store;
    },
    breakWrites: async () => {
      for (const store of opened) store.isBroken = true;
    },
    garble: async (kind, key) => void disk.set(`${kind}!${key}`, '{"card"'),
    dispose: async () => {},
  };
});
