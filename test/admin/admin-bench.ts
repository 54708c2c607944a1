// A gateway as the admin socket sees it: real doors, taps, writer and HR messages over a store in memory, a virtual clock and
// simulated lines that can be made to fail. Door `front` has contact and exit button, `lab` neither; reader `front-in` is
// simulated, `lab-in` is not.

import assert from 'node:assert/strict';
import { type AdminDependencies, AdminOperations, type AdminReader } from '../../src/admin/operations.ts';
import { AlarmRegister } from '../../src/app/alarm-register.ts';
import { DoorCommands } from '../../src/app/door-commands.ts';
import { DoorController } from '../../src/app/door-controller.ts';
import type { DoorModeKeeper } from '../../src/app/door-mode-keeper.ts';
import { describeGateway } from '../../src/app/gateway-status.ts';
import { TapHandler } from '../../src/app/handle-tap.ts';
import type { PassageBook } from '../../src/app/passage-book.ts';
import { EventPublisher } from '../../src/app/publish-events.ts';
import type { HrInbox } from '../../src/app/receive-hr-messages.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { SiteRules } from '../../src/app/site-rules.ts';
import { EMPTY_CALENDAR } from '../../src/domain/calendar.ts';
import type { CardNumberFormat } from '../../src/domain/card-number.ts';
import {
  type DoorId,
  parseDoorId,
  parseGatewayId,
  parseReaderId,
  parseSiteId,
  type ReaderId,
} from '../../src/domain/ids.ts';
import { SimulatedCardReader } from '../../src/drivers/simulated/simulated-card-reader.ts';
import { SimulatedDoorIo } from '../../src/drivers/simulated/simulated-door-io.ts';
import type { CardeaError } from '../../src/errors.ts';
import type { StrikeState } from '../../src/ports/door-io.ts';
import { unsignedEnvelope, unsignedSeal } from '../../src/wire/message-envelope.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { FakeHrLink } from '../fakes/fake-hr-link.ts';
import { MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { FRESH, judgeOf } from '../fixtures/access-judge.ts';
import { backupsOf } from '../fixtures/backups.ts';
import { keeperOf } from '../fixtures/door-mode-keeper.ts';
import { timingsOf } from '../fixtures/door-timings.ts';
import { makeInbox, NO_RECONCILER } from '../fixtures/hr-inbox.ts';
import { passageBookOf } from '../fixtures/passage-book.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';
import { ROOMY_DISK } from '../fixtures/roomy-disk.ts';

const present = <Value>(value: Value | undefined): Value => {
  assert.ok(value !== undefined);
  return value;
};

export const SITE = present(parseSiteId('hq'));
export const GATEWAY = present(parseGatewayId('demo'));
export const FRONT = present(parseDoorId('front'));
export const LAB = present(parseDoorId('lab'));
export const FRONT_IN = present(parseReaderId('front-in'));
const LAB_IN = present(parseReaderId('lab-in'));
export const CARD = '04A2B3C4D5E680';

/** Strikes that can be made to refuse. */
class BreakableDoorIo extends SimulatedDoorIo {
  /** While set, setStrike throws it. */
  writeFailure: CardeaError | undefined;

  override setStrike(door: DoorId, state: StrikeState): void {
    if (this.writeFailure !== undefined) throw this.writeFailure;
    super.setStrike(door, state);
  }
}

export interface AdminBenchOptions {
  readonly cardNumberFormat?: CardNumberFormat;
  readonly recordBeforeRelease?: boolean;
}

export class AdminBench {
  readonly clock = new VirtualClock();
  readonly store = new MemoryStore();
  readonly log = new RecordingLog();
  readonly link = new FakeHrLink();
  readonly io: BreakableDoorIo;
  readonly doors = new Map<DoorId, DoorController>();
  readonly writer: SerialWriter;
  readonly keeper: DoorModeKeeper;
  readonly cardAlarms: AlarmRegister;
  readonly passages: PassageBook;
  readonly dependencies: AdminDependencies;
  readonly operations: AdminOperations;
  /** What health() says. */
  faults: string[] = [];
  readonly #changes: HrInbox;
  #revision = 0;

  /** Everything started, nothing bound. */
  static async start(options: AdminBenchOptions = {}): Promise<AdminBench> {
    const bench = new AdminBench(options);
    await bench.io.open({ onInput: (door, input) => bench.doors.get(door)?.onInput(input), onFailure: () => {} });
    await bench.#startDoorsAndReaders(options);
    return bench;
  }

  private constructor({ cardNumberFormat = 'hex' }: AdminBenchOptions) {
    const { clock, store, log, link, doors } = this;
    const strike = { activeLow: false, failMode: 'secure' } as const;
    this.io = new BreakableDoorIo({
      doors: [
        {
          door: FRONT,
          strike: { ...strike, line: 1 },
          contact: { line: 2, activeLow: true },
          exitButton: { line: 3, activeLow: true },
        },
        { door: LAB, strike: { ...strike, line: 4 } },
      ],
    });
    const topics = topicsOf(SITE, GATEWAY);
    this.writer = new SerialWriter({ store, gateway: GATEWAY, clock, log });
    const publisher = new EventPublisher({ eventLog: store, link, topics, seal: unsignedSeal, clock, log });
    const rules = new SiteRules({ configured: EMPTY_CALENDAR, store, log });
    const cardAlarms = new AlarmRegister({ store, clock, log, onChange: () => {} });
    this.cardAlarms = cardAlarms;
    this.passages = passageBookOf({ store, writer: this.writer, clock, log });
    this.keeper = keeperOf({ doors, store, writer: this.writer, clock, log });
    this.dependencies = {
      gateway: GATEWAY,
      site: SITE,
      doors,
      commands: new DoorCommands({ keeper: this.keeper, writer: this.writer, clock, log }),
      readers: new Map<ReaderId, AdminReader>(),
      simulatedDoors: this.io,
      store,
      writer: this.writer,
      link,
      describe: () =>
        describeGateway({
          gateway: GATEWAY,
          version: '1.2.3',
          startedAt: clock.now(),
          lossyCardNumbers: false,
          store,
          writer: this.writer,
          outbox: publisher,
          audit: { view: () => ({ first: 1, last: store.tail().sequence, checkpoint: null }) },
          doors,
          keeper: this.keeper,
          readers: new Map(),
          passages: this.passages,
          rules,
          freshness: FRESH,
          reconciler: NO_RECONCILER,
          cardAlarms,
          disk: ROOMY_DISK,
          backupAlarms: () => [],
          storeAlarms: () => [],
          linkFault: () => undefined,
          clock,
          untrustedPolicy: 'deny-windowed',
        }),
      health: () => this.faults,
      timeZones: new Map(),
      cardNumberFormat,
      judge: judgeOf({ rules, clock, passages: this.passages }),
      passages: this.passages,
      reconciler: NO_RECONCILER,
      cardAlarms,
      backups: backupsOf({
        identity: { site: SITE, gateway: GATEWAY, cardNumberFormat },
        store,
        writer: this.writer,
        clock,
        log,
      }),
      clock,
      log,
    };
    this.operations = new AdminOperations(this.dependencies);
    this.writer.onCommit = () => this.operations.onCommitted();
    this.#changes = makeInbox({
      site: SITE,
      gateway: GATEWAY,
      doors: [FRONT, LAB],
      topics,
      cardNumberFormat,
      envelope: unsignedEnvelope,
      store,
      writer: this.writer,
      clock,
      log,
    });
  }

  /** Binds a card to a cardholder, as HR does; `fields` add to the message or replace parts of it. */
  async bind(card = CARD, fields: Readonly<Record<string, unknown>> = {}): Promise<void> {
    await this.#change('card-bound', {
      card,
      cardholder: { id: 'E1001', name: 'Ada Lovelace' },
      access: [{ doors: ['front'] }],
      ...fields,
    });
  }

  async revoke(card = CARD): Promise<void> {
    await this.#change('card-revoked', { card, reason: 'lost' });
  }

  /** Records events without meaning, `detailBytes` large. */
  async fillLog(count: number, detailBytes = 10): Promise<void> {
    for (let n = 0; n < count; n++) {
      this.writer.record({
        event: 'operator-action',
        at: this.clock.now(),
        clockSynchronized: true,
        detail: 'x'.repeat(detailBytes),
      });
    }
    await this.writer.idle();
  }

  async #change(type: 'card-bound' | 'card-revoked', fields: Readonly<Record<string, unknown>>): Promise<void> {
    this.#revision += 1;
    const message = {
      type,
      site: 'hq',
      messageId: `message-${this.#revision}`,
      revision: this.#revision,
      issuedAt: '2026-01-05T08:00:00Z',
      operator: 'hr.desk-1',
      ...fields,
    };
    const payload = Buffer.from(JSON.stringify(message));
    await this.#changes.handle({ topic: `cardea/hq/hr/${type}`, payload, retained: false });
  }

  async #startDoorsAndReaders({
    cardNumberFormat = 'hex',
    recordBeforeRelease = false,
  }: AdminBenchOptions): Promise<void> {
    const { clock, store, log, io, writer, doors } = this;
    const onChange = (): void => {};
    const timings = timingsOf();
    for (const door of [FRONT, LAB]) {
      doors.set(door, new DoorController({ door, timings, io, writer, clock, log, onChange }, 'normal'));
    }
    const { readers } = this.dependencies;
    assert.ok(readers instanceof Map);
    for (const [reader, door] of [
      [FRONT_IN, FRONT],
      [LAB_IN, LAB],
    ] as const) {
      const handler = new TapHandler({
        place: { reader, direction: 'in', role: 'access', door },
        doorAtReader: { controller: present(doors.get(door)), recordBeforeRelease },
        cardNumberFormat,
        judge: judgeOf({ clock }),
        store,
        writer,
        alarms: this.cardAlarms,
        clock,
        log,
        onChange,
      });
      const simulated = new SimulatedCardReader({ clock });
      await simulated.start(handler);
      readers.set(reader, reader === FRONT_IN ? { handler, simulated } : { handler });
    }
  }
}
