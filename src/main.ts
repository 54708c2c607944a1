#!/usr/bin/env node
// The `cardea` executable: hands this process to the command line. What a command does not need is not loaded.

import { userInfo } from 'node:os';
import { buffer } from 'node:stream/consumers';
import { processTerminal } from './cli/process-terminal.ts';
import { runCommand } from './cli/program.ts';
import { VERSION } from './version.ts';

/** Handles that a stopped gateway leaves open keep the process no longer than this, in milliseconds. */
const LINGER_LIMIT = 2_000;
const END_SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** Whoever called sudo, rather than root. */
const operator = (): string => {
  const { SUDO_USER } = process.env;
  if (SUDO_USER !== undefined && SUDO_USER !== '') return SUDO_USER;
  try {
    return userInfo().username;
  } catch {
    // A user id without an entry in the password database, as in some containers.
    return `uid-${process.getuid?.() ?? 'unknown'}`;
  }
};

/** A failure while the gateway still starts: nothing is there yet that could be ended in order. */
const endAtOnce = (error: unknown): void => {
  process.stderr.write(`cardea: uncaught failure: ${error instanceof Error ? error.stack : String(error)}\n`);
  process.exit(1);
};

const exitCode = await runCommand(process.argv.slice(2), {
  terminal: processTerminal(process),
  version: VERSION,
  env: process.env,
  operator,
  backupFiles: async () => (await import('./drivers/backup/backup-file.ts')).backupFiles,
  backupRecords: async () => (await import('./drivers/level/snapshot-records.ts')).isSnapshotRecord,
  startArchive: async (config, options) => (await import('./desk-archive.ts')).startArchive(config, options),
  startGateway: async (config, configuration) => {
    const { startGateway } = await import('./gateway.ts');
    let gateway: Awaited<ReturnType<typeof startGateway>> | undefined;
    let makeSafe = (): void => {};
    // Whatever ends this process, and whenever: the strikes are taken to their safe state first.
    process.on('exit', () => makeSafe());
    for (const failure of ['uncaughtException', 'unhandledRejection'] as const) {
      process.on(failure, (error: unknown) => {
        makeSafe();
        if (gateway !== undefined) void gateway.crashed(error);
        else endAtOnce(error);
      });
    }
    gateway = await startGateway(config, {
      configuration,
      onClaimed: (claimed) => {
        makeSafe = claimed;
      },
    });
    return gateway;
  },
  startDesk: async (config, { isService }) => {
    const { startDesk } = await import('./desk-service.ts');
    if (!isService) return await startDesk(config);
    const { createNotifier } = await import('./drivers/systemd/systemd-notifier.ts');
    return await startDesk(config, { notifier: await createNotifier() });
  },
  offlineDesk: async (config) => (await import('./desk-offline.ts')).offlineDesk(config),
  deskKeys: async (dataDir) => (await import('./desk-keys.ts')).openDeskKeys(dataDir).map(({ trusted }) => trusted),
  onEndSignal: (listener) => {
    for (const signal of END_SIGNALS) process.on(signal, listener);
    return () => {
      for (const signal of END_SIGNALS) process.off(signal, listener);
    };
  },
  onHangUp: (listener) => {
    process.on('SIGHUP', listener);
    return () => process.off('SIGHUP', listener);
  },
  prompts: async () => (await import('./cli/prompts.ts')).terminalPrompts(),
  readInput: () => buffer(process.stdin),
  exitNow: (code) => process.exit(code),
});
process.exitCode = exitCode;
setTimeout(() => process.exit(exitCode), LINGER_LIMIT).unref();
