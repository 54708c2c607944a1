// What the configuration may say of one door.

import * as z from 'zod';
import { flag, line } from './schema-terms.ts';

export const relockOnClose = flag(
  true,
  'Lock as soon as the opened door is closed again, before releaseSeconds are over; needs a contact',
);

const strike = z
  .strictObject({
    line: line
      .optional()
      .describe('BCM number of the line that switches the strike’s relay. Required unless gpio.driver is simulated'),
    activeLow: flag(false, 'The relay board switches on at a low level'),
    releaseSeconds: z
      .number()
      .min(0.5)
      .max(600)
      .default(5)
      .describe('How long the door can be opened after a granted tap, in seconds'),
    failMode: z
      .enum(['secure', 'safe'])
      .default('secure')
      .describe('secure: the strike is locked without power. safe: it is unlocked without power (escape routes)'),
    relockOnClose,
  })
  .describe('The strike: the electric lock of the door, switched by a relay');

const input = (what: string, activeMeans: string) =>
  z
    .strictObject({
      line: line.optional().describe(`BCM number of the ${what}’s line. Required unless gpio.driver is simulated`),
      activeLow: flag(
        true,
        `A low level means ${activeMeans}: a switch between line and ground, pulled up inside the Pi`,
      ),
    })
    .optional();

export const door = z
  .strictObject({
    strike,
    contact: input('contact', 'closed').describe(
      'The door contact: tells whether the door is closed. Leave out if there is none',
    ),
    exitButton: input('exit button', 'pressed').describe('The exit button beside the door. Leave out if there is none'),
    heldOpenSeconds: z
      .number()
      .min(1)
      .max(86_400)
      .default(30)
      .describe('A door open for longer than this many seconds is reported as held open; needs a contact'),
    recordBeforeRelease: flag(
      false,
      'Write the access event to the disk before the strike is released: no opening without a record, at the price of a slower door',
    ),
  })
  .describe('One door; its key is its id on the wire');
