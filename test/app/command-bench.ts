// Two doors, front and lab, that take commands as messages, over a store in memory that can be closed and opened again, and
// commands as a console would send them.

import assert from 'node:assert/strict';
import { CommandHandler, type PassageResets } from '../../src/app/apply-command.ts';
import { type DoorCommand, type DoorCommandAnswer, DoorCommands } from '../../src/app/door-commands.ts';
import { DoorController } from '../../src/app/door-controller.ts';
import type { DoorModeKeeper } from '../../src/app/door-mode-keeper.ts';
import type { HrInbox } from '../../src/app/receive-hr-messages.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { EMPTY_CALENDAR } from '../../src/domain/calendar.ts';
import type { DoorAction } from '../../src/domain/door-command.ts';
import type { DoorMode, UnlockSchedule } from '../../src/domain/door-mode.ts';
import type { DoorId } from '../../src/domain/ids.ts';
import { compileRules } from '../../src/domain/rule-book.ts';
import type { UntrustedPolicy } from '../../src/domain/schedule.ts';
import { formatInstant, type Instant, instant, type Milliseconds } from '../../src/domain/units.ts';
import { unsignedEnvelope } from '../../src/wire/message-envelope.ts';
import { doorId, scheduleId } from '../domain/samples.ts';
import { FakeDoorIo } from '../fakes/fake-door-io.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock, type VirtualClockOptions } from '../fakes/virtual-clock.ts';
import { judgeOf } from '../fixtures/access-judge.ts';
import { keeperOf } from '../fixtures/door-mode-keeper.ts';
import { timingsOf } from '../fixtures/door-timings.ts';
import { makeInbox } from '../fixtures/hr-inbox.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';
import { GATEWAY, type ReadReceipt, receiptIn, SITE, TOPICS } from '../flows/change-flow.ts';

export const FRONT = doorId('front');
export const LAB = doorId('lab');

