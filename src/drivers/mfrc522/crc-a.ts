// CRC_A of ISO/IEC 14443-3, 6.2.4: computed here rather than by the chip's coprocessor, which would cost some fifteen
// transfers and would not notice a bit that flips on the SPI wires.

/** Low byte first, the order in which it is sent. */
export const crcA = (bytes: Iterable<number>): readonly [number, number] => {
  let crc = 0x6363;
  for (const byte of bytes) {
    let mixed = (byte ^ crc) & 0xff;
    mixed = (mixed ^ (mixed << 4)) & 0xff;
    crc = (crc >> 8) ^ (mixed << 8) ^ (mixed << 3) ^ (mixed >> 4);
  }
  return [crc & 0xff, (crc >> 8) & 0xff];
};
