// The desk as a service: until a replacement is confirmed everywhere, a batch, a search in a large site, and the memory that it takes.

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Level } from 'level';
import { connectAsync } from 'mqtt';
import type { BatchView, OperationView } from '../../src/desk-api/contract.ts';
import { askUntil, type DeskApi, DeskService } from '../fixtures/desk-service.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { answerOf, startChild } from './children.ts';
import { type Figure, milli, percentile, spread } from './figures.ts';
import { cardAt } from './roster-fixture.ts';

const GATEWAYS = 50;
const EMPLOYEES = 100_000;
const REPLACEMENTS = 200;
const WARM_UP = 20;
const BATCH = 10_000;
/** An import takes 8 MiB. */
const IMPORTED_TOGETHER = 25_000;
/** People with a card: those whose card is replaced. */
const HOLDERS = BATCH + REPLACEMENTS + WARM_UP;
const UNDER_WAY = 50;
const SEARCHES = 300;

const LIGHT = `${GATEWAYS} light gateways (MQTT clients that answer)`;

const SURNAMES = ['王', '李', '张', '刘', '陈', 'Müller', 'Schmidt', 'García', 'Nguyễn', 'Smith'];
const GIVEN = ['小明', '伟', '芳', '秀英', '建国', 'Anna', 'Jörg', 'Lucía', 'Minh', 'Kate'];
const DEPARTMENTS = ['Lab', 'Einkauf', '研发部', 'Security', 'Büro'];
const at = (list: readonly string[], index: number): string => list[index % list.length] ?? '';

const personAt = (index: number) => ({
  id: `E${1_000_000 + index}`,
  name: `${at(SURNAMES, index)} ${at(GIVEN, Math.floor(index / 10))} ${index.toString(36)}`,
  department: at(DEPARTMENTS, Math.floor(index / 7)),
});
const oldCard = (index: number): string => cardAt(index);
const newCard = (index: number): string => cardAt(HOLDERS + index);

export const measureDesk = async (): Promise<readonly Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const broker = await Mosquitto.start({ settings: ['set_tcp_nodelay true', 'max_inflight_messages 200'] });
  const desk = new DeskService({ after: () => {} }, { folder, port: broker.port });
  const gateways = startChild(join(import.meta.dirname, 'light-gateways.ts'), String(broker.port), String(GATEWAYS));
  try {
    await answerOf(gateways);
    const bare = await roundTrips(broker.port);
    await desk.start();
    const empty = residentMiB(desk);
    const { clerk } = await desk.staff('clerk');
    await fill(clerk);
    await askUntil(
      () => clerk.status(),
      ({ openOperations, gateways: known }) => openOperations === 0 && known.length === GATEWAYS,
      600,
    );
    const confirmed = await timeReplacements(clerk);
    const searches = await timeSearches(clerk);
    const batch = await timeBatch(clerk);
    const plain = await timePlainWrites(join(folder, 'plain'));
    const busy = residentMiB(desk);
    await desk.stop();
    await desk.start();
    const filled = residentMiB(desk);
    return [
      {
        what: `replacement -> confirmed at ${LIGHT}`,
        ...spread(confirmed, milli),
        baseline: `bare publish -> ${GATEWAYS} receipts, mqtt.js: ${milli(percentile(bare, 0.5))}, p99 ${milli(percentile(bare, 0.99))}`,
        aim: '',
      },
      {
        what: `batch of ${BATCH.toLocaleString('en')} -> durable and answered for`,
        median: seconds(batch.finished),
        p99: '',
        baseline: `${BATCH.toLocaleString('en')} x 9 records in LevelDB, 25 x 9 a synced batch: ${seconds(plain)}`,
        aim: '',
      },
      {
        what: `batch of ${BATCH.toLocaleString('en')} -> confirmed at ${LIGHT}`,
        median: seconds(batch.confirmed),
        p99: '',
        baseline: `${Math.round((BATCH * GATEWAYS) / (batch.confirmed / 1000)).toLocaleString('en')} receipts/s`,
        aim: '',
      },
      ...searches,
      {
        what: `RSS with ${EMPLOYEES.toLocaleString('en')} employees, ${HOLDERS.toLocaleString('en')} with a card`,
        median: `${filled} MiB`,
        p99: `${busy} MiB after the batch`,
        baseline: `an empty desk: ${empty} MiB`,
        aim: '',
      },
    ];
  } finally {
    gateways.kill();
    await desk.kill();
    await broker.close();
    rmSync(folder, { recursive: true });
  }
};

const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(1)} s`;

/** From a publish to the receipts of all gateways, with nothing in between but the broker. */
const roundTrips = async (port: number): Promise<readonly number[]> => {
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`);
  if (client.stream instanceof Socket) client.stream.setNoDelay(true);
  await client.subscribeAsync('cardea/hq/gateways/+/receipt', { qos: 1 });
  const samples: number[] = [];
  for (let index = 0; index < REPLACEMENTS + WARM_UP; index++) {
    const person = personAt(index);
    const message = {
      ...{ type: 'card-bound', site: 'hq', messageId: `bare-${index}`, revision: index + 1, operator: 'bench' },
      ...{ issuedAt: new Date().toISOString(), card: oldCard(index), cardholder: person, access: [{ doors: ['*'] }] },
      supersedes: 'all',
    };
    const start = performance.now();
    let missing = GATEWAYS;
    const answered = new Promise<void>((resolve) => {
      const onMessage = (_topic: string, payload: Buffer): void => {
        if (JSON.parse(payload.toString()).messageId !== message.messageId) return;
        missing -= 1;
        if (missing > 0) return;
        client.off('message', onMessage);
        resolve();
      };
      client.on('message', onMessage);
    });
    client.publish('cardea/hq/hr/card-bound', JSON.stringify(message), { qos: 1 });
    await answered;
    if (index >= WARM_UP) samples.push(performance.now() - start);
  }
  await client.endAsync(true);
  return samples;
};

