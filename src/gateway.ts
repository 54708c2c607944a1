// The composition root of the daemon: what it consists of, and the order in which it starts and stops.
//
//   tap      reader -> tap filter -> look up card -> decide -> door machine -> strike               app/handle-tap.ts
//                                                        \-> event -> outbox -> MQTT                app/publish-events.ts
//   change   MQTT -> verify + decode -> plan -> one LevelDB batch (fsync) -> acknowledge -> receipt app/receive-hr-messages.ts, app/apply-hr-message.ts
//
// Start: store, broker, doors (locked), readers, admin socket, ready; then the link: a gateway without a network is ready.
// Stop, and a start that fails halfway: the other way round, so that the strikes are safe early, each step bounded.

import { startAdmin } from './admin/server.ts';
import { AlarmRegister } from './app/alarm-register.ts';
import { DoorCommands } from './app/door-commands.ts';
import type { DoorController } from './app/door-controller.ts';
import { describeGateway, StatusPublisher } from './app/gateway-status.ts';
import { HealthMonitor } from './app/health.ts';
import { RosterFreshness } from './app/roster-freshness.ts';
import { SerialWriter } from './app/serial-writer.ts';
import { SiteRules } from './app/site-rules.ts';
import { ClockWatch } from './app/watch-clock.ts';
import type { Config } from './config/config.ts';
import { startWarnings } from './config/start-warnings.ts';
import { isLossyFormat } from './domain/card-number.ts';
import type { ConfigurationFile } from './domain/configuration-file.ts';
import type { DoorId } from './domain/ids.ts';
import { createNotifier } from './drivers/systemd/systemd-notifier.ts';
import { CardeaError, errorMessage } from './errors.ts';
import { createAudit } from './gateway-audit.ts';
import { createBackups } from './gateway-backup.ts';
import { createBallast, createDiskWatch } from './gateway-disk.ts';
import {
  addDoors,
  createFeedback,
  createJudge,
  createKeeper,
  createPassages,
  createReaders,
  stopReaders,
} from './gateway-doors.ts';
import { createBroker, createClock, createDoorLines, createLink, openStore } from './gateway-drivers.ts';
import { ClosingStack, Ending } from './gateway-ending.ts';
import { createOutbox } from './gateway-outbox.ts';
import { createHrSide } from './gateway-roster.ts';
import { guardStore } from './gateway-store.ts';
import { createKeyRotation } from './gateway-store-key.ts';
import { loadTrust } from './gateway-trust.ts';
import { createLog, type Log } from './log.ts';
import type { HrLinkListener } from './ports/hr-link.ts';
import { VERSION } from './version.ts';
import { lastWill, type StatusDocument } from './wire/status.ts';
import { topicsOf } from './wire/topics.ts';

export interface RunningGateway {
  /** Fulfils when everything is closed; `isFailure` when the gateway stopped because it could not go on. */
  readonly stopped: Promise<{ readonly reason: string; readonly isFailure: boolean }>;
  /** Ends in order. Idempotent. */
  stop(reason: string, isFailure?: boolean): Promise<void>;
  /** Something was thrown that nobody caught: the strikes go to their safe state at once, then everything is closed. */
  crashed(error: unknown): Promise<void>;
  /**
   * Takes HR's keys from `config` and whatever is new in the files of keys and certificates into use; everything else needs a
   * restart. Rejects with CardeaError `key-unusable`, or `config-invalid` for a change of `trust.messages`; then what is in use stays.
   */
  reload(config: Config, configuration?: ConfigurationFile): Promise<void>;
  describe(): StatusDocument;
  /** The broker in use, such as `mqtt://127.0.0.1:1883`. */
  readonly brokerUrl: string;
}

export interface StartOptions {
  /** Where `config` was read; its changes are recorded. */
  readonly configuration?: ConfigurationFile | undefined;
  /**
   * Called as soon as strikes are claimed, with what takes them to their safe state at once and never throws: for whoever has
   * to end the process in a hurry, also while the gateway still starts.
   */
  readonly onClaimed?: (makeSafe: () => void) => void;
}

/** Starts the daemon. Rejects with a CardeaError, after everything that had started was closed again. */
export const startGateway = async (config: Config, options: StartOptions = {}): Promise<RunningGateway> => {
  const log = createLog(config.log.level).child({ gateway: config.gateway });
  const closing = new ClosingStack(log);
  const ending = new Ending(log, closing);
  try {
    const { onClaimed = () => {}, configuration } = options;
    return await start(config, { log, closing, ending, onClaimed, configuration });
  } catch (error) {
    await ending.giveUp(`the start failed: ${errorMessage(error)}`);
    throw error;
  }
};

