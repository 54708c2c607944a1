// How the daemon tells its supervisor that it is ready, alive or going down.

import type { Milliseconds } from '../domain/units.ts';

export interface ServiceNotifier {
  /** The doors work. Sent once. */
  ready(status: string): void;
  /** The start takes long and goes on: not to be given up within the next minute. */
  starting(status: string): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** I am healthy. Must arrive more often than `watchdogInterval`. */
  alive(): void;
  stopping(): void;
  /** How long the supervisor waits for `alive` before it restarts the daemon; undefined when nobody watches. */
  readonly watchdogInterval: Milliseconds | undefined;
  close(): void;
}
