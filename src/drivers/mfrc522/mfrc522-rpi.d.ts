// Types for the part of mfrc522-rpi 2.1.3 that is used here; the package ships none.

declare module 'mfrc522-rpi' {
  interface MFRC522Spi {
    open(): void;
    write(frame: Uint8Array): void;
    /** Must answer with as many bytes as were sent. */
    transfer(frame: Uint8Array): Uint8Array;
  }
  interface MFRC522Reply {
    readonly status: boolean;
    readonly data: readonly number[];
    readonly bitSize: number;
  }
  export default class MFRC522 {
    /** Calls `spi.open()`. */
    constructor(spi: MFRC522Spi);
    /** Never used: throws, see rpio-package. */
    setResetPin(pin: number): this;
    /** Soft reset, a 15.5 ms time-out, 100 % ASK, CRC preset 6363h, antenna on. */
    reset(): void;
    writeRegister(address: number, value: number): void;
    readRegister(address: number): number;
    antennaOn(): void;
    antennaOff(): void;
    toCard(command: number, bytes: readonly number[]): MFRC522Reply;
    calculateCRC(bytes: readonly number[]): number[];
    findCard(): { readonly status: boolean; readonly bitSize: number };
    getUid(): { readonly status: boolean; readonly data: readonly number[] };
    selectCard(uid: readonly number[]): number;
  }
}