const fill = async (clerk: DeskApi): Promise<void> => {
  for (let from = 0; from < EMPLOYEES; from += IMPORTED_TOGETHER) {
    const employees = Array.from({ length: IMPORTED_TOGETHER }, (_, index) => personAt(from + index));
    await clerk.post('/v1/imports', { employees }, 200);
  }
  let next = 0;
  const bind = async (): Promise<void> => {
    for (let index = next++; index < HOLDERS; index = next++) {
      await clerk.post('/v1/bindings', { cardholder: personAt(index).id, card: oldCard(index) });
    }
  };
  await Promise.all(Array.from({ length: UNDER_WAY }, bind));
};

const replacementOf = (index: number) => ({
  cardholder: personAt(index).id,
  newCard: newCard(index),
  reason: 'lost',
});

/** From the clerk's request to the answer that all gateways have confirmed, one after the other. */
const timeReplacements = async (clerk: DeskApi): Promise<readonly number[]> => {
  const samples: number[] = [];
  for (let index = 0; index < REPLACEMENTS + WARM_UP; index++) {
    const start = performance.now();
    const { operation } = await clerk.post<OperationView>('/v1/replacements', replacementOf(BATCH + index));
    const { proof } = await clerk.operation(operation.id, 60);
    if (proof.state !== 'confirmed') throw new TypeError(`not confirmed: ${JSON.stringify(proof.missing)}`);
    if (index >= WARM_UP) samples.push(performance.now() - start);
  }
  return samples;
};

const timeBatch = async (clerk: DeskApi): Promise<{ readonly finished: number; readonly confirmed: number }> => {
  const rows = Array.from({ length: BATCH }, (_, index) => ({ line: index + 1, ...replacementOf(index) }));
  const start = performance.now();
  await clerk.post('/v1/batches', { id: 'bench', mode: 'all', rows }, 202);
  // To look at it is work for the desk, too.
  const look = (wait: number) => (): Promise<BatchView> => clerk.get(`/v1/batches/bench?lines=none&wait=${wait}`);
  const view = await askUntil(look(0), ({ state }) => state === 'finished', 600, 1_000);
  if (view.refused > 0) throw new TypeError(`${view.refused} lines were refused`);
  const finished = performance.now() - start;
  await askUntil(look(60), ({ confirmed }) => confirmed === BATCH, 900);
  return { finished, confirmed: performance.now() - start };
};

/** What a batch writes at the least: an operation, its three keys, two cards, the counter, the audit record, the line. */
const timePlainWrites = async (folder: string): Promise<number> => {
  const db = new Level<string, string>(folder);
  const value = 'x'.repeat(500);
  const start = performance.now();
  for (let line = 0; line < BATCH; line += 25) {
    const puts = Array.from({ length: 25 * 9 }, (_, index) => ({
      ...{ type: 'put' as const, key: `${(index * 7919) % 9}!${String(line * 9 + index).padStart(9, '0')}` },
      value,
    }));
    await db.batch(puts, { sync: true });
  }
  const taken = performance.now() - start;
  await db.close();
  return taken;
};

const timeSearches = async (clerk: DeskApi): Promise<readonly Figure[]> => {
  const names = Array.from({ length: EMPLOYEES }, (_, index) => personAt(index).name);
  const searches: readonly (readonly [what: string, text: (index: number) => string])[] = [
    ['a name that many have', (index) => at(GIVEN, index)],
    ['two words', (index) => `${at(SURNAMES, index)} ${at(DEPARTMENTS, index)}`],
    ['a name that nobody has', (index) => `Zz${index}`],
    ['an id', (index) => personAt(index * 331).id],
  ];
  const figures: Figure[] = [];
  for (const [what, textOf] of searches) {
    const [asked, filtered]: [number[], number[]] = [[], []];
    for (let index = 0; index < SEARCHES; index++) {
      const text = textOf(index);
      const start = performance.now();
      await clerk.get(`/v1/employees?q=${encodeURIComponent(text)}&limit=20`);
      const between = performance.now();
      names.filter((name) => name.includes(text));
      asked.push(between - start);
      filtered.push(performance.now() - between);
    }
    figures.push({
      what: `search ${EMPLOYEES.toLocaleString('en')} people over HTTP: ${what}`,
      ...spread(asked, milli),
      baseline: `Array.filter of plain names: ${milli(percentile(filtered, 0.5))}`,
      aim: '< 50 ms',
    });
  }
  return figures;
};

const residentMiB = ({ pid }: DeskService): number => {
  const [, kibibytes = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Math.round(Number(kibibytes) / 1024);
};
