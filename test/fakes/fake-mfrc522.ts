// An MFRC522 behind an SPI bus, as far as reading UIDs needs it: registers, FIFO, Transceive, timer, CRC coprocessor, soft
// reset (data sheet Rev. 3.9, sections 8 to 10). Cards answer bit by bit in one grid, so several of them collide. Faults:
// a dead bus, a missing device, a brown-out, bits that flip on the wires, replies that break on the air.

import { crcA } from '../../src/drivers/mfrc522/crc-a.ts';
import type { SpiBus } from '../../src/drivers/mfrc522/spi-bus.ts';
import { CardeaError } from '../../src/errors.ts';
import { type Bits, type FakeCard, toBits, toBytes } from './fake-mfrc522-card.ts';

const BIT = 9.44;
const FRAME_DELAY = 91.15;
const RESET_VALUES: Readonly<Record<number, number>> = {
  1: 0x20,
  2: 0x80,
  4: 0x14,
  11: 0x08,
  12: 0x10,
  14: 0xa0,
  17: 0x3f,
  20: 0x80,
  22: 0x10,
  23: 0x84,
  24: 0x84,
  25: 0x4d,
  28: 0x62,
  31: 0xeb,
  33: 0xff,
  34: 0xff,
  36: 0x26,
  38: 0x48,
  39: 0x88,
  40: 0x20,
  41: 0x20,
};

/** What one reply looks like after the air had its way with it. */
export interface AirReply {
  readonly bits: Bits;
  /** ErrorReg bits. */
  readonly error: number;
}

export interface FakeMfrc522Options {
  /** Microseconds; any start. */
  readonly now: () => number;
  readonly version?: number;
  /** Called for every byte that crosses the wires; returns the byte as it arrives. */
  readonly wire?: (byte: number) => number;
}

export class FakeMfrc522 implements SpiBus {
  readonly cards: FakeCard[] = [];
  /** What MISO is stuck at; writes are lost. */
  stuckAt: 0x00 | 0xff | undefined;
  /** The device node is gone. */
  isUnplugged = false;
  /** Registers answer, the transceiver does nothing, as after a lock-up. Cleared by a soft reset. */
  isHung = false;
  wire: (byte: number) => number;
  air: (reply: AirReply) => AirReply = (reply) => reply;
  /** Called with the bytes of every frame the chip puts on the air. */
  onAir: (bytes: readonly number[]) => void = () => {};
  softResets = 0;
  messages = 0;
  frames = 0;

  readonly #now: () => number;
  readonly #version: number;
  readonly #registers = new Uint8Array(64);
  #isOpen = false;
  #fifo: number[] = [];
  #command = 0;
  #sendEnds: number | undefined;
  #reply: { readonly bits: Bits; readonly error: number; readonly starts: number; readonly ends: number } | undefined;
  #timerEnds: number | undefined;

  constructor({ now, version = 0x92, wire = (byte) => byte }: FakeMfrc522Options) {
    this.#now = now;
    this.#version = version;
    this.wire = wire;
    this.brownOut();
  }

  open(): void {
    if (this.#isOpen) return;
    if (this.isUnplugged) throw new CardeaError('spi-unavailable', 'cannot open the fake device: it is unplugged');
    this.#isOpen = true;
  }

  close(): void {
    this.#isOpen = false;
  }

  exchange(frames: readonly Uint8Array[]): readonly Uint8Array[] {
    if (this.isUnplugged || !this.#isOpen) {
      this.#isOpen = false;
      throw new CardeaError('spi-transfer-failed', 'the fake device is unplugged or closed');
    }
    if (frames.length < 1 || frames.length > 16 || frames.some(({ length }) => length < 1 || length > 64)) {
      throw new RangeError('a message has 1 to 16 frames of 1 to 64 bytes');
    }
    this.messages += 1;
    this.frames += frames.length;
    return frames.map((frame) => this.#frame(frame));
  }

  /** Registers back to their reset values, field off. */
  brownOut(): void {
    this.#registers.fill(0);
    for (const [address, value] of Object.entries(RESET_VALUES)) this.#registers[Number(address)] = value;
    this.#registers[0x37] = this.#version;
    this.#fifo = [];
    this.#command = 0;
    this.#sendEnds = undefined;
    this.#reply = undefined;
    this.#timerEnds = undefined;
    this.isHung = false;
    this.#field();
  }

  #frame(sent: Uint8Array): Uint8Array {
    if (this.stuckAt !== undefined) return new Uint8Array(sent.length).fill(this.stuckAt);
    const [address = 0, ...rest] = [...sent].map((byte) => this.wire(byte));
    const answer = [0];
    let next = address;
    for (const byte of rest) {
      if (address & 0x80) {
        answer.push(this.#read((next >> 1) & 0x3f));
        next = byte;
      } else {
        this.#write((address >> 1) & 0x3f, byte);
        answer.push(0);
      }
    }
    return Uint8Array.from(answer, (byte) => this.wire(byte));
  }

  #isPowered(): boolean {
    return this.stuckAt === undefined && !this.isUnplugged && (this.#get(0x01) & 0x10) === 0;
  }

  #field(): void {
    const isOn = this.#isPowered() && (this.#get(0x14) & 0x03) !== 0;
    for (const card of this.cards) card.field(isOn, this.#now());
  }

  #get(register: number): number {
    return this.#registers[register] ?? 0;
  }

  #raise(register: number, bits: number): void {
    this.#registers[register] = this.#get(register) | bits;
  }

