// The doors of the gateway: who may pass and when, the doors themselves, and the readers with their LEDs and buzzers.
// Nothing is started here.

import { AccessJudge } from './app/access-judge.ts';
import type { AlarmRegister } from './app/alarm-register.ts';
import { DoorController } from './app/door-controller.ts';
import { DoorModeKeeper } from './app/door-mode-keeper.ts';
import { DoorPair } from './app/door-pair.ts';
import { TapHandler } from './app/handle-tap.ts';
import { PassageBook } from './app/passage-book.ts';
import { ReaderFeedback } from './app/reader-feedback.ts';
import type { RosterFreshness } from './app/roster-freshness.ts';
import type { SerialWriter } from './app/serial-writer.ts';
import type { SiteRules } from './app/site-rules.ts';
import type { StoreTrust } from './app/store-trust.ts';
import type { Config, DoorConfig } from './config/config.ts';
import type { DoorId, ReaderId } from './domain/ids.ts';
import { localClock } from './domain/local-time.ts';
import { milliseconds } from './domain/units.ts';
import { type CreatedReader, createReader, type DoorLines, signalsOf } from './gateway-drivers.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';
import type { CredentialStore } from './ports/credential-store.ts';
import type { EventLog } from './ports/event-log.ts';

/** What all of it stands on. */
interface Ground {
  readonly config: Config;
  readonly store: CredentialStore & EventLog;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

/** Still to be loaded. */
export const createPassages = ({ config, store, writer, clock, log, onChange }: Ground): PassageBook =>
  new PassageBook({
    zones: new Map(config.zones.map(({ id, antiPassback }) => [id, antiPassback])),
    zoneOfDoor: byDoor(config, ({ zone }) => zone),
    store,
    writer,
    clock,
    log: log.child({ part: 'passages' }),
    onChange,
  });

export const createJudge = (
  { config, clock }: Pick<Ground, 'config' | 'clock'>,
  parts: {
    readonly rules: SiteRules;
    readonly freshness: RosterFreshness;
    readonly storeTrust: StoreTrust;
    readonly passages: PassageBook;
    readonly isLogFull: () => boolean;
  },
): AccessJudge =>
  new AccessJudge({
    ...parts,
    clock,
    localClocks: byDoor(config, ({ timezone }) => localClock(timezone)),
    untrustedPolicy: config.clock.untrustedPolicy,
    twoPersonDoors: new Set(byDoor(config, ({ twoPerson }) => twoPerson).keys()),
  });

export const createKeeper = (
  { config, store, writer, clock, log }: Ground,
  parts: { readonly doors: ReadonlyMap<DoorId, DoorController>; readonly judge: AccessJudge },
): DoorModeKeeper =>
  new DoorModeKeeper({
    ...parts,
    unlockSchedules: byDoor(config, ({ unlockSchedule }) => unlockSchedule),
    store,
    writer,
    clock,
    log: log.child({ part: 'doors' }),
  });

/** What each reader shows and sounds; silent until the lines are open. */
export const createFeedback = (
  { config, clock, log }: Ground,
  lines: DoorLines,
): ReadonlyMap<ReaderId, ReaderFeedback> =>
  new Map(
    config.readers.map((reader) => {
      const readerLog = log.child({ part: 'reader' });
      const deps = { reader: reader.id, signals: signalsOf(reader), lines: lines.io, clock, log: readerLog };
      return [reader.id, new ReaderFeedback(deps)] as const;
    }),
  );

/** Takes every door over as it is found, in the mode that was ordered for it, and adds it to `doors`; the lines must be open. */
export const addDoors = (
  doors: Map<DoorId, DoorController>,
  { config, writer, clock, log, onChange }: Ground,
  {
    lines,
    keeper,
    passages,
    feedback,
  }: {
    readonly lines: DoorLines;
    readonly keeper: DoorModeKeeper;
    readonly passages: PassageBook;
    readonly feedback: ReadonlyMap<ReaderId, ReaderFeedback>;
  },
): void => {
  for (const { id: door, timings } of config.doors) {
    const atDoor = config.readers.filter((reader) => reader.door === door);
    const deps: ConstructorParameters<typeof DoorController>[0] = {
      door,
      timings: { ...timings, grace: milliseconds(500 + config.gpio.debounce) },
      io: lines.io,
      writer,
      clock,
      log: log.child({ part: 'door' }),
      onChange,
      onTaken: (grant) => passages.recordTaken(door, grant),
      onOpenToAll: (isOpen) => passages.setOpenToAll(door, isOpen),
      onWarning: (isActive) => {
        for (const { id } of atDoor) feedback.get(id)?.onWarning(isActive);
      },
    };
    doors.set(door, new DoorController(deps, keeper.initialMode(door)));
  }
};

export interface GatewayReader extends CreatedReader {
  readonly handler: TapHandler;
}

export const createReaders = (
  { config, store, writer, clock, log, onChange }: Ground,
  {
    lines,
    doors,
    judge,
    keeper,
    alarms,
    feedback,
  }: {
    readonly lines: DoorLines;
    readonly doors: ReadonlyMap<DoorId, DoorController>;
    readonly judge: AccessJudge;
    readonly keeper: DoorModeKeeper;
    readonly alarms: AlarmRegister;
    readonly feedback: ReadonlyMap<ReaderId, ReaderFeedback>;
  },
): ReadonlyMap<ReaderId, GatewayReader> => {
  const readerLog = log.child({ part: 'reader' });
  const doorsAtReaders = byDoor(config, ({ id, recordBeforeRelease, twoPerson }) => {
    const controller = doors.get(id);
    return controller && { controller, recordBeforeRelease, pair: twoPerson && new DoorPair(twoPerson.within) };
  });
  return new Map(
    config.readers.map((reader) => {
      const { id, direction, role, door } = reader;
      const handler = new TapHandler({
        place: { reader: id, direction, role, door },
        doorAtReader: door && doorsAtReaders.get(door),
        cardNumberFormat: config.cardNumber.format,
        judge,
        store,
        writer,
        alarms,
        clock,
        log: readerLog,
        onChange,
        onOutcome: (outcome) => {
          feedback.get(id)?.onOutcome(outcome);
          if (outcome.kind === 'granted') keeper.onGranted(outcome.door);
        },
      });
      return [id, { ...createReader(reader, { clock, log: readerLog, lines }), handler }] as const;
    }),
  );
};

type Stoppable = {
  readonly driver: Pick<CreatedReader['driver'], 'stop'>;
  readonly handler: Pick<TapHandler, 'stop'>;
};

/** All of them together: one that hangs must not use up the time of the others, nor of what is closed after them. */
export const stopReaders = async (readers: Iterable<Stoppable>): Promise<void> => {
  const stopOne = async ({ driver, handler }: Stoppable): Promise<void> => {
    await driver.stop();
    handler.stop();
  };
  await Promise.all([...readers].map(stopOne));
};

/** Door by door, what there is of something. */
const byDoor = <T>({ doors }: Config, of: (door: DoorConfig) => T | undefined): ReadonlyMap<DoorId, T> => {
  const found = new Map<DoorId, T>();
  for (const door of doors) {
    const what = of(door);
    if (what !== undefined) found.set(door.id, what);
  }
  return found;
};
