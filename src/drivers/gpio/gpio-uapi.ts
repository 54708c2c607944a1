// Layouts and numbers of the GPIO character device, uAPI v2, from linux/gpio.h (kernel 5.10 and later): pure encoding and
// decoding. The structs are the same on 32- and 64-bit machines; every Pi is little-endian.

import type { LineLevel } from './strike-level.ts';

/** ioctl numbers as x86 and arm encode them: direction << 30 | size << 16 | 0xB4 << 8 | number. */
export const GPIO_IOCTL = {
  getChipInfo: 0x8044_b401,
  getLineInfo: 0xc100_b405,
  getLine: 0xc250_b407,
  getValues: 0xc010_b40e,
  setValues: 0xc010_b40f,
} as const;

/** enum gpio_v2_line_flag */
const FLAG = {
  used: 1n << 0n,
  input: 1n << 2n,
  output: 1n << 3n,
  edgeRising: 1n << 4n,
  edgeFalling: 1n << 5n,
  biasPullUp: 1n << 8n,
  biasPullDown: 1n << 9n,
} as const;

/** enum gpio_v2_line_attr_id */
const ATTRIBUTE = { flags: 1, outputValues: 2, debounce: 3 } as const;
/** enum gpio_v2_line_event_id; the other one is 2, falling. */
const RISING_EDGE = 1;

/** struct gpio_v2_line_event */
export const LINE_EVENT_BYTES = 48;

/** struct gpio_v2_line_request */
const REQUEST = {
  bytes: 592,
  consumer: 256,
  flags: 288,
  attributes: 320,
  lineCount: 560,
  bufferSize: 564,
  descriptor: 588,
};
/** struct gpio_v2_line_config_attribute; its mask is the last field. */
const CONFIG_ATTRIBUTE = { bytes: 24, value: 8, mask: 16 };

export interface ChipInfo {
  /** As in /dev, such as `gpiochip0`. */
  readonly name: string;
  /** What the chip is, such as `pinctrl-bcm2711`. */
  readonly label: string;
  readonly lines: number;
}

export interface LineInfo {
  readonly used: boolean;
  /** Who holds the line, as far as the holder said. */
  readonly consumer: string;
}

export interface LineEvent {
  readonly line: number;
  readonly level: LineLevel;
  /** Counts the events of this line from 1, lost ones included; wraps at 2^32. */
  readonly lineSequence: number;
}

export type Pull = 'up' | 'down';

export interface OutputRequest {
  readonly line: number;
  /** Driven from the moment the line is an output. */
  readonly level: LineLevel;
  /** Where the pin goes if it is ever released to an input. */
  readonly pull: Pull;
}

export interface InputRequest {
  readonly line: number;
  readonly pull: Pull;
}

const text = (buffer: Buffer, from: number, length: number): string => {
  const field = buffer.subarray(from, from + length);
  const end = field.indexOf(0);
  return field.toString('latin1', 0, end < 0 ? length : end);
};

export const newChipInfo = (): Buffer => Buffer.alloc(68);
export const decodeChipInfo = (buffer: Buffer): ChipInfo => ({
  name: text(buffer, 0, 32),
  label: text(buffer, 32, 32),
  lines: buffer.readUInt32LE(64),
});

export const newLineInfo = (line: number): Buffer => {
  const buffer = Buffer.alloc(256);
  buffer.writeUInt32LE(line, 64);
  return buffer;
};
export const decodeLineInfo = (buffer: Buffer): LineInfo => ({
  consumer: text(buffer, 32, 32),
  used: (buffer.readBigUInt64LE(72) & FLAG.used) !== 0n,
});

interface Attribute {
  readonly id: number;
  readonly value: bigint;
  readonly mask: bigint;
}

/** One bit per line of the request that fulfils the condition. */
const maskOf = <T>(lines: readonly T[], condition: (line: T) => boolean): bigint =>
  lines.reduce((mask, line, index) => (condition(line) ? mask | (1n << BigInt(index)) : mask), 0n);

