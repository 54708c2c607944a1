// Whether a process lives to read a store to its end: LevelDB ends the process at some kinds of damage (assertions on what it reads
// from a table), before anybody can be told what is wrong.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';

const MODULE = import.meta.url.endsWith('.ts') ? 'store-probe.ts' : 'store-probe.js';

/** How LevelDB ends a process, and how the kernel does that reads where nothing is. A probe that is stopped proves nothing. */
const DEATHS: readonly NodeJS.Signals[] = ['SIGABRT', 'SIGSEGV', 'SIGBUS', 'SIGILL', 'SIGFPE'];

/** The signal that the reader died of, who repairs a copy first; undefined when it lived, or could not be started. */
export const deathOfReader = async (directory: string, task?: 'repair'): Promise<NodeJS.Signals | undefined> => {
  // LevelDB makes a directory where there is none, which would then be taken for a store.
  if (!existsSync(directory)) return undefined;
  const probe = new URL(MODULE, import.meta.url).pathname;
  // Sources need what the bundle does not.
  const loader = MODULE.endsWith('.ts') ? ['--import', import.meta.resolve('tsx')] : [];
  const child = spawn(process.execPath, [...loader, probe, directory, String(process.pid), task ?? 'read'], {
    stdio: ['pipe', 'ignore', 'ignore'],
  });
  return await new Promise((resolve) => {
    child.on('error', () => resolve(undefined));
    child.on('exit', (code, signal) => resolve(DEATHS.find((death) => death === signal || codeOf(death) === code)));
  });
};

/** As a shell reports a signal. */
const codeOf = (signal: NodeJS.Signals): number => 128 + (constants.signals[signal] ?? 0);
