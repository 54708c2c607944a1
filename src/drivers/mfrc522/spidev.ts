// The kernel's spidev through koffi: no compiler, no native code of ours. koffi is loaded on the first open, so that a
// machine without SPI never needs it. Ioctl numbers and structures: linux/spi/spidev.h.

import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';
import { getSystemErrorName } from 'node:util';
import { CardeaError, errorMessage } from '../../errors.ts';
import { MAX_FRAME_BYTES, MAX_FRAMES, type SpiBus } from './spi-bus.ts';

const SPI_IOC_WR_MODE = 0x40016b01;
const SPI_IOC_WR_BITS_PER_WORD = 0x40016b03;
const SPI_IOC_WR_MAX_SPEED_HZ = 0x40046b04;
/** sizeof(struct spi_ioc_transfer): the same on 32- and 64-bit machines, buffers are passed as __u64. */
const TRANSFER_BYTES = 32;
const spiIocMessage = (frames: number): number => 0x40006b00 + frames * TRANSFER_BYTES * 0x10000;

const TX = MAX_FRAMES * TRANSFER_BYTES;
const RX = TX + MAX_FRAMES * MAX_FRAME_BYTES;
const AREA_BYTES = RX + MAX_FRAMES * MAX_FRAME_BYTES;

export interface SpidevOptions {
  /** For example `/dev/spidev0.0`. */
  readonly device: string;
  /** Bus clock in hertz; the MFRC522 takes up to 10 MHz (data sheet, 8.1.2). */
  readonly speedHz: number;
}

/** One open device. The area holds the transfer descriptors, then what is sent, then what comes back. */
interface Session {
  readonly descriptor: number;
  readonly area: unknown;
  readonly view: DataView;
  readonly address: bigint;
  readonly ioctl: (descriptor: number, request: number, argument: unknown) => number;
  readonly errno: () => number;
  readonly release: () => void;
}

export class Spidev implements SpiBus {
  readonly #options: SpidevOptions;
  #session: Session | undefined;

  constructor(options: SpidevOptions) {
    this.#options = options;
  }

  open(): void {
    if (this.#session !== undefined) return;
    const { device } = this.#options;
    let descriptor: number;
    try {
      descriptor = openSync(device, 'r+');
    } catch (cause) {
      throw new CardeaError('spi-unavailable', `cannot open ${device}: ${errorMessage(cause)}`, {
        cause,
        context: { device },
      });
    }
    try {
      this.#session = startSession(descriptor);
      this.#configure(this.#session);
    } catch (cause) {
      if (this.#session === undefined) closeSync(descriptor);
      this.close();
      throw cause instanceof CardeaError
        ? cause
        : new CardeaError('spi-unavailable', `cannot call ioctl on ${device}: ${errorMessage(cause)}`, { cause });
    }
  }

  exchange(frames: readonly Uint8Array[]): readonly Uint8Array[] {
    const session = this.#session;
    if (session === undefined) throw this.#failure('spi-transfer-failed', 'the device is not open');
    const { view } = session;
    for (const [index, frame] of frames.entries()) {
      new Uint8Array(view.buffer, TX + index * MAX_FRAME_BYTES, frame.length).set(frame);
      this.#describe(session, { index, length: frame.length, deselect: index < frames.length - 1 });
    }
    if (session.ioctl(session.descriptor, spiIocMessage(frames.length), session.area) < 0) {
      const errno = session.errno();
      this.close();
      throw this.#failure(
        'spi-transfer-failed',
        `a message of ${frames.length} frames was refused: ${errorName(errno)}`,
      );
    }
    return frames.map((frame, index) =>
      new Uint8Array(view.buffer, RX + index * MAX_FRAME_BYTES, frame.length).slice(),
    );
  }

  close(): void {
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    session.release();
    closeSync(session.descriptor);
  }

  /** Mode 0, most significant bit first: what the MFRC522 speaks (data sheet, 8.1.2). */
  #configure(session: Session): void {
    const settings = [
      { name: 'mode 0', request: SPI_IOC_WR_MODE, value: 0 },
      { name: '8 bits', request: SPI_IOC_WR_BITS_PER_WORD, value: 8 },
      { name: `${this.#options.speedHz} Hz`, request: SPI_IOC_WR_MAX_SPEED_HZ, value: this.#options.speedHz },
    ];
    for (const { name, request, value } of settings) {
      session.view.setUint32(0, value, true);
      if (session.ioctl(session.descriptor, request, session.area) < 0) {
        throw this.#failure('spi-unavailable', `${name} was refused: ${errorName(session.errno())}`);
      }
    }
  }

  /** struct spi_ioc_transfer; koffi runs on little-endian machines only. */
  #describe({ view, address }: Session, frame: { index: number; length: number; deselect: boolean }): void {
    const at = frame.index * TRANSFER_BYTES;
    view.setBigUint64(at, address + BigInt(TX + frame.index * MAX_FRAME_BYTES), true);
    view.setBigUint64(at + 8, address + BigInt(RX + frame.index * MAX_FRAME_BYTES), true);
    view.setUint32(at + 16, frame.length, true);
    view.setUint32(at + 20, this.#options.speedHz, true);
    view.setUint16(at + 24, 0, true);
    view.setUint8(at + 26, 8);
    view.setUint8(at + 27, frame.deselect ? 1 : 0);
    view.setUint32(at + 28, 0, true);
  }

  #failure(code: 'spi-unavailable' | 'spi-transfer-failed', what: string): CardeaError {
    const { device, speedHz } = this.#options;
    return new CardeaError(code, `${device}: ${what}`, { context: { device, speedHz } });
  }
}

const errorName = (errno: number): string => `${getSystemErrorName(-errno)} (errno ${errno})`;

const startSession = (descriptor: number): Session => {
  const koffi: typeof import('koffi') = createRequire(import.meta.url)('koffi');
  const area: unknown = koffi.alloc('uint8_t', AREA_BYTES);
  return {
    descriptor,
    area,
    view: new DataView(koffi.view(area, AREA_BYTES)),
    address: koffi.address(area),
    ioctl: koffi.load(null).func('int ioctl(int fd, unsigned long request, void *argument)'),
    errno: () => koffi.errno(),
    release: () => koffi.free(area),
  };
};
