// One MFRC522: sets it up, checks that it is still set up, and exchanges frames with cards. Registers are driven by
// mfrc522-rpi; reads that belong together go out in one message. Promises that silence is reported only by a chip whose
// settings were seen intact after it.

import MFRC522 from 'mfrc522-rpi';
import { type Milliseconds, milliseconds } from '../../domain/units.ts';
import { RegisterBus } from './register-bus.ts';
import {
  ANTENNA_PINS,
  Command,
  ErrorBit,
  FLUSH_FIFO,
  Irq,
  Register,
  RX_GAIN,
  RX_LAST_BITS,
  type RxGainDb,
  START_SEND,
} from './registers.ts';
import type { SpiBus, SpiCounters } from './spi-bus.ts';

export interface ChipOptions {
  readonly bus: SpiBus;
  readonly rxGainDb: RxGainDb;
  /** Blocks the thread. */
  readonly sleep: (time: Milliseconds) => void;
}

/** What came back for one frame sent to the cards. */
export type Reply =
  | { readonly kind: 'reply'; readonly bytes: Uint8Array; readonly bits: number }
  /** The chip's own timer ran out without an error, and its settings were intact afterwards. */
  | { readonly kind: 'silence' }
  | { readonly kind: 'collision' }
  /** A parity, CRC, protocol or overflow error. */
  | { readonly kind: 'garbled' }
  /** Neither a reply nor the timer in time, or lost settings: the chip itself is in doubt. */
  | { readonly kind: 'chip-fault' };

export type ChipHealth =
  | { readonly ok: true; readonly version: number }
  | { readonly ok: false; readonly version: number; readonly fault: 'silent' | 'stuck-high' | 'settings-lost' };

export interface Exchange {
  readonly bytes: readonly number[];
  /** 7 for a short frame (ISO/IEC 14443-3, 6.2.3.1), else all 8. */
  readonly lastBits?: 7;
  /** Length of the reply if all goes well, 1 to 16. A longer one counts as garbled. */
  readonly replyBytes: number;
  /** Nobody is expected to answer: look once, when the time is up. Else the first look comes when the reply should be in. */
  readonly likelySilent?: boolean;
}

/** One bit on the air at 106 kBd, 128/fc (ISO/IEC 14443-3, 6.1.1), in milliseconds. */
const BIT = 128 / 13_560;
/** From the end of sending to the reply: 1236/fc (ISO/IEC 14443-3, 6.2.1.1), in milliseconds. */
const FRAME_DELAY = 1236 / 13_560;
/** The chip's timer, 25 us x (79 + 1), started by the end of sending (8.5). */
const SILENCE = 2;
/** Added to every wait, for clocks that differ. */
const MARGIN = 0.1;
/** Looks at the chip when it is late, half a millisecond apart, before it counts as hung. */
const LATE_LOOKS = 6;
/** How long cards need to lose, and to gain, their power (ISO/IEC 14443-3, 5: 5 ms). */
const FIELD_SETTLES = milliseconds(5);
/** 8.8.2: the oscillator starts within 37.74 us plus its own time, far less than this. */
const CHIP_WAKES = milliseconds(1);

/** A frame with parity bits, start and end. */
const airTime = (bytes: number): number => (bytes * 9 + 2) * BIT;

interface Setting {
  readonly register: number;
  readonly value: number;
  /** The bits that are ours to check. */
  readonly mask: number;
}

const settingsFor = (gain: RxGainDb): readonly Setting[] => [
  { register: Register.txMode, value: 0x00, mask: 0xff },
  { register: Register.rxMode, value: 0x00, mask: 0xff },
  { register: Register.mode, value: 0x3d, mask: 0xab },
  { register: Register.txAsk, value: 0x40, mask: 0x40 },
  { register: Register.tMode, value: 0x80, mask: 0xff },
  { register: Register.tPrescaler, value: 0xa9, mask: 0xff },
  { register: Register.tReloadHigh, value: 0, mask: 0xff },
  { register: Register.tReloadLow, value: 79, mask: 0xff },
  { register: Register.rfCfg, value: RX_GAIN[gain] | 0x08, mask: 0x70 },
  { register: Register.coll, value: 0x00, mask: 0x80 },
];

export class Mfrc522Chip {
  readonly #registers: RegisterBus;
  readonly #sleep: (time: Milliseconds) => void;
  readonly #settings: readonly Setting[];
  readonly #checked: readonly number[];
  #library: MFRC522 | undefined;

  constructor({ bus, rxGainDb, sleep }: ChipOptions) {
    this.#registers = new RegisterBus(bus);
    this.#sleep = sleep;
    this.#settings = settingsFor(rxGainDb);
    this.#checked = [Register.version, Register.txControl, ...this.#settings.map(({ register }) => register)];
  }

  get counters(): SpiCounters {
    return this.#registers.counters;
  }

  /** Opens the bus; idempotent. This and every call below throw CardeaError when the SPI device refuses. */
  open(): void {
    this.#open();
  }

