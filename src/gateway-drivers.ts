// Makes the drivers that the configuration asks for. Nothing else constructs a driver, and nothing here is started.

import { brokerOptions } from './broker-options.ts';
import type { Config, MqttConfig, ReaderConfig } from './config/config.ts';
import type { Signal } from './domain/feedback.ts';
import type { ReaderId } from './domain/ids.ts';
import { loadSynchronizationProbes } from './drivers/clock/synchronization-probes.ts';
import { SystemClock } from './drivers/clock/system-clock.ts';
import type { EmbeddedBroker } from './drivers/embedded-broker/embedded-broker.ts';
import { pulseOutput } from './drivers/gpio/door-lines.ts';
import { safeStatePath } from './drivers/gpio/safe-state-file.ts';
import { createGpioDoorIo } from './drivers/gpio/select-gpio-backend.ts';
import type { Ballast } from './drivers/level/ballast.ts';
import type { LevelStore } from './drivers/level/level-store.ts';
import { keySourceOf } from './drivers/level/store-key.ts';
import { openTrustedStore } from './drivers/level/trusted-store.ts';
import { Mfrc522Reader } from './drivers/mfrc522/mfrc522-reader.ts';
import { MqttHrLink } from './drivers/mqtt/mqtt-hr-link.ts';
import { SimulatedCardReader } from './drivers/simulated/simulated-card-reader.ts';
import { SimulatedDoorIo } from './drivers/simulated/simulated-door-io.ts';
import type { Log } from './log.ts';
import type { CardReader } from './ports/card-reader.ts';
import type { Clock } from './ports/clock.ts';
import type { DoorIo } from './ports/door-io.ts';
import type { ServiceNotifier } from './ports/service-notifier.ts';
import type { SignalLine, SignalLines } from './ports/signal-lines.ts';
import { subscriptionsOf, type Topics } from './wire/topics.ts';

export const createClock = async (config: Config): Promise<Clock> =>
  new SystemClock({ trust: config.clock.trust, probes: await loadSynchronizationProbes() });

/** Rejects as openTrustedStore does; the identity is what gives the records in the store their meaning. */
export const openStore = (
  { site, gateway, cardNumber, dataDir, store, doors }: Config,
  parts: {
    readonly ballast: Ballast;
    readonly notifier: ServiceNotifier;
    readonly clock: Clock;
    readonly log: Log;
  },
): Promise<LevelStore> =>
  openTrustedStore({
    dataDir,
    ballast: parts.ballast,
    gateway,
    doors: doors.map(({ id }) => id),
    failurePolicy: store.failurePolicy,
    clock: parts.clock,
    log: parts.log.child({ part: 'store' }),
    identity: `site ${site}, gateway ${gateway}, card numbers in ${cardNumber.format}`,
    key: keySourceOf(process.env, store.keyFile),
    onProgress: () => parts.notifier.starting('the store is being looked through and brought up to date'),
  });

export interface DoorLines {
  readonly io: DoorIo & SignalLines;
  /** Present when the doors are simulated. */
  readonly simulated?: SimulatedDoorIo;
  /** Pulses the reset line of a reader; does nothing for one without a line. */
  readonly pulseReset: (reader: ReaderId) => void;
}

export const createDoorLines = async (config: Config, log: Log): Promise<DoorLines> => {
  const wirings = config.doors.map(({ wiring }) => wiring);
  const { driver, chip, debounce } = config.gpio;
  if (driver === 'simulated') {
    const simulated = new SimulatedDoorIo({ doors: wirings, outputs: feedbackLines(config) });
    return { io: simulated, simulated, pulseReset: () => {} };
  }
  const resets = resetLines(config);
  const safeState = safeStatePath(process.env);
  const io = await createGpioDoorIo({
    doors: wirings,
    outputs: [...resets, ...feedbackLines(config)],
    driver,
    debounce,
    log,
    ...(chip !== undefined && { chip }),
    ...(safeState !== undefined && { safeStatePath: safeState }),
  });
  const pulseReset = (reader: ReaderId): void => {
    const name = resetName(reader);
    if (!resets.some((reset) => reset.name === name)) return;
    // RST has to be low for 100 ns (MFRC522 data sheet, 8.8.1); the time between two system calls is plenty.
    pulseOutput(io, name);
  };
  return { io, pulseReset };
};

const resetName = (reader: ReaderId): string => `reset of reader ${reader}`;

const resetLines = (config: Config): readonly SignalLine[] =>
  config.readers.flatMap(({ id, hardware }) =>
    hardware.driver === 'mfrc522' && hardware.resetLine !== undefined
      ? [{ name: resetName(id), line: hardware.resetLine, activeLow: true }]
      : [],
  );

const signalName = (reader: ReaderId, signal: Signal): string => `${signal} of reader ${reader}`;

const feedbackLines = ({ readers }: Config): readonly SignalLine[] =>
  readers.flatMap(({ id, feedback }) =>
    feedback.map(({ signal, line, activeLow }) => ({ name: signalName(id, signal), line, activeLow })),
  );

/** What a reader has for feedback, and what `setOutput` calls it. */
export const signalsOf = ({ id, feedback }: ReaderConfig): ReadonlyMap<Signal, string> =>
  new Map(feedback.map(({ signal }) => [signal, signalName(id, signal)]));

export interface CreatedReader {
  readonly driver: CardReader;
  /** Present when the reader is simulated. */
  readonly simulated?: SimulatedCardReader;
}

export const createReader = (
  { id, hardware }: ReaderConfig,
  { clock, log, lines }: { readonly clock: Clock; readonly log: Log; readonly lines: DoorLines },
): CreatedReader => {
  if (hardware.driver === 'simulated') {
    const simulated = new SimulatedCardReader({ clock });
    return { driver: simulated, simulated };
  }
  const { device, speedHz, rxGainDb, poll, resetLine } = hardware;
  return {
    driver: new Mfrc522Reader({
      options: {
        device,
        speedHz,
        rxGainDb,
        pollMilliseconds: poll,
        ...(resetLine !== undefined && { pulseReset: () => lines.pulseReset(id) }),
      },
      clock,
      log,
    }),
  };
};

/** The broker in this process, where the configuration asks for one. */
export const createBroker = async (mqtt: MqttConfig, log: Log): Promise<EmbeddedBroker | undefined> => {
  if (mqtt.kind !== 'embedded') return undefined;
  const { EmbeddedBroker } = await import('./drivers/embedded-broker/embedded-broker.ts');
  return new EmbeddedBroker({ port: mqtt.port, log });
};

export const createLink = (
  config: Config,
  {
    url,
    topics,
    will,
    log,
  }: {
    readonly url: string;
    readonly topics: Topics;
    readonly will: { readonly topic: string; readonly payload: string };
    readonly log: Log;
  },
): MqttHrLink => {
  const { mqtt, gateway } = config;
  return new MqttHrLink({
    url,
    ...brokerOptions(mqtt),
    clientId: `cardea-${gateway}`,
    subscriptions: subscriptionsOf(topics),
    will,
    log,
  });
};
