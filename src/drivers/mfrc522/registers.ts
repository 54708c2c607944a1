// Registers, commands and bits of the MFRC522 as its data sheet (Rev. 3.9, section 9) names and numbers them.

export const Register = {
  command: 0x01,
  comIrq: 0x04,
  error: 0x06,
  fifoData: 0x09,
  fifoLevel: 0x0a,
  control: 0x0c,
  bitFraming: 0x0d,
  coll: 0x0e,
  mode: 0x11,
  txMode: 0x12,
  rxMode: 0x13,
  txControl: 0x14,
  txAsk: 0x15,
  rfCfg: 0x26,
  tMode: 0x2a,
  tPrescaler: 0x2b,
  tReloadHigh: 0x2c,
  tReloadLow: 0x2d,
  version: 0x37,
} as const;

/** CommandReg (9.3.1.2, 10.3). */
export const Command = { idle: 0x00, transceive: 0x0c, softReset: 0x0f } as const;

/** ComIrqReg (9.3.1.5). Bit 7 is write-only and reads 0. */
export const Irq = { timer: 0x01, receive: 0x20, all: 0x7f, neverRead: 0x80 } as const;

/** ErrorReg (9.3.1.7). */
export const ErrorBit = {
  collision: 0x08,
  /** Protocol, parity, CRC and buffer overflow. */
  reception: 0x17,
} as const;

export const FLUSH_FIFO = 0x80;
export const START_SEND = 0x80;
export const RX_LAST_BITS = 0x07;
export const ANTENNA_PINS = 0x03;

/** RFCfgReg[6:4] (9.3.3.6). */
export const RX_GAIN = { 18: 0x00, 23: 0x10, 33: 0x40, 38: 0x50, 43: 0x60, 48: 0x70 } as const;
export type RxGainDb = keyof typeof RX_GAIN;

/** VersionReg (9.3.4.8) as the makers and the makers of clones set it. */
const VERSIONS: ReadonlyMap<number, string> = new Map([
  [0x91, 'MFRC522 version 1.0'],
  [0x92, 'MFRC522 version 2.0'],
  [0x88, 'FM17522, a clone'],
  [0xb2, 'FM17522E, a clone'],
  [0x12, 'an unnamed clone'],
]);

export const isGenuine = (version: number): boolean => version === 0x91 || version === 0x92;
export const describeVersion = (version: number): string =>
  `${VERSIONS.get(version) ?? 'an unknown chip'} (VersionReg 0x${version.toString(16).padStart(2, '0')})`;
