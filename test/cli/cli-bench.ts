// Runs commands in this process, through the same entry as the executable, against a gateway on a real socket.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { startAdmin } from '../../src/admin/server.ts';
import type { ExitCode } from '../../src/cli/exit-codes.ts';
import { runCommand } from '../../src/cli/program.ts';
import type { CliEnvironment } from '../../src/cli/session.ts';
import type { Terminal } from '../../src/cli/terminal.ts';
import { backupFiles } from '../../src/drivers/backup/backup-file.ts';
import { isSnapshotRecord } from '../../src/drivers/level/snapshot-records.ts';
import { CardeaError } from '../../src/errors.ts';
import { AdminBench, type AdminBenchOptions } from '../admin/admin-bench.ts';

export class FakeTerminal implements Terminal {
  output = '';
  errors = '';
  isInteractive = false;
  canAsk = false;
  hasColour = false;
  errorTerminal: NodeJS.WritableStream | undefined;
  readonly width = 100;
  /** After so many writes nobody reads any more. */
  writesLeft = Number.POSITIVE_INFINITY;

  async write(text: string): Promise<void> {
    if (this.writesLeft <= 0) throw new CardeaError('output-closed', 'nobody reads');
    this.writesLeft -= 1;
    this.output += text;
  }

  writeError(text: string): void {
    this.errors += text;
  }
}

export interface CommandResult {
  readonly code: ExitCode;
  readonly output: string;
  readonly errors: string;
}

export const OPERATOR = 'ada';

/** A world in which no gateway can be started and nobody sends signals; `changes` make another one of it. */
export const environmentWith = (terminal: Terminal, changes: Partial<CliEnvironment> = {}): CliEnvironment => ({
  terminal,
  version: '1.2.3',
  env: {},
  operator: () => OPERATOR,
  backupFiles: async () => backupFiles,
  backupRecords: async () => isSnapshotRecord,
  startArchive: () => Promise.reject(new CardeaError('link-offline', 'no archive in this test')),
  startGateway: () => Promise.reject(new CardeaError('gpio-unavailable', 'no gateway in this test')),
  startDesk: () => Promise.reject(new CardeaError('store-locked', 'no desk in this test')),
  deskKeys: async () => [],
  offlineDesk: () => Promise.reject(new CardeaError('store-locked', 'no desk in this test')),
  onEndSignal: () => () => {},
  onHangUp: () => () => {},
  prompts: () => Promise.reject(new CardeaError('cancelled', 'nobody answers in this test')),
  readInput: async () => Buffer.of(),
  exitNow: () => {},
  ...changes,
});

export const run = async (args: readonly string[], changes: Partial<CliEnvironment> = {}): Promise<CommandResult> => {
  const terminal = new FakeTerminal();
  const code = await runCommand(args, environmentWith(terminal, changes));
  return { code, output: terminal.output, errors: terminal.errors };
};

export const folderFor = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-cli-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

/** A gateway behind a socket, and `cardea ARGS --socket ...` to it. */
export const startBench = async (t: TestContext, options: AdminBenchOptions = {}) => {
  const bench = await AdminBench.start(options);
  const socket = join(folderFor(t), 'admin.sock');
  const admin = await startAdmin({ socket, operations: bench.dependencies });
  t.after(() => admin.close());
  bench.writer.onCommit = () => admin.onCommitted();
  const cardea = (...args: string[]): Promise<CommandResult> => run([...args, '--socket', socket]);
  return { bench, admin, socket, cardea };
};
