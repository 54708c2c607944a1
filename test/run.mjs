// Runs the test files below the given folders (default: all that need nothing but npm) and fails when no test was executed:
// on Node 20 a pattern that matches nothing passes silently. By default several files share a process: most of them run for
// less time than a process takes to start.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

/** Suites that need a broker, a virtual board or time of their own; each has its script. */
const APART = ['test/brokers', 'test/mosquitto', 'test/storms', 'test/board', 'test/bench', 'test/disk'];

const folders = process.argv.slice(2);
const isApart = (file) => APART.some((folder) => file.startsWith(`${folder}/`));
const filesBelow = (folder) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.test.ts'))
    .map((entry) => relative('.', join(entry.parentPath ?? entry.path, entry.name)));

const files = folders.length === 0 ? filesBelow('test').filter((file) => !isApart(file)) : folders.flatMap(filesBelow);
if (files.length === 0) {
  console.error(`no test files below ${folders.join(', ') || 'test'}`);
  process.exit(1);
}

const scratch = mkdtempSync(join(tmpdir(), 'cardea-test-'));
const tap = join(scratch, 'result.tap');

/**
 * In one process. Each loads the project anew, which takes seconds; with more in one the processors would be idle at the end. The
 * slow suites need one for each.
 */
const GROUP_SIZE = folders.length === 0 ? 20 : 1;
/** What takes longest begins first, so that nothing long is left alone at the end. */
const LONGEST = ['test/flows', 'test/drivers', 'test/faults', 'test/cli', 'test/desk', 'test/config'];

const rankOf = (file) => {
  const rank = LONGEST.findIndex((folder) => file.startsWith(`${folder}/`));
  return rank < 0 ? LONGEST.length : rank;
};

/** Neighbours share what they load. */
const groupsOf = (files) => {
  const inOrder = files.toSorted((a, b) => rankOf(a) - rankOf(b) || (a < b ? -1 : 1));
  return Array.from({ length: Math.ceil(inOrder.length / GROUP_SIZE) }, (_, index) =>
    inOrder.slice(index * GROUP_SIZE, (index + 1) * GROUP_SIZE),
  );
};

const asOneFile = (group, index) => {
  const path = join(scratch, `group-${index}.test.mjs`);
  writeFileSync(path, group.map((file) => `import ${JSON.stringify(pathToFileURL(resolve(file)).href)};\n`).join(''));
  return path;
};
const { status } = spawnSync(
  process.execPath,
  [
    '--import',
    'tsx',
    '--test',
    // The slow suites are themselves several processes each.
    `--test-concurrency=${folders.length === 0 ? 4 : 2}`,
    '--test-reporter=spec',
    '--test-reporter-destination=stdout',
    '--test-reporter=tap',
    `--test-reporter-destination=${tap}`,
    ...groupsOf(files).map(asOneFile),
  ],
  { stdio: 'inherit' },
);
const summary = readFileSync(tap, 'utf8');
rmSync(scratch, { recursive: true });
const count = (what) => Number(new RegExp(`^# ${what} (\\d+)$`, 'm').exec(summary)?.[1] ?? 0);
const [tests, skipped, todo] = [count('tests'), count('skipped'), count('todo')];
if (tests === 0 || skipped > 0 || todo > 0) {
  console.error(
    `${files.length} files, but ${tests} tests ran, ${skipped} skipped, ${todo} to do: none may be skipped, some must run`,
  );
  process.exit(1);
}
process.exit(status ?? 1);
