// A GPIO kernel in memory, as far as the driver sees it: chips, lines, requests, edges, holders. It takes the structs apart
// by the offsets of linux/gpio.h written out here, not by the driver's own code.

import assert from 'node:assert/strict';
import type { KernelCalls } from '../../../src/drivers/gpio/kernel-calls.ts';
import type { LineLevel } from '../../../src/drivers/gpio/strike-level.ts';

interface FakeLine {
  level: LineLevel;
  consumer: string | undefined;
  pull: 'up' | 'down' | 'none';
  direction: 'in' | 'out';
  sequence: number;
}

interface FakeRequest {
  readonly chip: FakeChip;
  readonly offsets: readonly number[];
  readonly isInput: boolean;
  readonly debounceMicroseconds: number;
  nonBlocking: boolean;
  readonly events: Buffer[];
}

interface FakeChip {
  readonly path: string;
  readonly label: string;
  readonly lines: readonly FakeLine[];
}

export interface FakeChipOptions {
  readonly path?: string;
  readonly label?: string;
  readonly lines?: number;
  readonly openFailure?: string;
}

const FLAG_INPUT = 1n << 2n;
const FLAG_OUTPUT = 1n << 3n;
const FLAG_EDGES = (1n << 4n) | (1n << 5n);
const FLAG_PULL_UP = 1n << 8n;
const FLAG_PULL_DOWN = 1n << 9n;

export class FakeKernel implements KernelCalls {
  readonly #chips: FakeChip[];
  readonly #openFailures = new Map<string, string>();
  readonly #descriptors = new Map<number, FakeChip | FakeRequest>();
  #next = 100;
  /** While set, every write to a line fails with it. */
  writeFailure: string | undefined;
  /** While set, requests for lines fail with it. */
  requestFailure: string | undefined;
  /** As a kernel before 5.10. */
  lacksV2 = false;
  /** The next look finds these bits, once. */
  forcedPoll: number | undefined;
  /** Every level that a strike's line took, in order, by line. */
  readonly driven: (readonly [line: number, level: LineLevel])[] = [];