  /** Soft reset, then settings; the field goes off meanwhile, so every card starts anew. */
  reset(): void {
    const library = this.#open();
    library.writeRegister(Register.command, Command.idle); // leaves power-down, if a stray write led there
    this.#registers.flush();
    this.#sleep(CHIP_WAKES);
    library.reset(); // what it sets while the chip still starts may be lost, and its time-out is too long for us
    library.antennaOff();
    this.#registers.flush();
    this.#sleep(FIELD_SETTLES);
    this.configure();
  }

  /** Writes every setting, turns the field on and waits until cards may be spoken to. */
  configure(): void {
    const library = this.#open();
    library.writeRegister(Register.command, Command.idle);
    for (const { register, value } of this.#settings) library.writeRegister(register, value);
    library.antennaOn();
    this.#registers.flush();
    this.#sleep(FIELD_SETTLES);
  }

  /** Reads the version and all settings back, in one frame. */
  check(): ChipHealth {
    const [values] = this.#registers.read(this.#checked);
    return this.#judge(values ?? new Uint8Array());
  }

  /** Sends a frame to the cards and waits for what comes back. */
  transceive(exchange: Exchange): Reply {
    this.#send(exchange.bytes, exchange.lastBits ?? 0);
    const sending = airTime(exchange.bytes.length);
    const timeout = sending + SILENCE + MARGIN;
    const reply = sending + FRAME_DELAY + airTime(exchange.replyBytes) + MARGIN;
    const pauses = exchange.likelySilent === true ? [timeout] : [reply, Math.max(0, timeout - reply)];
    let waited = 0;
    for (const pause of [...pauses, ...Array.from({ length: LATE_LOOKS }, () => 0.5)]) {
      this.#sleep(milliseconds(pause));
      waited += pause;
      const seen = this.#look(exchange.replyBytes, waited >= timeout);
      if (seen !== undefined) return seen;
    }
    return { kind: 'chip-fault' };
  }

  /** Sends a frame that cards do not answer, and waits until they have taken it in. */
  send(bytes: readonly number[]): void {
    this.#send(bytes, 0);
    this.#sleep(milliseconds(airTime(bytes.length) + FRAME_DELAY + MARGIN));
  }

  /** Field off and bus closed, as far as that still works. */
  close(): void {
    try {
      this.#library?.antennaOff();
      this.#registers.flush();
    } finally {
      this.#registers.close();
    }
  }

  /** mfrc522-rpi opens the bus when it is made, so it is made when the bus can be opened. */
  #open(): MFRC522 {
    if (this.#library === undefined) this.#library = new MFRC522(this.#registers);
    else this.#registers.open();
    return this.#library;
  }

  /** One message: stop what runs, clear interrupts and FIFO, fill it, go (8.6.1, 10.3.1.8). */
  #send(bytes: readonly number[], lastBits: number): void {
    const library = this.#open();
    library.writeRegister(Register.command, Command.idle);
    library.writeRegister(Register.comIrq, Irq.all);
    library.writeRegister(Register.fifoLevel, FLUSH_FIFO);
    for (const byte of bytes) library.writeRegister(Register.fifoData, byte);
    library.writeRegister(Register.command, Command.transceive);
    library.writeRegister(Register.bitFraming, START_SEND | lastBits);
    this.#registers.flush();
  }

  /**
   * One message: interrupts, errors and the reply, which is there if it was to come at all; behind them the settings where
   * silence is to be reported. Undefined: not decided yet.
   */
  #look(replyBytes: number, withSettings: boolean): Reply | undefined {
    const status = [Register.comIrq, Register.error, Register.fifoLevel, Register.control];
    const reply = [...status, ...Array.from({ length: replyBytes }, () => Register.fifoData)];
    const [values, settings] = this.#registers.read(...(withSettings ? [reply, this.#checked] : [reply]));
    const [irq = 0, error = 0, level = 0, control = 0] = values ?? [];
    if (irq & Irq.neverRead) return { kind: 'chip-fault' };
    if (error & ErrorBit.collision) return { kind: 'collision' };
    if (error & ErrorBit.reception) return { kind: 'garbled' };
    if (irq & Irq.receive) {
      if (level > replyBytes) return { kind: 'garbled' };
      const lastBits = control & RX_LAST_BITS;
      const bits = lastBits === 0 ? level * 8 : (level - 1) * 8 + lastBits;
      return {
        kind: 'reply',
        bytes: Uint8Array.from(values ?? []).subarray(status.length, status.length + level),
        bits,
      };
    }
    if ((irq & Irq.timer) === 0 || settings === undefined) return undefined;
    return this.#judge(settings).ok ? { kind: 'silence' } : { kind: 'chip-fault' };
  }

  #judge([version = 0, txControl = 0, ...values]: Uint8Array): ChipHealth {
    const intact =
      (txControl & ANTENNA_PINS) === ANTENNA_PINS &&
      this.#settings.every(({ value, mask }, index) => ((values[index] ?? 0) & mask) === (value & mask));
    if (intact) return { ok: true, version };
    const fault = version === 0x00 ? 'silent' : version === 0xff ? 'stuck-high' : 'settings-lost';
    return { ok: false, version, fault };
  }
}