/** Monday to Friday, 08:30 to 12:00, in UTC. */
export const DAY = scheduleId('day');
const RULES = compileRules({
  ...EMPTY_CALENDAR,
  schedules: { day: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:30', to: '12:00' }] },
});

/** An unlock of the front door, given at the start of the virtual clock and good for a minute. */
const USUAL = {
  type: 'command',
  site: SITE,
  messageId: 'c-1',
  issuedAt: '2026-01-05T08:00:00Z',
  expiresAt: '2026-01-05T08:01:00Z',
  operator: 'guard.3',
  reason: 'parcel service',
  action: 'unlock',
  door: 'front',
};

export const commandJson = (fields: object = {}): string => JSON.stringify({ ...USUAL, ...fields });

export class CommandBench {
  readonly clock: VirtualClock;
  readonly log = new RecordingLog();
  readonly disk = new MemoryDisk();
  io = new FakeDoorIo([]);
  store = new MemoryStore(new MemoryDisk());
  writer: SerialWriter;
  keeper: DoorModeKeeper;
  doorCommands: DoorCommands;
  readonly doors = new Map<DoorId, DoorController>();
  /** Whose passages were forgotten, in one batch with what goes with it. */
  readonly resets: string[] = [];
  readonly passages: PassageResets = {
    resetPerson: async (cardholder, record) => {
      const result = await this.writer.write(record);
      this.resets.push(cardholder);
      return result;
    },
  };
  readonly #unlockSchedules: ReadonlyMap<DoorId, UnlockSchedule>;
  readonly #untrustedPolicy: UntrustedPolicy;
  #inbox: HrInbox | undefined;

  private constructor(
    clock: VirtualClock,
    unlockSchedules: ReadonlyMap<DoorId, UnlockSchedule>,
    untrustedPolicy: UntrustedPolicy,
  ) {
    this.clock = clock;
    this.#unlockSchedules = unlockSchedules;
    this.#untrustedPolicy = untrustedPolicy;
    this.writer = this.#makeWriter();
    this.keeper = this.#makeKeeper();
    this.doorCommands = this.#makeCommands();
  }

  static async start(
    clock: VirtualClockOptions = {},
    unlockSchedules: ReadonlyMap<DoorId, UnlockSchedule> = new Map(),
    untrustedPolicy: UntrustedPolicy = 'deny-windowed',
  ): Promise<CommandBench> {
    const bench = new CommandBench(new VirtualClock(clock), unlockSchedules, untrustedPolicy);
    await bench.#boot();
    return bench;
  }

  /** The gateway goes down and comes up again on what is on the disk. */
  async restart(): Promise<void> {
    await this.store.close();
    await this.#boot();
  }

  /** Fulfils when the message may be acknowledged. */
  async deliver(fields: object | string = {}, retained = false): Promise<void> {
    const payload = Buffer.from(typeof fields === 'string' ? fields : commandJson(fields));
    await this.#inbox?.handle({ topic: TOPICS.command, payload, retained });
  }

  /** Delivers, and reads the last receipt. */
  async answer(fields: object | string = {}): Promise<ReadReceipt> {
    await this.deliver(fields);
    return receiptIn(this.store.entries.findLast(({ receipt }) => receipt !== undefined));
  }

  /** `applied front,lab` or `rejected: code path`. */
  async outcome(fields: object | string = {}): Promise<string> {
    const { result, doors, code, path } = await this.answer(fields);
    return code === null ? `${result} ${doors}` : `${result}: ${code} ${path ?? '-'}`;
  }

  /** Gives a command that is new at this moment. */
  fresh(messageId: string, fields: object = {}): object {
    const now = this.clock.now();
    const times = { issuedAt: formatInstant(now), expiresAt: formatInstant(instant(now + 60_000)) };
    return { ...times, messageId, ...fields };
  }

  /** Every time that a strike was driven to unlocked since the last start. */
  get releases(): string[] {
    return this.io.strikeCalls.filter(({ state }) => state === 'unlocked').map(({ door }) => door);
  }

  mode(door: DoorId): DoorMode | undefined {
    return this.doors.get(door)?.mode;
  }

  /** A technician's command. */
  order(action: DoorAction, terms: Partial<DoorCommand> = {}): Promise<DoorCommandAnswer> {
    const door = terms.door ?? FRONT;
    const controller = this.doors.get(door);
    assert.ok(controller !== undefined);
    return this.doorCommands.run({ door, controller, action, operator: 'ada', ...terms });
  }

  /** That long from now. */
  in(delay: Milliseconds): Instant {
    return instant(this.clock.now() + delay);
  }

  /** `front unlock done`, of each command in the log. */
  get recorded(): string[] {
    return this.store.entries.flatMap(({ event }) => {
      const { detail } = event;
      if (event.event !== 'door-command' || typeof detail !== 'object' || detail === null) return [];
      return 'action' in detail ? [`${event.door} ${detail['action']} ${detail['result']}`] : [];
    });
  }

  async #boot(): Promise<void> {
    const { clock, log, doors } = this;
    this.store = new MemoryStore(this.disk);
    this.writer = this.#makeWriter();
    this.keeper.stop();
    doors.clear();
    this.keeper = this.#makeKeeper();
    this.doorCommands = this.#makeCommands();
    const strike = { activeLow: false, failMode: 'secure' } as const;
    this.io = new FakeDoorIo([FRONT, LAB].map((door, line) => ({ door, strike: { ...strike, line } })));
    await this.io.open({ onInput: () => {}, onFailure: () => {} });
    for (const door of [FRONT, LAB]) {
      const deps = { door, timings: timingsOf(), io: this.io, writer: this.writer, clock, log, onChange: () => {} };
      doors.set(door, new DoorController(deps, this.keeper.initialMode(door)));
    }
    this.keeper.start();
    const { store, writer, doorCommands, passages } = this;
    this.#inbox = makeInbox({
      site: SITE,
      gateway: GATEWAY,
      doors: [FRONT, LAB],
      topics: TOPICS,
      cardNumberFormat: 'hex',
      envelope: unsignedEnvelope,
      commands: new CommandHandler({ gateway: GATEWAY, doors, doorCommands, passages, store, writer, clock, log }),
      store,
      writer,
      clock,
      log,
    });
  }

  #makeKeeper(): DoorModeKeeper {
    const { doors, store, writer, clock, log } = this;
    const judge = judgeOf({ clock, rules: RULES, untrustedPolicy: this.#untrustedPolicy });
    return keeperOf({ doors, store, writer, clock, log, judge, unlockSchedules: this.#unlockSchedules });
  }

  #makeCommands(): DoorCommands {
    const { keeper, writer, clock, log } = this;
    return new DoorCommands({ keeper, writer, clock, log });
  }

  #makeWriter(): SerialWriter {
    return new SerialWriter({ store: this.store, gateway: GATEWAY, clock: this.clock, log: this.log });
  }
}
