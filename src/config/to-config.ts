// From a file that passed every check to the configuration that the gateway works with. Pure; decides nothing anew.

import { dirname, join, resolve } from 'node:path';
import type { UnlockSchedule } from '../domain/door-mode.ts';
import { SIGNALS } from '../domain/feedback.ts';
import {
  type DoorId,
  parseDoorId,
  parseGatewayId,
  parseReaderId,
  parseScheduleId,
  parseSiteId,
  parseZoneId,
} from '../domain/ids.ts';
import { milliseconds, seconds } from '../domain/units.ts';
import { certain } from './certain.ts';
import type {
  BackupConfig,
  Config,
  DoorConfig,
  DoorWiringConfig,
  EventsConfig,
  FeedbackLineConfig,
  MqttConfig,
  ReaderConfig,
  ReaderHardware,
  StoreConfig,
  TrustConfig,
  ZoneConfig,
} from './config.ts';
import { brokerOf, sessionOf } from './mqtt-config.ts';
import { publicKeyOf } from './public-key-config.ts';
import type { ConfigFile } from './schema.ts';
import { MAX_LINE } from './schema-terms.ts';

const MEBIBYTE = 1024 * 1024;
const HOURS_PER_DAY = 24;
const SECONDS_PER_HOUR = 3600;
const SECONDS_PER_MINUTE = 60;

/** `fileName` gives the directory at which the relative paths of certificates, passwords and keys start. */
export const toConfig = (file: ConfigFile, fileName: string): Config => {
  const lineOf = lineNumbers(file.gpio.driver);
  return {
    site: certain(parseSiteId(file.site), 'site'),
    gateway: certain(parseGatewayId(file.gateway), 'gateway'),
    calendar: { schedules: file.schedules, holidays: file.holidays, levels: file.levels },
    dataDir: file.dataDir,
    mqtt: mqttOf(file.mqtt, dirname(fileName)),
    cardNumber: file.cardNumber,
    clock: file.clock,
    gpio: {
      driver: file.gpio.driver,
      debounce: milliseconds(file.gpio.debounceMilliseconds),
      ...(file.gpio.chip === undefined ? {} : { chip: file.gpio.chip }),
    },
    zones: Object.entries(file.zones).map(([id, zone]) => zoneOf(id, zone)),
    doors: doorsOf(file, lineOf),
    readers: Object.entries(file.readers).map(([id, reader]) => readerOf(id, reader, lineOf)),
    admin: file.admin,
    trust: trustOf(file, dirname(fileName)),
    reconcile: {
      maxAge: seconds(file.reconcile.maxAgeHours * SECONDS_PER_HOUR),
      stalePolicy: file.reconcile.stalePolicy,
    },
    events: eventsOf(file.events),
    store: storeOf(file, dirname(fileName)),
    backup: backupOf(file.backup, dirname(fileName)),
    log: file.log,
  };
};

const eventsOf = (events: ConfigFile['events']): EventsConfig => ({
  acknowledgement: events.acknowledgement,
  resendAfter: seconds(events.resendAfterSeconds),
  maxPending: events.maxPending,
  whenFull: events.whenFull,
  retention: {
    maxAge: seconds(events.retentionDays * HOURS_PER_DAY * SECONDS_PER_HOUR),
    maxEvents: events.retentionEvents,
  },
  checkpointInterval: seconds(events.checkpointHours * SECONDS_PER_HOUR),
  lowValueDelay: seconds(events.lowValueDelaySeconds),
});

const storeOf = ({ store, dataDir }: ConfigFile, directory: string): StoreConfig => ({
  keyFile: store.keyFile === undefined ? join(dataDir, 'store.key') : resolve(directory, store.keyFile),
  failurePolicy: store.failurePolicy,
  minimumFreeBytes: store.minimumFreeMiB * MEBIBYTE,
  ballastBytes: store.ballastMiB * MEBIBYTE,
});

const backupOf = (backup: ConfigFile['backup'], directory: string): BackupConfig => ({
  ...(backup.directory !== undefined && { directory: resolve(directory, backup.directory) }),
  recipients: backup.recipients,
  interval: seconds(backup.everyHours * SECONDS_PER_HOUR),
  keep: backup.keep,
});

const trustOf = ({ trust, dataDir }: ConfigFile, directory: string): TrustConfig => {
  const keys = Object.entries(trust.keys).map(([kid, key]) => ({
    kid,
    may: key.may,
    ...publicKeyOf(key, `trust.keys.${kid}`, directory),
  }));
  const { messages, gatewayKeyFile } = trust;
  const gatewayKey =
    gatewayKeyFile === undefined
      ? { file: join(dataDir, 'gateway-key.pem'), isRequired: false }
      : { file: resolve(directory, gatewayKeyFile), isRequired: true };
  return { messages, keys, gatewayKey };
};

const mqttOf = (mqtt: ConfigFile['mqtt'], directory: string): MqttConfig =>
  mqtt.embedded === undefined
    ? brokerOf({ ...mqtt, url: certain(mqtt.url, 'mqtt.url') }, directory)
    : { ...sessionOf(mqtt), kind: 'embedded', host: '127.0.0.1', port: mqtt.embedded.port, protocolVersion: 4 };

