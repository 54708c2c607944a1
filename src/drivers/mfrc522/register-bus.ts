// Register access on an SPI bus, saving system calls: writes wait and leave together with the next read or flush, in as few
// messages as they fit; bytes for one register share a frame. It is the `spi` object mfrc522-rpi is given.
// Frame layout: MFRC522 data sheet Rev. 3.9, 8.1.2.

import { MAX_FRAME_BYTES, MAX_FRAMES, type SpiBus, type SpiCounters } from './spi-bus.ts';

const READ = 0x80;
const addressByte = (register: number): number => (register << 1) & 0x7e;

/** One read frame: the registers in the order their bytes are wanted; FIFODataReg may repeat. */
export type ReadRequest = readonly number[];

export class RegisterBus {
  readonly #bus: SpiBus;
  #waiting: number[][] = [];
  #messages = 0;
  #frames = 0;
  #bytes = 0;

  constructor(bus: SpiBus) {
    this.#bus = bus;
  }

  get counters(): SpiCounters {
    return { messages: this.#messages, frames: this.#frames, bytes: this.#bytes };
  }

  open(): void {
    this.#waiting = [];
    this.#bus.open();
  }

  close(): void {
    this.#waiting = [];
    this.#bus.close();
  }

  /** A write frame: address and data (8.1.2.2). It is sent by the next transfer, read or flush at the latest. */
  write(frame: Uint8Array): void {
    const [address, ...data] = frame;
    if (address === undefined) return;
    const last = this.#waiting.at(-1);
    if (last !== undefined && last[0] === address && isQueue(address) && last.length + data.length <= MAX_FRAME_BYTES) {
      last.push(...data);
      return;
    }
    // One place stays free, so that a read goes out with its writes.
    if (this.#waiting.length === MAX_FRAMES - 1) this.flush();
    this.#waiting.push([address, ...data]);
  }

  /** A read frame (8.1.2.1), sent at once behind the writes that wait. */
  transfer(frame: Uint8Array): Uint8Array {
    return this.#exchange([frame])[0] ?? new Uint8Array(frame.length);
  }

  /** Several read frames in one message. Returns the values in the order asked for. */
  read(...requests: readonly ReadRequest[]): readonly Uint8Array[] {
    const frames = requests.map((registers) =>
      Uint8Array.of(...registers.map((register) => addressByte(register) | READ), 0),
    );
    return this.#exchange(frames).map((answer) => answer.subarray(1));
  }

  flush(): void {
    if (this.#waiting.length > 0) this.#exchange([]);
  }

  #exchange(reads: readonly Uint8Array[]): readonly Uint8Array[] {
    if (this.#waiting.length + reads.length > MAX_FRAMES) this.flush();
    const frames = [...this.#waiting.map((frame) => Uint8Array.from(frame)), ...reads];
    this.#waiting = [];
    this.#messages += 1;
    this.#frames += frames.length;
    for (const frame of frames) this.#bytes += frame.length;
    const answers = this.#bus.exchange(frames);
    return answers.slice(frames.length - reads.length);
  }
}

/** Only the FIFO takes several bytes as several; elsewhere the later would overwrite the earlier, which the caller may mean. */
const isQueue = (address: number): boolean => address === addressByte(0x09);
