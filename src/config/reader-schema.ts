// What the configuration may say of one card reader.

import * as z from 'zod';
import { flag, id, line } from './schema-terms.ts';

export const readerDriver = z
  .enum(['mfrc522', 'simulated'])
  .default('mfrc522')
  .describe('mfrc522: a reader chip on SPI. simulated: taps come from the command `cardea tap`');
export const readerRole = z
  .enum(['access', 'activation', 'enrolment'])
  .default('access')
  .describe(
    'access: a tap opens the door. activation: the same, and the first tap here activates a pending card. enrolment: only reports card numbers to HR and opens nothing',
  );
export const readerDoor = id('The door that this reader belongs to. Required unless role is enrolment').optional();
export const spi = z
  .string()
  .regex(/^\/dev\/spidev\d{1,3}\.\d{1,2}$/, 'allowed: /dev/spidevB.C, bus B and chip select C')
  .default('/dev/spidev0.0')
  .describe('SPI device of the reader');
const resetLine = line
  .optional()
  .describe('BCM number of the line on the reader’s RST pin; lets the gateway revive a reader that hangs');

const output = (what: string) =>
  z
    .strictObject({
      line: line.optional().describe(`BCM number of the ${what}’s line. Required unless gpio.driver is simulated`),
      activeLow: flag(false, `A low level switches the ${what} on`),
    })
    .optional()
    .describe(`The ${what}. Leave out if there is none`);

const feedback = z
  .strictObject({ greenLed: output('green LED'), redLed: output('red LED'), buzzer: output('buzzer') })
  .optional()
  .describe('What tells the person at the reader the outcome of a tap, and that the door stands open for too long');

export const reader = z
  .strictObject({
    door: readerDoor,
    direction: z.enum(['in', 'out']).default('in').describe('Which way a person goes who taps here'),
    role: readerRole,
    driver: readerDriver,
    spi,
    speedHz: z
      .int()
      .min(100_000)
      .max(10_000_000)
      .default(1_000_000)
      .describe('SPI clock in hertz; lower it for long wires'),
    resetLine,
    rxGainDb: z
      .literal([18, 23, 33, 38, 43, 48])
      .default(33)
      .describe(
        'Receiver gain of the MFRC522 in decibels (RFCfgReg RxGain); 48 reads farther and gives errors on some boards',
      ),
    pollMilliseconds: z
      .int()
      .min(10)
      .max(1000)
      .default(50)
      .describe('Pause between two looks for a card, in milliseconds'),
    feedback,
  })
  .describe('One card reader; its key is its id on the wire');