interface Frame extends StartOptions {
  readonly onClaimed: (makeSafe: () => void) => void;
  readonly log: Log;
  readonly closing: ClosingStack;
  readonly ending: Ending;
}

const start = async (
  config: Config,
  { log, closing, ending, onClaimed, configuration }: Frame,
): Promise<RunningGateway> => {
  const { site, gateway, mqtt } = config;
  const cardNumberFormat = config.cardNumber.format;
  const { untrustedPolicy } = config.clock;
  const topics = topicsOf(site, gateway);
  const clock = await createClock(config);
  const startedAt = clock.now();
  for (const warning of startWarnings(config)) log.warn({}, warning);

  const ballast = createBallast(config);
  const notifier = await createNotifier();
  closing.add('notifier', () => notifier.close());
  const store = await openStore(config, { ballast, notifier, clock, log });
  closing.add('store', () => store.close());
  const { lowValueDelay } = config.events;
  const writer = new SerialWriter({ store, gateway, clock, lowValueDelay, log: log.child({ part: 'writer' }) });
  closing.add('writer', () => writer.idle());
  const onChange = (): void => status.changed();
  const storeKeys = createKeyRotation({
    config,
    store,
    writer,
    hasRoom: (bytes) => disk.hasRoom(bytes),
    clock,
    log,
    onChange,
  });
  closing.add('key rotation', () => storeKeys.stop());
  const onDamage = (reason: string): void => void ending.stop(reason, true);
  const guard = guardStore({ config, store, writer, clock, log, onChange, onDamage });
  closing.add('store scrub', () => guard.scrub.stop());

  const broker = await createBroker(mqtt, log.child({ part: 'broker' }));
  const brokerPort = await broker?.start();
  if (broker !== undefined) closing.add('embedded broker', () => broker.stop());
  const brokerUrl = mqtt.kind === 'broker' ? mqtt.url : `mqtt://${mqtt.host}:${brokerPort?.port}`;
  let trust = await loadTrust(config);
  const audit = await createAudit({ config, configuration, store, writer, trust, clock, log });
  const { seal, keyId } = trust;
  if (keyId !== undefined) log.info({ kid: keyId }, 'receipts and statuses are signed');
  const will = { topic: topics.status, payload: await seal(lastWill(gateway)) };
  const link = createLink(config, { url: brokerUrl, topics, will, log: log.child({ part: 'link' }) });
  closing.add('link', () => link.stop(will));
  const outbox = createOutbox({ config, store, writer, link, topics, seal, clock, log });
  closing.add('outbox', () => outbox.stop());

  const doors = new Map<DoorId, DoorController>();
  const describe = (): StatusDocument =>
    describeGateway({
      gateway,
      version: VERSION,
      startedAt,
      lossyCardNumbers: isLossyFormat(cardNumberFormat),
      store,
      writer,
      outbox,
      audit,
      doors,
      keeper,
      readers: new Map([...readers].map(([id, { handler }]) => [id, handler])),
      rules,
      passages,
      freshness,
      reconciler: hr.reconciler,
      cardAlarms,
      disk,
      storeKeys,
      storeAlarms: guard.alarms,
      backupAlarms: () => backups.schedule?.alarms() ?? [],
      linkFault: () => link.credentialFault,
      clock,
      untrustedPolicy,
    });
  const status = new StatusPublisher({ link, topics, seal, clock, describe });
  closing.add('status', () => status.stop());
  const cardAlarms = new AlarmRegister({ store, clock, log: log.child({ part: 'alarms' }), onChange });
  await cardAlarms.restore();
  const disk = createDiskWatch({ config, ballast, writer, clock, log, onChange });
  disk.onShortage = () => outbox.removeOldEvents();
  await disk.start();
  closing.add('disk watch', () => disk.stop());

  const { maxAge, stalePolicy: policy } = config.reconcile;
  const freshness = new RosterFreshness({ store, clock, maxAge, policy });
  const rules = new SiteRules({ configured: config.calendar, store, log: log.child({ part: 'calendar' }) });
  const ground = { config, store, writer, clock, log, onChange };
  const passages = createPassages(ground);
  await passages.load();
  closing.add('passages', () => passages.stop());
  const judge = createJudge(ground, { rules, freshness, storeTrust: guard.trust, passages, isLogFull: outbox.isFull });
  const keeper = createKeeper(ground, { doors, judge });
  const doorCommands = new DoorCommands({ keeper, writer, clock, log: log.child({ part: 'commands' }) });
  const hr = createHrSide({
    ...ground,
    topics,
    envelope: () => trust.envelope,
    judge,
    rules,
    doors,
    doorCommands,
    passages,
    freshness,
    disk,
    outbox,
    link,
    onRules: () => keeper.look(),
  });
  closing.add('reconciliation', () => hr.reconciler.stop());
  const backups = createBackups({ ...ground, keeper, rules, reconciler: hr.reconciler, disk });
  closing.add('backups', () => backups.schedule?.stop());

  const clockWatch = new ClockWatch({ clock, untrustedPolicy, writer, log: log.child({ part: 'clock' }), onChange });
  closing.add('clock', () => clockWatch.stop());

  const lines = await createDoorLines(config, log.child({ part: 'gpio' }));
  const feedback = createFeedback(ground, lines);
  ending.makeSafe = () => {
    for (const door of doors.values()) door.stop();
    for (const signals of feedback.values()) signals.stop();
    lines.io.makeSafe();
  };
  onClaimed(ending.makeSafe);
  await lines.io.open({
    onInput: (door, input) => doors.get(door)?.onInput(input),
    onFailure: (error) => void ending.stop(`the door lines failed: ${error.message}`, true),
  });
  closing.add('doors', () => lines.io.close());
  audit.started();
  ending.before = () => audit.stopped(ending.reason);
  addDoors(doors, ground, { lines, keeper, passages, feedback });
  keeper.start();
  closing.add('door modes', () => keeper.stop());
  clockWatch.start();

  const readers = createReaders(ground, { lines, doors, judge, keeper, alarms: cardAlarms, feedback });
  closing.add('readers', () => stopReaders(readers.values()));
  // Together: a reader whose thread is slow to start keeps no other from reading.
  await Promise.all([...readers.values()].map(({ driver, handler }) => driver.start(handler)));

  const health = new HealthMonitor({
    readers: new Map([...readers].map(([id, { driver }]) => [id, driver])),
    store,
    writer,
    notifier,
    clock,
    log: log.child({ part: 'health' }),
  });

  const admin = await startAdmin({
    socket: config.admin.socket,
    operations: {
      site,
      gateway,
      doors,
      commands: doorCommands,
      readers,
      ...(lines.simulated !== undefined && { simulatedDoors: lines.simulated }),
      store,
      writer,
      link,
      describe,
      health: () => health.faults(),
      timeZones: new Map(config.doors.map(({ id, timezone }) => [id, timezone])),
      cardNumberFormat,
      judge,
      passages,
      reconciler: hr.reconciler,
      cardAlarms,
      backups,
      storeKeys,
      clock,
      log: log.child({ part: 'admin' }),
    },
  });
  closing.add('admin socket', () => admin.close());

  writer.onCommit = () => {
    audit.onCommitted();
    outbox.onCommitted();
    admin.onCommitted();
  };
  const linkListener: HrLinkListener = {
    onMessage: async (message) => {
      await hr.inbox.handle(message);
      onChange();
    },
    onConnect: () => {
      hr.reconciler.onConnect();
      status.publishNow();
      outbox.onConnect();
    },
    onDisconnect: () => disk.refuseWaiting(),
  };

  if (ending.reason !== '') throw new CardeaError('gateway-failed', `stopped while starting: ${ending.reason}`);
  notifier.ready(`${config.doors.length} doors, ${config.readers.length} readers`);
  health.start();
  backups.schedule?.start();
  closing.add('health', () => {
    notifier.stopping();
    health.stop();
  });
  link.start(linkListener);
  storeKeys.resume();
  guard.scrub.start();
  log.info(
    { doors: doors.size, readers: readers.size, broker: brokerUrl, cards: store.roster().cards },
    'gateway ready',
  );
  return {
    stopped: ending.done,
    stop: (reason, isFailure) => ending.stop(reason, isFailure),
    crashed: (error) => {
      ending.makeSafe();
      log.fatal({ err: error instanceof Error ? error.stack : String(error) }, 'uncaught failure');
      return ending.stop(`uncaught failure: ${errorMessage(error)}`, true);
    },
    reload: async (changed, changedFile) => {
      if (changed.trust.messages !== config.trust.messages) {
        throw new CardeaError('config-invalid', 'trust.messages has changed, which takes a restart');
      }
      trust = await loadTrust(changed);
      link.reloadCredentials();
      audit.reloaded(trust, changedFile);
      log.info({ keys: changed.trust.keys.map(({ kid }) => kid) }, 'keys and certificates read anew');
    },
    describe,
    brokerUrl,
  };
};
