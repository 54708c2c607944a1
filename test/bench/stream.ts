// 100,000 changes through mosquitto until the last is durable, and what a look-up waits meanwhile.

import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { answerOf, startChild } from './children.ts';
import { type Figure, milli, spread } from './figures.ts';
import { benchConfiguration, socketIn, untilStatus } from './gateway-status.ts';

const COUNT = 100_000;
/** Messages that the publisher has under way. */
const WINDOW = 500;
/** What a site with bursts sets; mosquitto's own is 20. */
const SETTINGS = ['set_tcp_nodelay true', 'max_inflight_messages 256'];

interface Report {
  readonly lookups: readonly number[];
  readonly latenesses: readonly number[];
}

export const measureStream = async (addedToSync: number): Promise<readonly Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const broker = await Mosquitto.start({ settings: SETTINGS });
  const configFile = join(folder, 'cardea.yaml');
  writeFileSync(configFile, `${benchConfiguration(broker.port, folder)}log: { level: warn }\n`);
  const gateway = startChild('test/bench/stream-gateway.ts', configFile, String(addedToSync));
  await answerOf(gateway);
  const baseline = await measurePublishing(broker.port);
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  gateway.send('reset');
  const start = performance.now();
  const publisher = publishing('cardea/hq/hr/card-bound', broker.port);
  await untilStatus(socketIn(folder), ({ roster }) => roster.revision >= COUNT);
  const seconds = (performance.now() - start) / 1000;
  const reported = answerOf<Report>(gateway);
  gateway.send('report');
  const { lookups, latenesses } = await reported;
  if (publisher.exitCode === null) await once(publisher, 'exit');
  gateway.send('stop');
  await once(gateway, 'exit');
  await broker.close();
  rmSync(folder, { recursive: true });
  const rate = `${Math.round(COUNT / seconds)} changes/s`;
  const name = addedToSync === 0 ? 'stream of 100,000 changes' : `the same, ${addedToSync} ms added to each sync`;
  return [
    {
      what: name,
      median: `${seconds.toFixed(1)} s`,
      p99: '',
      baseline: `${rate}; published alone: ${baseline}`,
      aim: addedToSync === 0 ? 'under 8 s' : 'over 5,000 changes/s',
    },
    { what: '  look-up of a card during it', ...spread(lookups, milli), baseline: '', aim: 'p99 under 1 ms' },
    { what: '  a timer (a tap) comes late by', ...spread(latenesses, milli), baseline: '', aim: '' },
  ];
};

/** What the publisher and the broker take alone, on a topic that nobody reads. */
const measurePublishing = async (port: number): Promise<string> => {
  const start = performance.now();
  await once(publishing('bench/unread', port), 'exit');
  return `${((performance.now() - start) / 1000).toFixed(1)} s`;
};

const publishing = (topic: string, port: number): ChildProcess =>
  startChild('test/bench/stream-messages.ts', topic, String(port), String(COUNT), String(WINDOW));
