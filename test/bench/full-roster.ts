// An empty gateway fills itself from HR's pages; then ten cards of all are missing and are repaired.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { QUIET } from '../../src/app/reconcile-roster.ts';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { answerOf, startChild } from './children.ts';
import type { DeskReport } from './desk-process.ts';
import { type Figure, milli } from './figures.ts';
import { benchConfiguration, socketIn, untilStatus } from './gateway-status.ts';

const MEBIBYTE = 1024 * 1024;

export const measureFullRoster = async (cards: number): Promise<readonly Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const broker = await Mosquitto.start({ settings: ['set_tcp_nodelay true'] });
  const desk = startChild('test/bench/desk-process.ts', String(broker.port), String(cards));
  const { digest } = await answerOf<DeskReport>(desk);
  const gateway = new GatewayProcess(folder, benchConfiguration(broker.port, folder));
  await gateway.start();
  const holds = (expected: string) => untilStatus(socketIn(folder), ({ roster }) => roster.digest === expected, 50);
  const filled = await holds(digest);
  const full = await ask(desk, 'report');
  const peak = peakMemory(gateway.pid);

  const missed = await ask(desk, 'miss');
  const repaired = await holds(missed.digest);
  const after = await ask(desk, 'report');
  await gateway.stop();
  desk.kill();
  await broker.close();
  rmSync(folder, { recursive: true });
  const name = cards.toLocaleString('en');
  return [
    {
      what: `full roster of ${name} cards by pages`,
      median: `${(filled.milliseconds / 1000).toFixed(1)} s`,
      p99: '',
      baseline: `${full.pages} pages, ${mebibytes(full.pageBytes)}, ${full.requests} requests; peak RSS ${peak}`,
      aim: cards === 1_000_000 ? 'under 90 s, RSS under 350 MiB' : '',
    },
    {
      what: `repair of 10 missing among ${name}`,
      median: milli(repaired.milliseconds - QUIET),
      p99: '',
      baseline: `and ${QUIET} ms of quiet before; ${after.pages - full.pages} pages, ${mebibytes(after.pageBytes - full.pageBytes)}, ${after.requests - full.requests} requests`,
      aim: '',
    },
  ];
};

const ask = (desk: ReturnType<typeof startChild>, request: 'report' | 'miss'): Promise<DeskReport> => {
  const answer = answerOf<DeskReport>(desk);
  desk.send(request);
  return answer;
};

const mebibytes = (bytes: number): string => `${(bytes / MEBIBYTE).toFixed(1)} MiB`;

/** The most that the process has had resident so far. */
const peakMemory = (pid: number | undefined): string => {
  const kibibytes = Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  return mebibytes(kibibytes * 1024);
};
