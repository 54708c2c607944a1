// Watches the fixed headers of what a client sends (MQTT 3.1.1, 2.2) and tells as soon as one announces a packet over the
// limit, before anything has been collected for it.

export class PacketGuard {
  readonly #limit: number;
  #isInHeader = false;
  #lengthBytes = 0;
  #remaining = 0;

  /** `limit`: bytes that may follow a fixed header. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** True once `chunk`, continuing what came before, announces too much; then the connection must go. */
  isExceededBy(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length) {
      if (this.#isInHeader) {
        this.#readLength(chunk[at] ?? 0);
        at += 1;
        if (this.#remaining > this.#limit) return true;
      } else if (this.#remaining > 0) {
        const count = Math.min(this.#remaining, chunk.length - at);
        this.#remaining -= count;
        at += count;
      } else {
        this.#isInHeader = true;
        this.#lengthBytes = 0;
        at += 1;
      }
    }
    return false;
  }

  /** Up to four bytes, the low seven bits first; the parser behind refuses a fifth. */
  #readLength(byte: number): void {
    this.#remaining += (byte & 0x7f) * 128 ** this.#lengthBytes;
    this.#lengthBytes += 1;
    this.#isInHeader = byte >= 0x80 && this.#lengthBytes < 4;
  }
}
