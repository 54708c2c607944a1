import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { JournalFile } from '../../../src/drivers/journal/journal-file.ts';

const scratch = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-journal-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'events.ndjson');
};

const linesIn = async (path: string): Promise<string[]> => {
  const journal = await JournalFile.open(path);
  const lines: string[] = [];
  for await (const line of journal.lines()) lines.push(line);
  await journal.close();
  return lines;
};

test('lines are there in order when the file is opened again, however many and however long', async (t) => {
  const path = scratch(t);
  const journal = await JournalFile.open(path);
  const lines = Array.from({ length: 2_000 }, (_, index) => `${index} ä${'x'.repeat(index % 300)}`);
  await journal.append(lines.slice(0, 3));
  await journal.append(lines.slice(3));
  await journal.append([]);
  await journal.close();
  assert.deepEqual(await linesIn(path), lines);
  assert.equal(statSync(path).mode & 0o007, 0, 'others may not read it');
});

test('what a power cut left of a line is cut off, and the next line begins where it began', async (t) => {
  const path = scratch(t);
  const journal = await JournalFile.open(path);
  await journal.append(['one', 'two']);
  await journal.close();
  appendFileSync(path, '{"type":"ev');
  const again = await JournalFile.open(path);
  await again.append(['three']);
  await again.close();
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\nthree\n');
});

test('a file with nothing but a piece of a line is empty', async (t) => {
  const path = scratch(t);
  appendFileSync(path, 'x'.repeat(200_000));
  assert.deepEqual(await linesIn(path), []);
});

test('of two that write to one file, what the first has stored is not written over', async (t) => {
  const path = scratch(t);
  const [first, second] = [await JournalFile.open(path), await JournalFile.open(path)];
  await first.append(['one', 'two']);
  await assert.rejects(second.append(['zero']), { code: 'archive-shared' });
  await first.append(['three']);
  await Promise.all([first.close(), second.close()]);
  assert.deepEqual(await linesIn(path), ['one', 'two', 'three']);
});

test('a place where no file can be is refused', async () => {
  await assert.rejects(JournalFile.open('/proc/none/events.ndjson'));
});
