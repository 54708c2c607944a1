// publish -> durable -> receipt through mosquitto, one change at a time, beside a bare synced LevelDB put in the same run.

import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { connectAsync } from 'mqtt';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { type Figure, milli, percentile, spread } from './figures.ts';
import { benchConfiguration } from './gateway-status.ts';
import { streamMessage } from './stream-messages.ts';

const CHANGES = 1_000;

export const measureChanges = async (): Promise<Figure> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const puts = await measureSyncedPuts(join(folder, 'bare'));
  // Without it mosquitto holds small packets back until the one before was acknowledged: 40 ms a hop (Nagle and delayed ACK).
  const broker = await Mosquitto.start({ settings: ['set_tcp_nodelay true'] });
  const echoes = await measureEchoes(broker.port);
  const gateway = new GatewayProcess(folder, benchConfiguration(broker.port, folder));
  await gateway.start();
  const hr = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  if (hr.stream instanceof Socket) hr.stream.setNoDelay(true);
  // The birth message: from here on the gateway is subscribed.
  const birth = new Promise<void>((resolve) => hr.once('message', () => resolve()));
  await hr.subscribeAsync('cardea/hq/gateways/bench/status', { qos: 1 });
  await birth;
  await hr.unsubscribeAsync('cardea/hq/gateways/bench/status');
  await hr.subscribeAsync('cardea/hq/gateways/bench/receipt', { qos: 1 });
  const samples: number[] = [];
  for (let revision = 1; revision <= CHANGES + 50; revision++) {
    const start = performance.now();
    const receipt = new Promise<void>((resolve) => hr.once('message', () => resolve()));
    hr.publish('cardea/hq/hr/card-bound', streamMessage(revision), { qos: 1 });
    await receipt;
    if (revision > 50) samples.push(performance.now() - start);
  }
  await hr.endAsync();
  await gateway.stop();
  await broker.close();
  rmSync(folder, { recursive: true });
  return {
    what: 'publish -> durable -> receipt, mosquitto, one at a time',
    ...spread(samples, milli),
    baseline: [
      `synced put: ${milli(percentile(puts, 0.5))}, p99 ${milli(percentile(puts, 0.99))}`,
      `echo through the broker: ${milli(percentile(echoes, 0.5))}, p99 ${milli(percentile(echoes, 0.99))}`,
    ].join('; '),
    aim: `p99 < 3x = ${milli(3 * percentile(puts, 0.99))}`,
  };
};

/** What the broker alone costs: a message there and back again, both ends in this process. */
const measureEchoes = async (port: number): Promise<number[]> => {
  const [near, far] = [await connectAsync(`mqtt://127.0.0.1:${port}`), await connectAsync(`mqtt://127.0.0.1:${port}`)];
  for (const { stream } of [near, far]) if (stream instanceof Socket) stream.setNoDelay(true);
  await far.subscribeAsync('bench/there', { qos: 1 });
  await near.subscribeAsync('bench/back', { qos: 1 });
  far.on('message', (_topic, payload) => far.publish('bench/back', payload, { qos: 1 }));
  const payload = streamMessage(1);
  const samples: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    const start = performance.now();
    const back = new Promise<void>((resolve) => near.once('message', () => resolve()));
    near.publish('bench/there', payload, { qos: 1 });
    await back;
    samples.push(performance.now() - start);
  }
  await Promise.all([near.endAsync(true), far.endAsync(true)]);
  return samples;
};

const measureSyncedPuts = async (location: string): Promise<number[]> => {
  const db = new Level<string, string>(location);
  await db.open();
  const value = 'x'.repeat(400);
  const samples: number[] = [];
  for (let i = 0; i < CHANGES; i++) {
    const start = performance.now();
    await db.batch([{ type: 'put', key: `card-${i}`, value }], { sync: true });
    samples.push(performance.now() - start);
  }
  await db.close();
  return samples;
};
