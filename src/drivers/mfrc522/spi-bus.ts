// What the chip driver asks of an SPI bus: a few frames at once, each with a chip select of its own. Implemented by spidev
// and, in tests, by a fake chip.

/** Frames that one message may carry: what spidev takes on every kernel we know (32-bit arm takes the fewest). */
export const MAX_FRAMES = 16;
/** Bytes of one frame: the Pi 5's controller has a FIFO of 64 and no chip select held beyond it without DMA. */
export const MAX_FRAME_BYTES = 64;

export interface SpiBus {
  /** Idempotent. Throws CardeaError `spi-unavailable`. */
  open(): void;
  /**
   * Sends 1 to MAX_FRAMES frames of 1 to MAX_FRAME_BYTES bytes in order, the chip deselected between them, and returns what
   * came back, one array for each frame and of its length. Throws CardeaError `spi-transfer-failed`; the bus is then closed.
   */
  exchange(frames: readonly Uint8Array[]): readonly Uint8Array[];
  /** Idempotent. */
  close(): void;
}

/** What went over the bus since it was made. */
export interface SpiCounters {
  /** System calls: one SPI_IOC_MESSAGE each. */
  readonly messages: number;
  /** Chip-select frames, "transfers" in spidev's words. */
  readonly frames: number;
  readonly bytes: number;
}
