// `cardea desk serve`: the desk as a service in this process, until it is asked to end; and `cardea desk keys`: what gateways have to
// know of it.

import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import type { DeskConfig } from '../config/desk-config.ts';
import { formatFault } from '../config/faults.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { type CliSession, type RunningDesk, withJson } from './session.ts';
import { plainLines } from './terminal.ts';

export const SYSTEM_DESK_CONFIG = '/etc/cardea/desk.yaml';
export const DESK_CONFIG_HELP = `configuration file of the desk (default: $CARDEA_DESK_CONFIG, else ${SYSTEM_DESK_CONFIG})`;

interface Options {
  readonly config?: string;
  readonly banner?: boolean;
  readonly json?: boolean;
}

const KEYS_HELP = `
The desk signs with one key for each role: what a clerk does, what security does, and what the desk does by itself. They lie in
dataDir/keys, and are made where they are missing. What this prints goes under trust.keys of every gateway. To replace a key, stop the
desk, move the file away, run this, list the new key beside the old one at the gateways, and start the desk again.`;

export const addDeskServeCommands = (desk: Command, session: CliSession): void => {
  desk
    .command('serve')
    .description('run the desk of a site, with its records and its HTTP API, until SIGTERM or Ctrl-C')
    .option('--config <file>', DESK_CONFIG_HELP)
    .option('--banner', 'say what runs where and what to do next, also when standard output is no terminal')
    .action((options: Options) => serve(options, session));
  withJson(desk.command('keys'))
    .description("print the desk's public keys, ready for trust.keys in the configurations of the gateways")
    .option('--config <file>', DESK_CONFIG_HELP)
    .addHelpText('after', KEYS_HELP)
    .action((options: Options) => printKeys(options, session));
};

/** Throws CardeaError `config-unreadable` when none is named and none is found. */
export const deskConfigPath = ({ config }: Pick<Options, 'config'>, { environment: { env } }: CliSession): string => {
  if (config !== undefined) return config;
  const named = env['CARDEA_DESK_CONFIG'];
  if (named !== undefined && named !== '') return named;
  if (existsSync(SYSTEM_DESK_CONFIG)) return SYSTEM_DESK_CONFIG;
  const message = `there is no ${SYSTEM_DESK_CONFIG}: name the desk's configuration with --config FILE or $CARDEA_DESK_CONFIG; config/desk.yaml is an example`;
  throw new CardeaError('config-unreadable', message);
};

const serve = async (options: Options, session: CliSession): Promise<void> => {
  const { environment, terminal } = session;
  let desk: RunningDesk | undefined;
  let ended: string | undefined;
  /** The first signal ends in order, also one that comes while the desk starts; the second ends at once. */
  const onSignal = (signal: string): void => {
    if (ended !== undefined) return environment.exitNow(EXIT.no);
    ended = signal;
    void desk?.stop(signal);
  };
  const stopListening = environment.onEndSignal(onSignal);
  const ignoreHangUps = environment.onHangUp(() => onSignal('SIGHUP'));
  try {
    const path = deskConfigPath(options, session);
    const config = await loadFrom(path, session);
    desk = await environment.startDesk(config, { isService: true });
    if (ended !== undefined) void desk.stop(ended);
    // It serves whether or not somebody reads this.
    if (terminal.isInteractive || options.banner === true) {
      const { deskBannerText } = await import('./desk-banner.ts');
      const { url, keys, setupCodeFile } = desk;
      await terminal.write(deskBannerText({ url, keys, setupCodeFile, path }, config.site)).catch(() => {});
    }
    const { reason, isFailure } = await desk.stopped;
    if (isFailure) throw new CardeaError('desk-failed', `the desk stopped: ${reason}`);
  } finally {
    stopListening();
    ignoreHangUps();
  }
};

const loadFrom = async (path: string, { terminal }: CliSession): Promise<DeskConfig> => {
  const { loadDeskConfig } = await import('../config/load-desk.ts');
  const { config, warnings } = loadDeskConfig(path);
  for (const warning of warnings) terminal.writeError(`${formatFault(warning)}\n`);
  return config;
};

/** The desk in the process of a gateway, which goes on whatever becomes of it: undefined, and a warning, where it cannot start. */
export const startDeskBeside = async (path: string, session: CliSession): Promise<RunningDesk | undefined> => {
  const warn = (text: string): void =>
    session.terminal.writeError(`cardea: ${plainLines(text)}; the gateway goes on without it\n`);
  try {
    const desk = await session.environment.startDesk(await loadFrom(path, session), { isService: false });
    void desk.stopped.then(({ reason, isFailure }) => {
      if (isFailure) warn(`the desk stopped: ${reason}`);
    });
    return desk;
  } catch (error) {
    warn(`the desk has not started: ${errorMessage(error)}`);
    return undefined;
  }
};

const printKeys = async (options: Options, session: CliSession): Promise<void> => {
  const { loadDeskConfig } = await import('../config/load-desk.ts');
  const { config } = loadDeskConfig(deskConfigPath(options, session));
  if (config.trust.messages === 'unsigned') {
    const message = 'trust.messages is unsigned: the desk signs nothing, and gateways have to be set so, too';
    throw new CardeaError('invalid-request', message);
  }
  const keys = await session.environment.deskKeys(config.dataDir);
  if (options.json === true) await session.printJson({ keys });
  else await session.print((await import('./desk-banner.ts')).trustText(keys));
};
