// A type A card as ISO/IEC 14443-3, 6.3 to 6.5 describes it, seen bit by bit from the reader's side; parity left out.

import { crcA } from '../../src/drivers/mfrc522/crc-a.ts';

/** Bits in the order they are sent. */
export type Bits = readonly number[];

export const toBits = (bytes: Iterable<number>): number[] =>
  [...bytes].flatMap((byte) => Array.from({ length: 8 }, (_, bit) => (byte >> bit) & 1));

export const toBytes = (bits: Bits): number[] =>
  Array.from({ length: Math.ceil(bits.length / 8) }, (_, index) =>
    bits.slice(index * 8, index * 8 + 8).reduce((byte, value, bit) => byte | (value << bit), 0),
  );

type State = 'off' | 'idle' | 'ready' | 'active' | 'halt';

/** Field time a card may need before it listens, in microseconds. */
const POWER_UP = 5000;

export class FakeCard {
  readonly uid: Uint8Array;
  readonly #sak: number;
  #state: State = 'off';
  #poweredAt: number | undefined;
  #woken = false;
  #level = 0;

  constructor(uid: Uint8Array, sak = uid.length === 4 ? 0x08 : 0x00) {
    this.uid = uid;
    this.#sak = sak;
  }

  get state(): State {
    return this.#state;
  }

  /** Time in microseconds. */
  field(isOn: boolean, now: number): void {
    if (!isOn) {
      this.#state = 'off';
      this.#poweredAt = undefined;
      return;
    }
    this.#poweredAt ??= now;
    if (this.#state === 'off' && now - this.#poweredAt >= POWER_UP) {
      this.#state = 'idle';
      this.#woken = false;
    }
  }

  /** The answer to a frame; no bits: silence. */
  hear(frame: Bits): Bits {
    const bytes = toBytes(frame);
    if (frame.length === 7) return this.#wake(bytes[0] ?? 0);
    if (this.#state === 'active') {
      const isHalt = frame.length === 32 && bytes[0] === 0x50 && bytes[1] === 0 && hasCrc(bytes);
      if (isHalt) this.#state = 'halt';
      else this.#rest();
      return [];
    }
    return this.#state === 'ready' ? this.#selectStep(frame, bytes) : [];
  }

  #wake(command: number): Bits {
    const hears =
      this.#state === 'idle' ? command === 0x26 || command === 0x52 : this.#state === 'halt' && command === 0x52;
    if (!hears) {
      if (this.#state === 'ready' || this.#state === 'active') this.#rest();
      return [];
    }
    this.#woken = this.#state === 'halt';
    this.#state = 'ready';
    this.#level = 0;
    return toBits([{ 4: 0x04, 7: 0x44, 10: 0x84 }[this.uid.length] ?? 0, 0x00]);
  }

  #selectStep(frame: Bits, bytes: readonly number[]): Bits {
    const own = this.#uidOfLevel();
    const [select, nvb = 0] = bytes;
    const known = frame.slice(16);
    const ownBits = toBits(own);
    const fits =
      select === 0x93 + 2 * this.#level &&
      known.slice(0, 40).every((bit, index) => bit === ownBits[index]) &&
      frame.length >= 16;
    if (fits && nvb === 0x70 && frame.length === 72 && hasCrc(bytes)) return this.#selected();
    if (fits && nvb === ((frame.length >> 3) << 4) + (frame.length & 7) && known.length < 40)
      return ownBits.slice(known.length);
    this.#rest();
    return [];
  }

  #selected(): Bits {
    const isLast = this.#level === this.#levels() - 1;
    const sak = isLast ? this.#sak & ~0x04 : 0x04;
    if (isLast) this.#state = 'active';
    else this.#level += 1;
    return toBits([sak, ...crcA([sak])]);
  }

  #levels(): number {
    return (this.uid.length - 1) / 3;
  }

  #uidOfLevel(): number[] {
    const at = 3 * this.#level;
    const part =
      this.#level < this.#levels() - 1 ? [0x88, ...this.uid.slice(at, at + 3)] : [...this.uid.slice(at, at + 4)];
    return [...part, part.reduce((check, byte) => check ^ byte, 0)];
  }

  /** What does not belong here sends a card back to where it was woken from. */
  #rest(): void {
    this.#state = this.#woken ? 'halt' : 'idle';
  }
}

const hasCrc = (bytes: readonly number[]): boolean => {
  const [low, high] = crcA(bytes.slice(0, -2));
  return bytes.at(-2) === low && bytes.at(-1) === high;
};
