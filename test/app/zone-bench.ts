// A door into a zone with a reader on each side, put together over fakes, for the tests of who may go through it.

import assert from 'node:assert/strict';
import { AlarmRegister } from '../../src/app/alarm-register.ts';
import { DoorController } from '../../src/app/door-controller.ts';
import { DoorPair } from '../../src/app/door-pair.ts';
import { TapHandler, type TapOutcome } from '../../src/app/handle-tap.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import type { Direction } from '../../src/domain/access-event.ts';
import type { AntiPassback } from '../../src/domain/anti-passback.ts';
import type { Binding, CardRecord } from '../../src/domain/credential.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { createLog } from '../../src/log.ts';
import { bindingOf, cardholderId, cardNumber, doorId, gatewayId, readerId, uidOf } from '../domain/samples.ts';
import { FakeDoorIo } from '../fakes/fake-door-io.ts';
import { MemoryDisk, MemoryStore } from '../fakes/memory-store.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { judgeOf } from '../fixtures/access-judge.ts';
import { timingsOf } from '../fixtures/door-timings.ts';
import { BUILDING, passageBookOf } from '../fixtures/passage-book.ts';
import { settle } from './door-bench.ts';

export const FRONT = doorId('front');
export const WITHIN = 15_000;

/** The cards of the bench: `ADA` and `ADA_TOO` are of one person. */
export const ADA = 'DEADBEEF';
export const ADA_TOO = 'C0FFEE01';
export const BOB = '0BADCAFE';

const HOLDERS = { [ADA]: 'E1001', [ADA_TOO]: 'E1001', [BOB]: 'E1002' };

export interface ZoneBenchOptions {
  readonly rule?: AntiPassback;
  readonly isForTwo?: boolean;
  readonly recordBeforeRelease?: boolean;
  readonly hasContact?: boolean;
  /** What the bindings of the cards have beside their holders. */
  readonly binding?: Partial<Binding>;
}

export const makeZoneBench = async (options: ZoneBenchOptions = {}) => {
  const { rule = { mode: 'hard' }, isForTwo = false, recordBeforeRelease = false, hasContact = true } = options;
  const clock = new VirtualClock();
  const log = createLog('silent');
  const disk = new MemoryDisk();
  for (const [card, holder] of Object.entries(HOLDERS)) {
    disk.cards.set(cardNumber(card), bindingOf({ cardholder: cardholderId(holder), ...options.binding }));
  }
  const store = new MemoryStore(disk);
  const writer = new SerialWriter({ store, gateway: gatewayId('lobby-1'), clock, log });
  const io = new FakeDoorIo([
    {
      door: FRONT,
      strike: { line: 17, activeLow: false, failMode: 'secure' },
      ...(hasContact && { contact: { line: 27, activeLow: true } }),
    },
  ]);
  const inputs: { controller?: DoorController } = {};
  await io.open({
    onInput: (_door, input) => inputs.controller?.onInput(input),
    onFailure: (error) => assert.fail(error),
  });
  const onChange = (): void => {};
  const passages = passageBookOf({ store, writer, clock, zones: new Map([[BUILDING, rule]]) });
  const controller = new DoorController(
    {
      door: FRONT,
      timings: timingsOf({}),
      io,
      writer,
      clock,
      log,
      onChange,
      onTaken: (grant) => passages.recordTaken(FRONT, grant),
      onOpenToAll: (isOpen) => passages.setOpenToAll(FRONT, isOpen),
    },
    'normal',
  );
  inputs.controller = controller;
  const pair = isForTwo ? new DoorPair(milliseconds(WITHIN)) : undefined;
  const judge = judgeOf({ clock, passages, twoPersonDoors: new Set(isForTwo ? [FRONT] : []) });
  const outcomes: TapOutcome[] = [];
  const handlerOf = (direction: Direction): TapHandler =>
    new TapHandler({
      place: { reader: readerId(`front-${direction}`), direction, role: 'access', door: FRONT },
      doorAtReader: { controller, recordBeforeRelease, pair },
      cardNumberFormat: 'hex',
      judge,
      store,
      writer,
      alarms: new AlarmRegister({ store, clock, log, onChange }),
      clock,
      log,
      onChange,
      onOutcome: (outcome) => outcomes.push(outcome),
    });
  const handlers = { in: handlerOf('in'), out: handlerOf('out') };
  const pass = (): void => {
    io.setInput(FRONT, 'contact', false);
    io.setInput(FRONT, 'contact', true);
  };
  /** Presents a card, takes it away again, and says what became of it at once. */
  const tap = (card: string, direction: Direction = 'in'): string => {
    const before = outcomes.length;
    const { [direction]: handler } = handlers;
    handler.onObservation({ kind: 'card', uid: uidOf(card) });
    handler.onObservation({ kind: 'none' });
    handler.onObservation({ kind: 'none' });
    return told(outcomes[before]);
  };
  return {
    clock,
    store,
    writer,
    io,
    controller,
    passages,
    pass,
    tap,
    /** A tap, and if it is granted the way through the door. */
    go: (card: string, direction: Direction = 'in'): string => {
      const outcome = tap(card, direction);
      if (outcome === 'granted') pass();
      return outcome;
    },
    /** What became of the last tap; complete after settle(). */
    last: (): string => told(outcomes.at(-1)),
    occupancy: (): number | undefined => passages.view()[BUILDING]?.occupancy,
    strikes: (): string[] => io.strikeCalls.map(({ state }) => state),
    /** HR's word on a card takes effect. */
    change: async (card: string, record: CardRecord): Promise<void> => {
      const cards = new Map([[cardNumber(card), record]]);
      await writer.write((tx) => tx.putChange({ cards, cardholders: new Map(), revision: record.revision }));
    },
    /** Taps and what followed, without the moving of the door. */
    events: async () => {
      await settle();
      return store.entries.map(({ event }) => event).filter(({ event }) => event.startsWith('access-'));
    },
  };
};

const told = (outcome: TapOutcome | undefined): string => {
  if (outcome === undefined) return 'nothing yet';
  return outcome.kind === 'denied' ? outcome.reason : outcome.kind;
};
