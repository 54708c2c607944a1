// The part of the gateway that keeps the log fit for an audit: what it says of the gateway's own life, and its checkpoints.

import { CheckpointKeeper } from './app/checkpoints.ts';
import { GatewayLife } from './app/gateway-life.ts';
import type { SerialWriter } from './app/serial-writer.ts';
import type { Config } from './config/config.ts';
import type { ConfigurationFile } from './domain/configuration-file.ts';
import type { Trust } from './gateway-trust.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';
import type { EventLog } from './ports/event-log.ts';
import { VERSION } from './version.ts';
import type { LogStatus } from './wire/status.ts';

interface Dependencies {
  readonly config: Config;
  readonly configuration: ConfigurationFile | undefined;
  readonly store: EventLog;
  readonly writer: SerialWriter;
  readonly trust: Trust;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Audit {
  started(): void;
  stopped(reason: string): void;
  /** Keys were read anew, with the configuration that names them. */
  reloaded(trust: Trust, configuration: ConfigurationFile | undefined): void;
  onCommitted(): void;
  view(): LogStatus;
}

/** Nothing is recorded before started(). */
export const createAudit = async ({ config, configuration, store, writer, ...deps }: Dependencies): Promise<Audit> => {
  const { clock } = deps;
  const log = deps.log.child({ part: 'audit' });
  const { signCheckpoint } = deps.trust;
  if (signCheckpoint === undefined) {
    log.warn(
      {},
      'checkpoints of the log are not signed, so that a forged log may pass: cardea keys generate makes a key',
    );
  }
  const life = new GatewayLife({ writer, eventLog: store, version: VERSION, configuration, clock, log });
  await life.lookBack();
  const checkpoints = new CheckpointKeeper({
    site: config.site,
    gateway: config.gateway,
    writer,
    eventLog: store,
    signer: signCheckpoint,
    interval: config.events.checkpointInterval,
    configuration: () => life.configuration(),
    clock,
    log,
  });
  let keys = deps.trust.keys;
  return {
    started: () => {
      life.started();
      checkpoints.start();
    },
    stopped: (reason) => {
      life.stopped(reason);
      checkpoints.stop();
    },
    reloaded: (trust, changed) => {
      life.reloaded({ before: keys, after: trust.keys }, changed);
      keys = trust.keys;
    },
    onCommitted: () => checkpoints.onCommitted(),
    view: () => ({ first: store.firstSequence(), last: store.tail().sequence, checkpoint: checkpoints.view() }),
  };
};
