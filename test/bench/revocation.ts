// HR revokes a card: until the door denies it, and until each gateway's receipt is there.

import { mkdtempSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { type Figure, milli, percentile, spread } from './figures.ts';
import { benchConfiguration, socketIn, tapAt, untilStatus } from './gateway-status.ts';
import { streamCard, streamMessage } from './stream-messages.ts';

const REVOCATIONS = 100;
/** Started side by side: more would only wait for each other. */
const TOGETHER = 5;

export const measureRevocations = async (gateways: number): Promise<readonly Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const broker = await Mosquitto.start({ settings: ['set_tcp_nodelay true'] });
  const folders = Array.from({ length: gateways }, (_, index) => join(folder, `g${index}`));
  const running: GatewayProcess[] = [];
  for (let from = 0; from < gateways; from += TOGETHER) {
    const some = folders.slice(from, from + TOGETHER).map((path, index) => {
      const name = `bench-${from + index}`;
      return new GatewayProcess(path, benchConfiguration(broker.port, path, name));
    });
    await Promise.all(some.map((gateway) => gateway.start()));
    running.push(...some);
  }
  const hr = await connectAsync(`mqtt://127.0.0.1:${broker.port}`);
  if (hr.stream instanceof Socket) hr.stream.setNoDelay(true);
  for (let revision = 1; revision <= REVOCATIONS; revision++) {
    await hr.publishAsync('cardea/hq/hr/card-bound', streamMessage(revision), { qos: 1 });
  }
  for (const path of folders) await untilStatus(socketIn(path), ({ roster }) => roster.revision === REVOCATIONS);
  await hr.subscribeAsync('cardea/hq/gateways/+/receipt', { qos: 1 });
  const denied: number[] = [];
  const receipted: number[] = [];
  const all: number[] = [];
  for (let index = 1; index <= REVOCATIONS; index++) {
    const start = performance.now();
    let missing = gateways;
    const receipts = new Promise<void>((resolve) => {
      const onMessage = (_topic: string, payload: Buffer): void => {
        if (JSON.parse(payload.toString()).revision !== REVOCATIONS + index) return;
        receipted.push(performance.now() - start);
        missing -= 1;
        if (missing > 0) return;
        hr.off('message', onMessage);
        resolve();
      };
      hr.on('message', onMessage);
    });
    hr.publish('cardea/hq/hr/card-revoked', revocation(index), { qos: 1 });
    await untilDenied(socketIn(folders[0] ?? ''), index);
    denied.push(performance.now() - start);
    await receipts;
    all.push(performance.now() - start);
  }
  const taps = await timeTaps(socketIn(folders[0] ?? ''));
  await hr.endAsync(true);
  await Promise.all(running.map((gateway) => gateway.stop()));
  await broker.close();
  rmSync(folder, { recursive: true });
  const where = gateways === 1 ? '1 gateway' : `${gateways} gateways`;
  return [
    {
      what: `revocation -> denied at the door, ${where}`,
      ...spread(denied, milli),
      baseline: `a tap over the admin socket: ${milli(percentile(taps, 0.5))}, p99 ${milli(percentile(taps, 0.99))}`,
      aim: '',
    },
    { what: `revocation -> receipt, ${where}`, ...spread(receipted, milli), baseline: '', aim: '' },
    ...(gateways === 1
      ? []
      : [{ what: 'revocation -> the last receipt', ...spread(all, milli), baseline: '', aim: '' }]),
  ];
};

/** Taps one after the other until the door says no. */
const untilDenied = async (socket: string, index: number): Promise<void> => {
  for (;;) if ((await tapAt(socket, streamCard(index))).outcome === 'denied') return;
};

const timeTaps = async (socket: string): Promise<number[]> => {
  const samples: number[] = [];
  for (let index = 1; index <= REVOCATIONS; index++) {
    const start = performance.now();
    await tapAt(socket, streamCard(index));
    samples.push(performance.now() - start);
  }
  return samples;
};

const revocation = (index: number): string =>
  JSON.stringify({
    type: 'card-revoked',
    site: 'hq',
    messageId: `r-${index}`,
    revision: REVOCATIONS + index,
    issuedAt: '2026-11-22T09:00:00+08:00',
    operator: 'bench',
    card: streamCard(index),
    reason: 'lost',
  });
