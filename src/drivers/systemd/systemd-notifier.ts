// Speaks sd_notify(3) to systemd: ready, status, alive, stopping. Each message is one datagram to $NOTIFY_SOCKET, sent by this very
// process, so that NotifyAccess=main is enough. Only `ready` must arrive; a lost status harms nobody, and when `alive` does not
// arrive systemd restarts the daemon, as it would after any other silence.

import { type Milliseconds, milliseconds } from '../../domain/units.ts';
import { CardeaError } from '../../errors.ts';
import type { ServiceNotifier } from '../../ports/service-notifier.ts';
import { type DatagramSender, openDatagramSender } from './datagram-sender.ts';

/** For a daemon that nobody supervises. */
export const silentNotifier: ServiceNotifier = {
  starting: () => {},
  ready: () => {},
  status: () => {},
  alive: () => {},
  stopping: () => {},
  watchdogInterval: undefined,
  close: () => {},
};

/** sd_notify(3), EXTEND_TIMEOUT_USEC: counts once the start has taken longer than TimeoutStartSec. */
const START_EXTENSION = milliseconds(60_000);

/** STATUS= takes one line. */
const oneLine = (text: string): string => text.replaceAll(/\s*\n\s*/g, ' ');

export class SystemdNotifier implements ServiceNotifier {
  readonly #sender: DatagramSender;
  readonly watchdogInterval: Milliseconds | undefined;

  constructor({
    sender,
    watchdogInterval,
  }: {
    readonly sender: DatagramSender;
    readonly watchdogInterval: Milliseconds | undefined;
  }) {
    this.#sender = sender;
    this.watchdogInterval = watchdogInterval;
  }

  /** Throws CardeaError `notify-failed`: systemd would wait in vain and then kill the daemon. */
  ready(status: string): void {
    if (this.#sender.send(`READY=1\nSTATUS=${oneLine(status)}`)) return;
    throw new CardeaError(
      'notify-failed',
      'the service manager does not listen at $NOTIFY_SOCKET; start the gateway through systemctl, or unset the variable',
    );
  }

  starting(status: string): void {
    this.#sender.send(`EXTEND_TIMEOUT_USEC=${START_EXTENSION * 1000}\nSTATUS=${oneLine(status)}`);
  }

  status(text: string): void {
    this.#sender.send(`STATUS=${oneLine(text)}`);
  }

  alive(): void {
    this.#sender.send('WATCHDOG=1');
  }

  stopping(): void {
    this.#sender.send('STOPPING=1');
  }

  close(): void {
    this.#sender.close();
  }
}

export interface NotifierOptions {
  /** Default: process.env. */
  readonly environment?: NodeJS.ProcessEnv;
  /** Default: process.pid. */
  readonly pid?: number;
}

/** sd_watchdog_enabled(3): WATCHDOG_USEC counts unless WATCHDOG_PID names another process. */
export const watchdogInterval = ({
  environment = process.env,
  pid = process.pid,
}: NotifierOptions = {}): Milliseconds | undefined => {
  const { WATCHDOG_USEC, WATCHDOG_PID } = environment;
  if (WATCHDOG_USEC === undefined || !/^[1-9]\d*$/.test(WATCHDOG_USEC)) return undefined;
  if (WATCHDOG_PID !== undefined && WATCHDOG_PID !== String(pid)) return undefined;
  return milliseconds(Number(WATCHDOG_USEC) / 1000);
};

/**
 * The notifier for this process: silent when $NOTIFY_SOCKET is not set. Rejects with CardeaError `notify-failed` when what it
 * names cannot be an address of ours.
 */
export const createNotifier = async (options: NotifierOptions = {}): Promise<ServiceNotifier> => {
  const { NOTIFY_SOCKET } = options.environment ?? process.env;
  if (!NOTIFY_SOCKET) return silentNotifier;
  if (!/^[@/]/.test(NOTIFY_SOCKET)) {
    throw new CardeaError(
      'notify-failed',
      `NOTIFY_SOCKET=${NOTIFY_SOCKET}: only a path and an abstract name are supported`,
    );
  }
  const sender = await openDatagramSender(NOTIFY_SOCKET);
  return new SystemdNotifier({ sender, watchdogInterval: watchdogInterval(options) });
};
