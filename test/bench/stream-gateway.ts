// The gateway as a process of its own for the stream measurement: its sync may be slowed down, and it looks cards up while it runs.
// Arguments: configuration file, milliseconds added to each sync. Says what it has measured when asked.

import { loadConfig } from '../../src/config/load.ts';
import { LevelStore } from '../../src/drivers/level/level-store.ts';
import { startGateway } from '../../src/gateway.ts';
import { streamCard } from './stream-messages.ts';

const [configFile = '', delayText = '0'] = process.argv.slice(2);
const delay = Number(delayText);
const commit = LevelStore.prototype.commit;
let store: LevelStore | undefined;
LevelStore.prototype.commit = async function (batch) {
  store = this;
  if (delay > 0) await new Promise((resolve) => setTimeout(resolve, delay));
  return commit.call(this, batch);
};

/** Milliseconds that look-ups took, and by which a timer, such as a tap's turn, came late. */
const lookups: number[] = [];
const latenesses: number[] = [];
const look = (): void => {
  const start = performance.now();
  setTimeout(() => {
    latenesses.push(performance.now() - start - 5);
    const before = performance.now();
    store?.findCard(streamCard(1 + Math.floor(Math.random() * 100_000)));
    lookups.push(performance.now() - before);
    look();
  }, 5);
};
look();

const gateway = await startGateway(loadConfig(configFile).config);
process.on('message', (request) => {
  if (request === 'reset') {
    lookups.length = 0;
    latenesses.length = 0;
  } else if (request === 'report') {
    process.send?.({ lookups, latenesses });
  } else {
    void gateway.stop('measured').then(() => process.exit(0));
  }
});
process.send?.('ready');