  #lower(register: number, bits: number): void {
    this.#registers[register] = this.#get(register) & ~bits;
  }

  #read(register: number): number {
    this.#advance();
    switch (register) {
      case 0x01:
        return (this.#get(0x01) & 0x30) | this.#command;
      case 0x04:
        return this.#get(0x04) & 0x7f;
      case 0x09:
        return this.#fifo.shift() ?? 0;
      case 0x0a:
        return this.#fifo.length;
      default:
        return this.#get(register);
    }
  }

  #write(register: number, value: number): void {
    this.#advance();
    switch (register) {
      case 0x01:
        this.#start(value);
        return;
      case 0x04:
      case 0x05:
        if (value & 0x80) this.#raise(register, value & 0x7f);
        else this.#lower(register, value);
        return;
      case 0x09:
        if (this.#fifo.length < 64) this.#fifo.push(value);
        else this.#raise(0x06, 0x10);
        return;
      case 0x0a:
        if (value & 0x80) {
          this.#fifo = [];
          this.#lower(0x06, 0x10);
        }
        return;
      case 0x0d:
        this.#registers[register] = value & 0x77;
        if (value & 0x80 && this.#command === 0x0c && this.#isPowered() && !this.isHung) this.#transmit();
        return;
      case 0x0e:
        this.#registers[register] = (this.#get(register) & 0x7f) | (value & 0x80);
        return;
      case 0x06:
      case 0x0c:
      case 0x37:
        return;
      default:
        this.#registers[register] = value;
        this.#field();
    }
  }

  #start(value: number): void {
    this.#registers[0x01] = value & 0x30;
    this.#field();
    const command = value & 0x0f;
    if (command === 0x07) return;
    this.#sendEnds = undefined;
    this.#reply = undefined;
    this.#command = command;
    if (command !== 0) this.#lower(0x06, 0x1f);
    if (command === 0x03) this.#calculateCrc();
    if (command === 0x0f) {
      this.softResets += 1;
      this.brownOut();
    }
  }

  /** The coprocessor, with the preset 6363h. */
  #calculateCrc(): void {
    const [low, high] = crcA(this.#fifo);
    this.#fifo = [];
    this.#registers[0x22] = low;
    this.#registers[0x21] = high;
    this.#raise(0x05, 0x04);
  }

  #transmit(): void {
    const lastBits = this.#get(0x0d) & 7;
    const bytes = this.#fifo;
    const frame = toBits(bytes).slice(0, bytes.length * 8 - (lastBits === 0 ? 0 : 8 - lastBits));
    this.#fifo = [];
    this.#lower(0x06, 0x1f);
    this.#reply = undefined;
    this.#sendEnds = this.#now() + (frame.length + bytes.length + 2) * BIT;
    this.onAir(bytes);
    this.#field();
    // Cards hear 100 % ASK at 106 kBd only.
    if ((this.#get(0x15) & 0x40) === 0 || (this.#get(0x12) | this.#get(0x13)) & 0x73 || frame.length === 0) return;
    const reply = this.air(merge(this.cards.map((card) => card.hear(frame)).filter((bits) => bits.length > 0)));
    if (reply.bits.length === 0 || (this.#get(0x14) & 0x03) === 0) return;
    const starts = this.#sendEnds + FRAME_DELAY;
    this.#reply = { ...reply, starts, ends: starts + ((reply.bits.length * 9) / 8) * BIT + BIT };
  }

  #advance(): void {
    const now = this.#now();
    this.#field();
    if (this.#sendEnds !== undefined && now >= this.#sendEnds) {
      if (this.#get(0x2a) & 0x80) this.#timerEnds = this.#sendEnds + this.#timerLength();
      this.#sendEnds = undefined;
      this.#raise(0x04, 0x40);
    }
    if (this.#timerEnds !== undefined) {
      // The fifth bit of a reply stops it (8.5).
      const stops = this.#reply === undefined ? Number.POSITIVE_INFINITY : this.#reply.starts + 5 * BIT;
      if (stops < this.#timerEnds && now >= stops) {
        this.#timerEnds = undefined;
      } else if (now >= this.#timerEnds) {
        this.#timerEnds = undefined;
        this.#raise(0x04, 0x01);
      }
    }
    if (this.#reply !== undefined && this.#sendEnds === undefined && now >= this.#reply.ends)
      this.#deliver(this.#reply);
  }

  #timerLength(): number {
    const prescaler = ((this.#get(0x2a) & 0x0f) << 8) | this.#get(0x2b);
    return ((2 * prescaler + 1) * (((this.#get(0x2c) << 8) | this.#get(0x2d)) + 1)) / 13.56;
  }

  #deliver(reply: AirReply): void {
    this.#reply = undefined;
    const stripped = this.#get(0x13) & 0x80 ? reply.bits.slice(0, -16) : reply.bits;
    this.#fifo.push(...toBytes(stripped));
    this.#registers[0x0c] = (this.#get(0x0c) & 0xf8) | (stripped.length % 8);
    this.#raise(0x06, reply.error);
    this.#raise(0x04, reply.error === 0 ? 0x20 : 0x22);
  }
}

/** All cards answer in one grid of bits; where two differ the receiver sees a collision, and reads 0 from there on. */
const merge = (answers: readonly Bits[]): AirReply => {
  const longest = answers.reduce<Bits>((best, bits) => (bits.length > best.length ? bits : best), []);
  const collision = longest.findIndex((_, index) => new Set(answers.flatMap((bits) => bits[index] ?? [])).size > 1);
  if (collision === -1) return { bits: longest, error: 0 };
  return { bits: longest.map((bit, index) => (index < collision ? bit : 0)), error: 0x08 };
};
