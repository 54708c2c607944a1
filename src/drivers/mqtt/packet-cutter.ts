// Bounds the memory one inbound MQTT packet may take, before the parser collects it: a packet that announces more than the
// limit (MQTT 3.1.1 and 5.0, 2.2 Fixed header, Remaining Length) goes on shortened to it, the rest is thrown away as it comes.
// Shortened rather than refused: a queued giant that ended the connection would be delivered again, and end it again, for
// ever. Cut, it is still too large for any topic, so that the application refuses it, answers and acknowledges it.

/** Type and flags in one byte, then a length of one to four bytes. */
const LONGEST_HEADER = 5;
const NOTHING = Buffer.alloc(0);

export interface PacketCutterOptions {
  /** Bytes of one packet that are let through, its fixed header included; at least 128 KiB, to hold any topic and the id. */
  readonly limit: number;
  /** Told the announced size of a packet that is being cut. */
  readonly onCut: (size: number) => void;
}

export class PacketCutter {
  readonly #limit: number;
  readonly #onCut: (size: number) => void;
  /** The part of a fixed header that has arrived; it is held back until the length is known. */
  #header: Buffer = NOTHING;
  #passing = 0;
  #discarding = 0;

  constructor({ limit, onCut }: PacketCutterOptions) {
    this.#limit = limit - LONGEST_HEADER;
    this.#onCut = onCut;
  }

  /** What of `chunk` goes on, in order; chunks may split packets anywhere. An ordinary chunk goes on whole, uncopied. */
  pass(chunk: Buffer): Buffer[] {
    const out: Buffer[] = [];
    let at = 0;
    let runStart = 0;
    const cutRun = (resumeAt: number): void => {
      if (at > runStart) out.push(chunk.subarray(runStart, at));
      runStart = resumeAt;
    };
    while (at < chunk.length) {
      const rest = chunk.length - at;
      if (this.#passing > 0) {
        const count = Math.min(this.#passing, rest);
        this.#passing -= count;
        at += count;
      } else if (this.#discarding > 0) {
        const count = Math.min(this.#discarding, rest);
        cutRun(at + count);
        this.#discarding -= count;
        at += count;
      } else {
        const header = this.#header.length === 0 ? readFixedHeader(chunk, at) : undefined;
        if (header !== undefined && header.remaining <= this.#limit) {
          this.#passing = header.remaining;
          at += header.size;
        } else {
          cutRun(at + 1);
          this.#holdBack(chunk.readUInt8(at), out);
          at += 1;
        }
      }
    }
    cutRun(at);
    return out;
  }

  /** Adds a byte to the header; with its last one, sets what follows it and sends it on, with the shorter length if need be. */
  #holdBack(byte: number, out: Buffer[]): void {
    const held = Buffer.from([...this.#header, byte]);
    const header = readFixedHeader(held, 0);
    this.#header = header === undefined ? held : NOTHING;
    if (header === undefined) return;
    const { size, remaining } = header;
    this.#passing = Math.min(remaining, this.#limit);
    this.#discarding = remaining - this.#passing;
    if (this.#discarding === 0) {
      out.push(held);
    } else {
      out.push(Buffer.from([held.readUInt8(0), ...encodeLength(this.#limit)]));
      this.#onCut(size + remaining);
    }
  }
}

interface FixedHeader {
  readonly size: number;
  readonly remaining: number;
}

/** Undefined when `bytes` ends within the header at `start`. A malformed length is left to the parser behind to refuse. */
const readFixedHeader = (bytes: Buffer, start: number): FixedHeader | undefined => {
  let remaining = 0;
  for (let index = 1; index < LONGEST_HEADER; index += 1) {
    const byte = bytes[start + index];
    if (byte === undefined) return undefined;
    remaining += (byte & 0x7f) * 128 ** (index - 1);
    if (byte < 0x80) return { size: index + 1, remaining };
  }
  return { size: LONGEST_HEADER, remaining };
};

const encodeLength = (length: number): number[] =>
  length < 128 ? [length] : [(length % 128) | 0x80, ...encodeLength(Math.floor(length / 128))];