const zoneOf = (key: string, { antiPassback, timedMinutes }: ConfigFile['zones'][string]): ZoneConfig => ({
  id: certain(parseZoneId(key), `zones.${key}`),
  antiPassback:
    antiPassback === 'timed'
      ? { mode: antiPassback, within: seconds(timedMinutes * SECONDS_PER_MINUTE) }
      : { mode: antiPassback },
});

/** The line that a block names; simulated ones that name none are numbered on from the highest there is. */
type LineOf = (line: number | undefined, path: string) => number;

const lineNumbers = (driver: ConfigFile['gpio']['driver']): LineOf => {
  let nextSimulated = MAX_LINE + 1;
  return (line, path) => line ?? certain(driver === 'simulated' ? nextSimulated++ : undefined, path);
};

const doorsOf = ({ doors, timezone }: ConfigFile, lineOf: LineOf): readonly DoorConfig[] =>
  Object.entries(doors).map(([key, door]) => {
    const id = certain(parseDoorId(key), `doors.${key}`);
    const input = (part: 'contact' | 'exitButton' | 'tamper') => {
      const wired = door[part];
      if (wired === undefined) return undefined;
      return { line: lineOf(wired.line, `doors.${key}.${part}.line`), activeLow: wired.activeLow };
    };
    const { failMode, activeLow, line } = door.strike;
    const contact = input('contact');
    const exitButton = input('exitButton');
    const tamper = input('tamper');
    const wiring: DoorWiringConfig = {
      door: id,
      strike: { line: lineOf(line, `doors.${key}.strike.line`), activeLow, failMode },
      ...(contact === undefined ? {} : { contact }),
      ...(exitButton === undefined ? {} : { exitButton }),
      ...(tamper === undefined ? {} : { tamper }),
    };
    return {
      id,
      wiring,
      timezone: door.timezone ?? timezone,
      timings: timingsOf(door),
      recordBeforeRelease: door.recordBeforeRelease,
      ...(door.unlockSchedule === undefined ? {} : { unlockSchedule: unlockScheduleOf(key, door.unlockSchedule) }),
      ...(door.zone === undefined ? {} : { zone: certain(parseZoneId(door.zone), `doors.${key}.zone`) }),
      ...(door.twoPerson === undefined ? {} : { twoPerson: { within: seconds(door.twoPerson.withinSeconds) } }),
    };
  });

const unlockScheduleOf = (
  door: string,
  { schedule, afterFirstCard }: NonNullable<ConfigFile['doors'][string]['unlockSchedule']>,
): UnlockSchedule => ({
  schedule: certain(parseScheduleId(schedule), `doors.${door}.unlockSchedule.schedule`),
  afterFirstCard,
});

/** With the defaults that depend on other keys. */
const timingsOf = (door: ConfigFile['doors'][string]): DoorConfig['timings'] => {
  const { strike, exitButton, heldOpenSeconds, heldOpenWarningSeconds } = door;
  const { releaseSeconds, extendedReleaseSeconds = 3 * releaseSeconds } = strike;
  return {
    release: seconds(releaseSeconds),
    extendedRelease: seconds(extendedReleaseSeconds),
    heldOpen: seconds(heldOpenSeconds),
    heldOpenWarning: seconds(heldOpenWarningSeconds ?? Math.min(10, heldOpenSeconds / 3)),
    relockOnClose: strike.relockOnClose,
    exitAction: exitButton?.action ?? 'release',
  };
};

const readerOf = (key: string, reader: ConfigFile['readers'][string], lineOf: LineOf): ReaderConfig => {
  const id = certain(parseReaderId(key), `readers.${key}`);
  const { direction, role } = reader;
  const hardware = hardwareOf(reader);
  const feedback = SIGNALS.flatMap((signal): readonly FeedbackLineConfig[] => {
    const wired = reader.feedback?.[signal];
    if (wired === undefined) return [];
    return [{ signal, line: lineOf(wired.line, `readers.${key}.feedback.${signal}.line`), activeLow: wired.activeLow }];
  });
  const door: DoorId | undefined = reader.door === undefined ? undefined : parseDoorId(reader.door);
  if (role !== 'enrolment')
    return { id, direction, hardware, feedback, role, door: certain(door, `readers.${key}.door`) };
  return { id, direction, hardware, feedback, role, ...(door === undefined ? {} : { door }) };
};

const hardwareOf = (reader: ConfigFile['readers'][string]): ReaderHardware => {
  if (reader.driver === 'simulated') return { driver: 'simulated' };
  return {
    driver: 'mfrc522',
    device: reader.spi,
    speedHz: reader.speedHz,
    rxGainDb: reader.rxGainDb,
    poll: milliseconds(reader.pollMilliseconds),
    ...(reader.resetLine === undefined ? {} : { resetLine: reader.resetLine }),
  };
};
