// One door with its reader put together over fakes: what the tests of the tap flow tap at.

import assert from 'node:assert/strict';
import { setImmediate as turnOfTheLoop } from 'node:timers/promises';
import { AlarmRegister } from '../../src/app/alarm-register.ts';
import { DoorController } from '../../src/app/door-controller.ts';
import { type ReaderPlace, TapHandler, type TapOutcome } from '../../src/app/handle-tap.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { AccessEvent } from '../../src/domain/access-event.ts';
import { type CardNumberFormat, cardNumberOfUid } from '../../src/domain/card-number.ts';
import type { CardRecord } from '../../src/domain/credential.ts';
import type { DoorMode } from '../../src/domain/door-mode.ts';
import type { DoorTimings } from '../../src/domain/door-state.ts';
import { type AccessRules, BUILT_IN_RULES } from '../../src/domain/schedule.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import type { Log } from '../../src/log.ts';
import type { CredentialStore } from '../../src/ports/credential-store.ts';
import type { DoorWiring } from '../../src/ports/door-io.ts';
import { doorId, gatewayId, readerId, uidOf } from '../domain/samples.ts';
import { FakeDoorIo } from '../fakes/fake-door-io.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { judgeOf } from '../fixtures/access-judge.ts';
import { timingsOf } from '../fixtures/door-timings.ts';

export const FRONT = doorId('front');
export const RELEASE = 5000;
export const HELD_OPEN = 20_000;

const WIRING: DoorWiring = {
  door: FRONT,
  strike: { line: 17, activeLow: false, failMode: 'secure' },
  contact: { line: 27, activeLow: true },
  exitButton: { line: 22, activeLow: true },
};

/** Keeps every line as JSON, for tests of what is said and what is not. */
export class MemoryLog implements Log {
  readonly lines: string[] = [];
  readonly trace = (fields: object, message: string): void => this.#keep('trace', fields, message);
  readonly debug = (fields: object, message: string): void => this.#keep('debug', fields, message);
  readonly info = (fields: object, message: string): void => this.#keep('info', fields, message);
  readonly warn = (fields: object, message: string): void => this.#keep('warn', fields, message);
  readonly error = (fields: object, message: string): void => this.#keep('error', fields, message);
  readonly fatal = (fields: object, message: string): void => this.#keep('fatal', fields, message);

  child(): Log {
    return this;
  }

  #keep(level: string, fields: object, message: string): void {
    this.lines.push(JSON.stringify({ level, ...fields, message }));
  }
}

/** Lets everything that is ready run: promises and what they start, no timers. */
export const settle = async (): Promise<void> => {
  await turnOfTheLoop();
  await turnOfTheLoop();
};

export interface BenchOptions {
  readonly role?: ReaderPlace['role'];
  readonly cards?: Readonly<Record<string, CardRecord>>;
  readonly format?: CardNumberFormat;
  readonly rules?: AccessRules;
  readonly recordBeforeRelease?: boolean;
  /** Default: RELEASE, HELD_OPEN, and as every door of a test. */
  readonly timings?: Partial<DoorTimings>;
  readonly hasContact?: boolean;
  readonly initialMode?: DoorMode;
  readonly synchronized?: boolean;
  /** What the tap flow looks cards up in, instead of the bench's own store. */
  readonly lookup?: CredentialStore;
}

export const makeDoorBench = async (options: BenchOptions = {}) => {
  const { role = 'access', cards = {}, format = 'hex', rules = BUILT_IN_RULES } = options;
  const clock = new VirtualClock({ synchronized: options.synchronized ?? true });
  const log = new MemoryLog();
  const store = new MemoryStore();
  const records = Object.entries(cards).map(([uid, record]) => {
    const number = cardNumberOfUid(uidOf(uid), format);
    assert.ok(number !== undefined);
    return [number, record] as const;
  });
  await store.commit({
    cards: new Map(records),
    cardholders: new Map(),
    roster: undefined,
    doorOrders: new Map(),
    commands: undefined,
    entries: [],
  });
  store.commits.length = 0;
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log });
  const { contact: _, ...withoutContact } = WIRING;
  const io = new FakeDoorIo([options.hasContact === false ? withoutContact : WIRING]);
  let changes = 0;
  const onChange = (): void => {
    changes += 1;
  };
  const inputs: { controller?: DoorController } = {};
  await io.open({
    onInput: (_door, input) => inputs.controller?.onInput(input),
    onFailure: (error) => assert.fail(error),
  });
  const warnings: boolean[] = [];
  const taken: string[] = [];
  const makeController = (initialMode: DoorMode): DoorController => {
    const timings = timingsOf({
      release: milliseconds(RELEASE),
      heldOpen: milliseconds(HELD_OPEN),
      ...options.timings,
    });
    const made = new DoorController(
      {
        door: FRONT,
        timings,
        io,
        writer,
        clock,
        log,
        onChange,
        onWarning: (isActive) => warnings.push(isActive),
        onTaken: ({ card }) => taken.push(card),
      },
      initialMode,
    );
    inputs.controller = made;
    return made;
  };
  const controller = makeController(options.initialMode ?? 'normal');
  const alarms = new AlarmRegister({ store, clock, log, onChange });
  const handler = new TapHandler({
    place: { reader: readerId('front-in'), direction: 'in', role, door: role === 'enrolment' ? undefined : FRONT },
    doorAtReader:
      role === 'enrolment' ? undefined : { controller, recordBeforeRelease: options.recordBeforeRelease ?? false },
    cardNumberFormat: format,
    judge: judgeOf({ rules, clock }),
    store: options.lookup ?? store,
    writer,
    alarms,
    clock,
    log,
    onChange,
  });

  const outcomes: TapOutcome[] = [];
  const expectOutcome = (): void => {
    void handler.nextOutcome().then((outcome) => {
      outcomes.push(outcome);
      expectOutcome();
    });
  };
  expectOutcome();

  return {
    clock,
    log,
    store,
    writer,
    alarms,
    io,
    controller,
    makeController,
    handler,
    /** What became of the taps so far; complete after settle(). */
    outcomes,
    changes: () => changes,
    /** What the reader was told of warnings. */
    warnings,
    /** The cards on whose grants the door was opened. */
    taken,
    /** Presents a card and takes it away again. */
    tap: (uid: string): void => {
      handler.onObservation({ kind: 'card', uid: uidOf(uid) });
      handler.onObservation({ kind: 'none' });
      handler.onObservation({ kind: 'none' });
    },
    /** The world opens or closes the door. */
    moveDoor: (position: 'open' | 'closed'): void => io.setInput(FRONT, 'contact', position === 'closed'),
    pressExit: (): void => {
      io.setInput(FRONT, 'exit-button', true);
      io.setInput(FRONT, 'exit-button', false);
    },
    /** The strike as it is, and every change of it so far. */
    strike: () => io.strike(FRONT),
    strikes: (): string[] => io.strikeCalls.map(({ state }) => state),
    events: async (): Promise<AccessEvent[]> => {
      await settle();
      return store.entries.map(({ event }) => event);
    },
    eventNames: async (): Promise<string[]> => {
      await settle();
      return store.entries.map(({ event }) =>
        event.reason === null ? event.event : `${event.event}: ${event.reason}`,
      );
    },
    /** A strike that cannot be driven. */
    breakStrike: (): void => {
      io.writeFailure = new CardeaError('gpio-write-failed', 'GPIO line 17 could not be driven');
    },
    mendStrike: (): void => {
      io.writeFailure = undefined;
    },
  };
};