  constructor(chips: readonly FakeChipOptions[] = [{}]) {
    this.#chips = chips.map(({ path, label, lines, openFailure }, index) => {
      const chipPath = path ?? `/dev/gpiochip${index}`;
      if (openFailure !== undefined) this.#openFailures.set(chipPath, openFailure);
      return {
        path: chipPath,
        label: label ?? 'pinctrl-bcm2711',
        lines: Array.from(
          { length: lines ?? 58 },
          (): FakeLine => ({
            level: 0,
            consumer: undefined,
            pull: 'none',
            direction: 'in',
            sequence: 0,
          }),
        ),
      };
    });
  }

  get openDescriptors(): number {
    return this.#descriptors.size;
  }

  line(number: number, chip = 0): FakeLine {
    const line = this.#chips[chip]?.lines[number];
    assert.ok(line !== undefined, `line ${number}`);
    return line;
  }

  hold(number: number, consumer: string): void {
    this.line(number).consumer = consumer;
  }

  debounceOf(number: number): number | undefined {
    return this.#inputRequest(number)?.debounceMicroseconds;
  }

  /** The world sets an input; `lose` drops the event as an overflowing kernel buffer does. */
  set(number: number, level: LineLevel, { lose = false }: { readonly lose?: boolean } = {}): void {
    const line = this.line(number);
    if (line.level === level) return;
    line.level = level;
    const request = this.#inputRequest(number);
    if (request === undefined) return;
    line.sequence = (line.sequence + 1) >>> 0;
    if (lose) return;
    const event = Buffer.alloc(48);
    event.writeUInt32LE(level === 1 ? 1 : 2, 8);
    event.writeUInt32LE(number, 12);
    event.writeUInt32LE(line.sequence, 20);
    request.events.push(event);
  }

  listChips(): readonly string[] {
    return this.#chips.map(({ path }) => path);
  }

  open(path: string): number {
    const chip = this.#chips.find((candidate) => candidate.path === path);
    const failure = this.#openFailures.get(path) ?? (chip === undefined ? 'ENOENT' : undefined);
    if (failure !== undefined || chip === undefined)
      throw Object.assign(new Error(`${failure}: ${path}`), { code: failure });
    return this.#add(chip);
  }

  close(descriptor: number): void {
    const entry = this.#descriptors.get(descriptor);
    assert.ok(entry !== undefined, `close of ${descriptor}`);
    if ('offsets' in entry) {
      for (const offset of entry.offsets) {
        const line = entry.chip.lines[offset];
        if (line !== undefined) line.consumer = undefined;
      }
    }
    this.#descriptors.delete(descriptor);
  }

  setNonBlocking(descriptor: number): string | undefined {
    this.#request(descriptor).nonBlocking = true;
    return undefined;
  }

  poll(descriptor: number): number {
    const forced = this.forcedPoll;
    this.forcedPoll = undefined;
    return forced ?? (this.#request(descriptor).events.length > 0 ? 1 : 0);
  }

  read(descriptor: number, into: Buffer): number {
    const request = this.#request(descriptor);
    assert.ok(request.nonBlocking, 'a read that could block the main thread');
    let length = 0;
    while (length + 48 <= into.length) {
      const event = request.events.shift();
      if (event === undefined) break;
      event.copy(into, length);
      length += 48;
    }
    return length;
  }

  ioctl(descriptor: number, request: number, argument: Buffer): string | undefined {
    const entry = this.#descriptors.get(descriptor);
    assert.ok(entry !== undefined, `ioctl on ${descriptor}`);
    // _IOC_SIZE: the kernel would read and write this many bytes.
    assert.equal(argument.length, (request >>> 16) & 0x3fff);
    if ('offsets' in entry) return this.#requestCall(entry, request & 0xff, argument);
    return this.#chipCall(entry, request & 0xff, argument);
  }

  #chipCall(chip: FakeChip, number: number, argument: Buffer): string | undefined {
    if (number === 0x01) {
      argument.write(chip.path.slice(5), 0, 'latin1');
      argument.write(chip.label, 32, 'latin1');
      argument.writeUInt32LE(chip.lines.length, 64);
      return undefined;
    }
    if (this.lacksV2) return 'EINVAL';
    if (number === 0x05) {
      const line = chip.lines[argument.readUInt32LE(64)];
      if (line === undefined) return 'EINVAL';
      argument.write(line.consumer ?? '', 32, 'latin1');
      argument.writeBigUInt64LE(line.consumer === undefined ? FLAG_INPUT : 1n | FLAG_INPUT, 72);
      return undefined;
    }
    assert.equal(number, 0x07);
    return this.#claim(chip, argument);
  }

  #claim(chip: FakeChip, argument: Buffer): string | undefined {
    if (this.requestFailure !== undefined) return this.requestFailure;
    const count = argument.readUInt32LE(560);
    assert.ok(count >= 1 && count <= 64);
    const offsets = Array.from({ length: count }, (_, index) => argument.readUInt32LE(index * 4));
    const attributes = Array.from({ length: argument.readUInt32LE(296) }, (_, index) => {
      const at = 320 + index * 24;
      return {
        id: argument.readUInt32LE(at),
        value: argument.readBigUInt64LE(at + 8),
        mask: argument.readBigUInt64LE(at + 16),
      };
    });
    assert.ok(attributes.length <= 10);
    const defaults = argument.readBigUInt64LE(288);
    let isInput = false;
    let debounceMicroseconds = 0;
    for (const [index, offset] of offsets.entries()) {
      const line = chip.lines[offset];
      if (line === undefined) return 'EINVAL';
      if (line.consumer !== undefined) return 'EBUSY';
      const mine = (id: number): bigint | undefined =>
        attributes.find((attribute) => attribute.id === id && ((attribute.mask >> BigInt(index)) & 1n) === 1n)?.value;
      const flags = mine(1) ?? defaults;
      if ((flags & (FLAG_INPUT | FLAG_OUTPUT)) === 0n) return 'EINVAL';
      isInput = (flags & FLAG_INPUT) !== 0n;
      line.consumer = argument.toString('latin1', 256, argument.indexOf(0, 256));
      line.pull = (flags & FLAG_PULL_UP) !== 0n ? 'up' : (flags & FLAG_PULL_DOWN) !== 0n ? 'down' : 'none';
      line.direction = isInput ? 'in' : 'out';
      line.sequence = 0;
      if (isInput) {
        assert.equal(flags & FLAG_EDGES, FLAG_EDGES);
        debounceMicroseconds = Number(mine(3) ?? 0n);
      } else this.#drive(offset, line, ((mine(2) ?? 0n) >> BigInt(index)) & 1n);
    }
    const request: FakeRequest = {
      chip,
      offsets,
      isInput,
      debounceMicroseconds,
      nonBlocking: false,
      events: [],
    };
    argument.writeInt32LE(this.#add(request), 588);
    return undefined;
  }

  #requestCall(request: FakeRequest, number: number, argument: Buffer): string | undefined {
    const mask = argument.readBigUInt64LE(8);
    let bits = argument.readBigUInt64LE(0);
    if (number === 0x0f && this.writeFailure !== undefined) return this.writeFailure;
    for (const [index, offset] of request.offsets.entries()) {
      const line = request.chip.lines[offset];
      if (line === undefined || ((mask >> BigInt(index)) & 1n) === 0n) continue;
      if (number === 0x0e) bits |= BigInt(line.level) << BigInt(index);
      else if (request.isInput) return 'EPERM';
      else this.#drive(offset, line, (bits >> BigInt(index)) & 1n);
    }
    argument.writeBigUInt64LE(bits, 0);
    return undefined;
  }

  #drive(offset: number, line: FakeLine, bit: bigint): void {
    line.level = bit === 1n ? 1 : 0;
    this.driven.push([offset, line.level]);
  }

  #add(entry: FakeChip | FakeRequest): number {
    const descriptor = this.#next++;
    this.#descriptors.set(descriptor, entry);
    return descriptor;
  }

  #request(descriptor: number): FakeRequest {
    const entry = this.#descriptors.get(descriptor);
    assert.ok(entry !== undefined && 'offsets' in entry, `${descriptor} is no request`);
    return entry;
  }

  #inputRequest(number: number): FakeRequest | undefined {
    for (const entry of this.#descriptors.values()) {
      if ('offsets' in entry && entry.isInput && entry.offsets.includes(number)) return entry;
    }
    return undefined;
  }
}
