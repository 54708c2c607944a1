// What every command works with: the terminal, the environment, the gateway, and the exit code it ends with.

import type { Command } from 'commander';
import type { StatusAnswer } from '../admin/protocol.ts';
import type { Config } from '../config/config.ts';
import type { DeskConfig } from '../config/desk-config.ts';
import type { ConfigurationFile } from '../domain/configuration-file.ts';
import type { SequenceRange } from '../domain/log-chain.ts';
import type { TrustedKey } from '../domain/trusted-key.ts';
import type { BackupFiles } from '../ports/backup-files.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import type { AdminClient } from './admin-client.ts';
import type { ExitCode } from './exit-codes.ts';
import { EXIT } from './exit-codes.ts';
import { CONFIG_HELP, configPath, socketIn } from './locate-gateway.ts';
import type { Prompts } from './prompts.ts';
import { jsonLine, type Terminal } from './terminal.ts';

/** The daemon, as the command that runs it sees it. */
export interface RunningGateway {
  /** Fulfils when everything is closed; `isFailure` when the gateway stopped because it could not go on. */
  readonly stopped: Promise<{ readonly reason: string; readonly isFailure: boolean }>;
  stop(reason: string): Promise<void>;
  /** Takes renewed keys and certificates into use. Rejects with a CardeaError; then those in use stay. */
  reload(config: Config, configuration: ConfigurationFile): Promise<void>;
  describe(): StatusAnswer['status'];
  readonly brokerUrl: string;
}

/** The desk as a service, as the command that runs it sees it. */
export interface RunningDesk {
  /** Where its API answers. */
  readonly url: string;
  /** What gateways have to list under trust.keys; none where messages are unsigned. */
  readonly keys: readonly TrustedKey[];
  /** The file with the code that makes the first admin; undefined where there is one. */
  readonly setupCodeFile: string | undefined;
  /** Fulfils when everything is closed; `isFailure` when the desk stopped because it could not go on. */
  readonly stopped: Promise<{ readonly reason: string; readonly isFailure: boolean }>;
  stop(reason: string): Promise<void>;
}

/** The records of a desk that does not run. */
export interface OfflineDesk {
  /** A backup, line by line. Rejects with CardeaError `store-locked` while the desk runs, and `backup-failed` where there is none. */
  lines(): AsyncIterable<string>;
  /**
   * Makes a desk of a backup, which is read twice, where there is none. Rejects with CardeaError `backup-invalid`, or `invalid-request`
   * where there is one.
   */
  restore(lines: () => AsyncIterable<string>, request: RestoreRequest): Promise<RestoredRecords>;
}

export interface RestoreRequest {
  readonly operator: string;
  /** The highest revision that a gateway has told, where somebody knows it. */
  readonly atLeast?: number | undefined;
  /** Only reads and checks. */
  readonly isDryRun: boolean;
}

export interface RestoredRecords {
  readonly createdAt: string;
  /** Version of the program that made the backup. */
  readonly program: string;
  readonly records: number;
  readonly employees: number;
  /** Live ones. */
  readonly cards: number;
  /** Operations that not every gateway had confirmed. */
  readonly openOperations: number;
  /** From now on; of a dry run: those of the backup. */
  readonly epoch: string;
  readonly revision: number;
  /** What is wrong with the audit log of the backup, in words. */
  readonly auditFault: string | null;
}

/** What the commands need of the world. */
export interface CliEnvironment {
  readonly terminal: Terminal;
  readonly version: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Who types, as the gateway's log will name them. */
  readonly operator: () => string;
  /** Loaded when a command needs it. */
  readonly backupFiles: () => Promise<BackupFiles>;
  /** What tells whether a line of a backup is a record; loaded as backupFiles is. */
  readonly backupRecords: () => Promise<(value: unknown) => boolean>;
  readonly startArchive: (config: Config, options: ArchiveOptions) => Promise<RunningArchive>;
  readonly startGateway: (config: Config, configuration: ConfigurationFile) => Promise<RunningGateway>;
  /** `isService`: the process is the desk's alone, and whoever supervises it is told. */
  readonly startDesk: (config: DeskConfig, options: { readonly isService: boolean }) => Promise<RunningDesk>;
  readonly offlineDesk: (config: DeskConfig) => Promise<OfflineDesk>;
  /** Those with which the desk signs, below its data; makes what is missing. Rejects with CardeaError `key-unusable`. */
  readonly deskKeys: (dataDir: string) => Promise<readonly TrustedKey[]>;
  /** Calls `listener` when this process is asked to end; returns how to stop listening. */
  readonly onEndSignal: (listener: (signal: string) => void) => () => void;
  /** Calls `listener` at SIGHUP: a service is asked to read its files anew, or the terminal is gone. Returns as above. */
  readonly onHangUp: (listener: () => void) => () => void;
  /** Asks whoever sits at the terminal; loaded when something is asked. */
  readonly prompts: () => Promise<Prompts>;
  /** All that comes on standard input. */
  readonly readInput: () => Promise<Uint8Array>;
  /** Ends the process at once. */
  readonly exitNow: (code: ExitCode) => void;
}

/** What the archive has of one gateway. */
export interface ArchivedGateway {
  readonly gateway: string;
  readonly stored: number;
  readonly doubles: number;
  readonly acknowledged: number;
  readonly missing: readonly SequenceRange[];
}

/** The archive of events, as the command that runs it sees it. */
export interface RunningArchive {
  gateways(): readonly ArchivedGateway[];
  /** Ends when what was received is stored. */
  stop(): Promise<void>;
}

export interface ArchiveOptions {
  /** The file that events are stored in. */
  readonly journal: string;
  readonly seal: MessageSeal;
  readonly open: (payload: Uint8Array) => Promise<Uint8Array | undefined>;
  readonly onFault: (text: string) => void;
}

export interface GatewayOptions {
  readonly config?: string;
  readonly socket?: string;
}

export class CliSession {
  readonly environment: CliEnvironment;
  exitCode: ExitCode = EXIT.ok;
  helpPrinted: Promise<void> = Promise.resolve();

  constructor(environment: CliEnvironment) {
    this.environment = environment;
  }

  get terminal(): Terminal {
    return this.environment.terminal;
  }

  configPath(options: GatewayOptions): string {
    return configPath(options.config, this.environment.env);
  }

  /** The gateway that the options name. It is not connected to before the first call. */
  async gateway(options: GatewayOptions): Promise<AdminClient> {
    const socket = options.socket ?? (await socketIn(this.configPath(options)));
    const { AdminClient } = await import('./admin-client.ts');
    return new AdminClient({ socket });
  }

  print(text: string): Promise<void> {
    return this.terminal.write(text);
  }

  printJson(value: object): Promise<void> {
    return this.terminal.write(jsonLine(value));
  }

  /** In order, without waiting; help that nobody reads is nobody's failure. */
  printHelp(text: string): void {
    this.helpPrinted = this.helpPrinted.then(() => this.terminal.write(text)).catch(() => {});
  }

  /** Ends with `no` unless `isYes`. */
  conclude(isYes: boolean): void {
    this.exitCode = isYes ? EXIT.ok : EXIT.no;
  }
}

/** Adds the options of every command that talks to a gateway. */
export const withGateway = (command: Command): Command =>
  command.option('--config <file>', CONFIG_HELP).option('--socket <path>', "the gateway's admin socket itself");

export const withJson = (command: Command): Command => command.option('--json', 'print JSON, for programs');
