// `cardea gateway`: the daemon in this process, until it is asked to end.

import type { Command } from 'commander';
import { formatFault } from '../config/faults.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { DeskFacts } from './desk-banner.ts';
import { EXIT } from './exit-codes.ts';
import { CONFIG_HELP } from './locate-gateway.ts';
import type { CliSession, RunningDesk, RunningGateway } from './session.ts';

interface Options {
  readonly config?: string;
  readonly withDesk?: string;
  readonly banner?: boolean;
}

export const addGatewayCommand = (program: Command, session: CliSession): void => {
  program
    .command('gateway')
    .description('run the gateway until SIGTERM or Ctrl-C; SIGHUP reads keys and certificates anew')
    .option('--config <file>', CONFIG_HELP)
    .option('--with-desk <file>', 'run the desk of that configuration in the same process, to try things out')
    .option('--banner', 'say what runs where and what to try next, also when standard output is no terminal')
    .action((options: Options) => runGateway(options, session));
};

const runGateway = async (options: Options, session: CliSession): Promise<void> => {
  const { environment, terminal } = session;
  const ending = new Ending(session);
  const stopListening = environment.onEndSignal((signal) => ending.onSignal(signal));
  let ignoreHangUps = environment.onHangUp(() => ending.onSignal('SIGHUP'));
  try {
    const path = session.configPath(options);
    const { loadConfig } = await import('../config/load.ts');
    const { config, file, warnings } = loadConfig(path);
    for (const warning of warnings) terminal.writeError(`${formatFault(warning)}\n`);
    const gateway = await environment.startGateway(config, file);
    ending.started(gateway);
    if (!terminal.isInteractive) {
      ignoreHangUps();
      ignoreHangUps = environment.onHangUp(() => void reload(gateway, path, session));
    }
    const desk = await deskBeside(options, session);
    if (desk !== undefined) ending.accompanied(desk);
    if (terminal.isInteractive || options.banner === true) {
      const { bannerText } = await import('./banner.ts');
      const status = gateway.describe();
      // The doors work whether or not somebody reads this.
      await terminal
        .write(bannerText({ config, path, status, brokerUrl: gateway.brokerUrl, desk: deskFacts(desk, options) }))
        .catch(() => {});
    }
    const { reason, isFailure } = await gateway.stopped;
    await desk?.stop('the gateway has stopped');
    if (isFailure) throw new CardeaError('gateway-failed', `the gateway stopped: ${reason}`);
  } finally {
    stopListening();
    ignoreHangUps();
  }
};

/** Once the doors work; undefined where none is asked for, or it does not start. */
const deskBeside = async ({ withDesk }: Options, session: CliSession): Promise<RunningDesk | undefined> => {
  if (withDesk === undefined) return undefined;
  const { startDeskBeside } = await import('./desk-serve.ts');
  return await startDeskBeside(withDesk, session);
};

const deskFacts = (desk: RunningDesk | undefined, { withDesk = '' }: Options): DeskFacts | undefined =>
  desk === undefined ? undefined : { url: desk.url, setupCodeFile: desk.setupCodeFile, path: withDesk };

/** Whatever is wrong with the files now: the gateway goes on with what it has. */
const reload = async (gateway: RunningGateway, path: string, { terminal }: CliSession): Promise<void> => {
  try {
    const { loadConfig } = await import('../config/load.ts');
    const { config, file } = loadConfig(path);
    await gateway.reload(config, file);
  } catch (error) {
    terminal.writeError(`cardea: not reloaded, going on as before: ${errorMessage(error)}\n`);
  }
};

/** The first signal ends in order, also one that comes while the gateway starts; the second ends at once. */
class Ending {
  readonly #session: CliSession;
  #signal: string | undefined;
  #gateway: RunningGateway | undefined;
  #desk: RunningDesk | undefined;

  constructor(session: CliSession) {
    this.#session = session;
  }

  onSignal(signal: string): void {
    if (this.#signal !== undefined) {
      this.#session.environment.exitNow(EXIT.no);
      return;
    }
    this.#signal = signal;
    void this.#gateway?.stop(signal);
    void this.#desk?.stop(signal);
  }

  started(gateway: RunningGateway): void {
    this.#gateway = gateway;
    if (this.#signal !== undefined) void gateway.stop(this.#signal);
  }

  accompanied(desk: RunningDesk): void {
    this.#desk = desk;
    if (this.#signal !== undefined) void desk.stop(this.#signal);
  }
}
