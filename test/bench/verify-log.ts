// How long it takes to verify a log that was saved in a file, beside hashing the same lines and nothing else.

import { closeSync, createReadStream, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { readLogFile } from '../../src/cli/log-files.ts';
import { LogVerifier } from '../../src/cli/log-verifier.ts';
import { EMPTY_LOG, type LogTail } from '../../src/domain/access-event.ts';
import { sha256Hex } from '../../src/domain/canonical-json.ts';
import { parseCardholderId, parseDoorId, parseReaderId, parseRevision } from '../../src/domain/ids.ts';
import { chain } from '../fixtures/random-log.ts';
import type { Figure } from './figures.ts';
import { cardAt } from './roster-fixture.ts';

const SLICE = 1000;

export const measureVerification = async (count: number): Promise<Figure[]> => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-bench-'));
  const file = join(folder, 'events.ndjson');
  try {
    writeLog(file, count);
    const before = process.memoryUsage().rss;
    const verified = await timed(() => verify(file, count));
    const grown = Math.max(0, process.memoryUsage().rss - before);
    const hashed = await timed(() => hashLines(file));
    return [
      {
        what: `verify ${count.toLocaleString('en')} records of a file`,
        median: `${(verified / 1000).toFixed(1)} s`,
        p99: `+${Math.round(grown / 2 ** 20)} MiB`,
        baseline: `SHA-256 of each line: ${(hashed / 1000).toFixed(1)} s`,
        aim: '',
      },
    ];
  } finally {
    rmSync(folder, { recursive: true });
  }
};

const timed = async (work: () => Promise<void>): Promise<number> => {
  const start = performance.now();
  await work();
  return performance.now() - start;
};

const verify = async (file: string, count: number): Promise<void> => {
  const verifier = new LogVerifier({ witnesses: [], keys: [], needsSignature: false });
  for await (const item of readLogFile(file, () => {})) await verifier.take(item);
  const { fault, chain } = verifier.finish();
  if (fault !== undefined || chain.records !== count)
    throw new TypeError(`the benchmark's log is wrong: ${fault?.message}`);
};

const hashLines = async (file: string): Promise<void> => {
  for await (const line of createInterface({ input: createReadStream(file) })) sha256Hex(line);
};

const [DOOR, READER, REVISION] = [parseDoorId('front'), parseReaderId('front-in'), parseRevision(1042)];

const writeLog = (file: string, count: number): void => {
  const descriptor = openSync(file, 'w');
  let last: LogTail = EMPTY_LOG;
  let lines: string[] = [];
  for (let index = 0; index < count; index++) {
    const record = chain(last, {
      event: 'access-granted',
      door: DOOR,
      reader: READER,
      direction: 'in',
      card: cardAt(index),
      cardholder: parseCardholderId(`E${index}`),
      bindingRevision: REVISION,
    });
    lines.push(`${JSON.stringify(record)}\n`);
    last = record;
    if (lines.length < SLICE && index < count - 1) continue;
    writeSync(descriptor, lines.join(''));
    lines = [];
  }
  closeSync(descriptor);
};
