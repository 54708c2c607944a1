// From starting the bundle to ready, and its memory then, with 100,000 cards in the store.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { openDataDir } from '../fixtures/test-store.ts';
import { type Figure, milli, percentile, spread } from './figures.ts';
import { fillStore } from './roster-fixture.ts';

const CARDS = 100_000;
const STARTS = 15;

export const measureColdStart = async (): Promise<Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const store = await openDataDir(join(folder, 'data'));
  await fillStore(store, CARDS);
  await store.close();
  const gateway = new GatewayProcess(folder, configuration(folder));
  const starts: number[] = [];
  const memory: number[] = [];
  const bare: number[] = [];
  for (let i = 0; i < STARTS; i++) {
    const bareStart = performance.now();
    spawnSync(process.execPath, ['-e', '0']);
    bare.push(performance.now() - bareStart);
    const start = performance.now();
    await gateway.start();
    starts.push(performance.now() - start);
    memory.push(residentMebibytes(gateway.pid));
    await gateway.stop();
  }
  rmSync(folder, { recursive: true });
  return [
    {
      what: 'bundle: start -> ready, 100,000 cards',
      ...spread(starts, milli),
      baseline: `node -e 0: ${milli(percentile(bare, 0.5))}`,
      aim: '< 500 ms',
    },
    {
      what: 'bundle: RSS when ready, 100,000 cards',
      ...spread(memory, (mebibytes) => `${mebibytes.toFixed(0)} MiB`),
      baseline: '',
      aim: '< 90 MiB',
    },
  ];
};

const residentMebibytes = (pid: number | undefined): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) / 1024;

const configuration = (folder: string): string => `
site: hq
gateway: bench
dataDir: ${folder}/data
mqtt: { embedded: { port: 0 } }
trust: { messages: unsigned }
gpio: { driver: simulated }
doors: { front: { strike: {} } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${folder}/cardea.sock }
`;
