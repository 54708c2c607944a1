// Stands in for rpio, whose native code compiles on no supported Node: loading it works, so mfrc522-rpi loads; using a pin
// throws. Reset and buzzer lines belong to the gateway's GPIO driver, never to a library behind its back.
'use strict';

const refuse = (name) => () => {
  const error = new Error(
    `rpio.${name}() was called, but Cardea drives all pins through its own GPIO driver: configure resetLine there instead`,
  );
  error.code = 'hardware-call-unsupported';
  throw error;
};

/** Constants of rpio 1.x, as its README lists them: harmless to read. */
const constants = { LOW: 0, HIGH: 1, INPUT: 0, OUTPUT: 1, PWM: 2, PULL_OFF: 0, PULL_DOWN: 1, PULL_UP: 2 };

const functions = [
  'init',
  'open',
  'mode',
  'read',
  'readbuf',
  'readpad',
  'write',
  'writebuf',
  'writepad',
  'pud',
  'poll',
  'close',
  'exit',
  'i2cBegin',
  'i2cSetSlaveAddress',
  'i2cSetClockDivider',
  'i2cSetBaudRate',
  'i2cRead',
  'i2cWrite',
  'i2cEnd',
  'pwmSetClockDivider',
  'pwmSetRange',
  'pwmSetData',
  'spiBegin',
  'spiChipSelect',
  'spiSetCSPolarity',
  'spiSetClockDivider',
  'spiSetDataMode',
  'spiTransfer',
  'spiWrite',
  'spiEnd',
  'sleep',
  'msleep',
  'usleep',
];

module.exports = { ...constants, ...Object.fromEntries(functions.map((name) => [name, refuse(name)])) };
