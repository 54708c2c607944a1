// `cardea gateway`: the daemon in this process, until it is asked to end.

import type { Command } from 'commander';
import { formatFault } from '../config/faults.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import { EXIT } from './exit-codes.ts';
import { CONFIG_HELP } from './locate-gateway.ts';
import type { CliSession, RunningGateway } from './session.ts';

interface Options {
  readonly config?: string;
  readonly banner?: boolean;
}

export const addGatewayCommand = (program: Command, session: CliSession): void => {
  program
    .command('gateway')
    .description('run the gateway until SIGTERM or Ctrl-C; SIGHUP reads keys and certificates anew')
    .option('--config <file>', CONFIG_HELP)
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
    if (terminal.isInteractive || options.banner === true) {
      const { bannerText } = await import('./banner.ts');
      const status = gateway.describe();
      // The doors work whether or not somebody reads this.
      await terminal.write(bannerText({ config, path, status, brokerUrl: gateway.brokerUrl })).catch(() => {});
    }
    const { reason, isFailure } = await gateway.stopped;
    if (isFailure) throw new CardeaError('gateway-failed', `the gateway stopped: ${reason}`);
  } finally {
    stopListening();
    ignoreHangUps();
  }
};

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
  }

  started(gateway: RunningGateway): void {
    this.#gateway = gateway;
    if (this.#signal !== undefined) void gateway.stop(this.#signal);
  }
}