const encodeRequest = (
  lines: readonly { readonly line: number }[],
  consumer: string,
  attributes: readonly Attribute[],
  eventBufferSize = 0,
): Buffer => {
  const buffer = Buffer.alloc(REQUEST.bytes);
  lines.forEach(({ line }, index) => {
    buffer.writeUInt32LE(line, index * 4);
  });
  // 31 bytes: the kernel wants the terminating zero within the field.
  buffer.write(consumer.slice(0, 31), REQUEST.consumer, 'latin1');
  const used = attributes.filter(({ mask }) => mask !== 0n);
  buffer.writeUInt32LE(used.length, REQUEST.flags + 8);
  used.forEach(({ id, value, mask }, index) => {
    const at = REQUEST.attributes + index * CONFIG_ATTRIBUTE.bytes;
    buffer.writeUInt32LE(id, at);
    buffer.writeBigUInt64LE(value, at + CONFIG_ATTRIBUTE.value);
    buffer.writeBigUInt64LE(mask, at + CONFIG_ATTRIBUTE.mask);
  });
  buffer.writeUInt32LE(lines.length, REQUEST.lineCount);
  buffer.writeUInt32LE(eventBufferSize, REQUEST.bufferSize);
  return buffer;
};

const pullAttributes = (lines: readonly { readonly pull: Pull }[], flags: bigint): readonly Attribute[] => [
  { id: ATTRIBUTE.flags, value: flags | FLAG.biasPullUp, mask: maskOf(lines, ({ pull }) => pull === 'up') },
  { id: ATTRIBUTE.flags, value: flags | FLAG.biasPullDown, mask: maskOf(lines, ({ pull }) => pull === 'down') },
];

export const encodeOutputRequest = (lines: readonly OutputRequest[], consumer: string): Buffer =>
  encodeRequest(lines, consumer, [
    ...pullAttributes(lines, FLAG.output),
    { id: ATTRIBUTE.outputValues, value: maskOf(lines, ({ level }) => level === 1), mask: maskOf(lines, () => true) },
  ]);

/** `debounce` in milliseconds, 0 for none; `eventBufferSize` in events. */
export const encodeInputRequest = (
  lines: readonly InputRequest[],
  consumer: string,
  { debounce, eventBufferSize }: { readonly debounce: number; readonly eventBufferSize: number },
): Buffer => {
  const everyLine = maskOf(lines, () => true);
  const attributes = [...pullAttributes(lines, FLAG.input | FLAG.edgeRising | FLAG.edgeFalling)];
  if (debounce > 0) {
    attributes.push({ id: ATTRIBUTE.debounce, value: BigInt(Math.round(debounce * 1000)), mask: everyLine });
  }
  return encodeRequest(lines, consumer, attributes, eventBufferSize);
};

/** The descriptor of the granted request. */
export const decodeRequestDescriptor = (buffer: Buffer): number => buffer.readInt32LE(REQUEST.descriptor);

/** struct gpio_v2_line_values; `index` counts in the order of the request. */
export const encodeValue = (index: number, level: LineLevel): Buffer => {
  const buffer = Buffer.alloc(16);
  buffer.writeBigUInt64LE(BigInt(level) << BigInt(index), 0);
  buffer.writeBigUInt64LE(1n << BigInt(index), 8);
  return buffer;
};

/** Asks for the values of the first `count` lines of the request. */
export const newValues = (count: number): Buffer => {
  const buffer = Buffer.alloc(16);
  buffer.writeBigUInt64LE((1n << BigInt(count)) - 1n, 8);
  return buffer;
};
export const decodeValues = (buffer: Buffer, count: number): readonly LineLevel[] => {
  const bits = buffer.readBigUInt64LE(0);
  return Array.from({ length: count }, (_, index) => (((bits >> BigInt(index)) & 1n) === 1n ? 1 : 0));
};

/** The events in the first `length` bytes of what was read from the request's descriptor. */
export const decodeLineEvents = (buffer: Buffer, length: number): readonly LineEvent[] =>
  Array.from({ length: Math.floor(length / LINE_EVENT_BYTES) }, (_, index) => {
    const at = index * LINE_EVENT_BYTES;
    return {
      level: buffer.readUInt32LE(at + 8) === RISING_EDGE ? 1 : 0,
      line: buffer.readUInt32LE(at + 12),
      lineSequence: buffer.readUInt32LE(at + 20),
    };
  });
