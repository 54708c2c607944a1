// What the configuration may say of one door.

import * as z from 'zod';
import { flag, id, line, timeZone } from './schema-terms.ts';

export const relockOnClose = flag(
  true,
  'Lock as soon as the opened door is closed again, before releaseSeconds are over; needs a contact',
);

export const releaseSeconds = z
  .number()
  .min(0.5)
  .max(600)
  .default(5)
  .describe('How long the door can be opened after a granted tap, in seconds');
export const extendedReleaseSeconds = z
  .number()
  .min(0.5)
  .max(1800)
  .optional()
  .describe(
    'releaseSeconds for people who need more time; the door may also stand open for longer by the difference. Default: three times releaseSeconds',
  );
export const heldOpenSeconds = z
  .number()
  .min(1)
  .max(86_400)
  .default(30)
  .describe('A door open for longer than this many seconds is reported as held open; needs a contact');
export const heldOpenWarningSeconds = z
  .number()
  .min(0)
  .max(86_400)
  .optional()
  .describe(
    'How many seconds before that the person at the door is warned; 0: not at all. Default: 10, or a third of heldOpenSeconds if that is less',
  );
export const exitAction = z
  .enum(['release', 'shunt'])
  .default('release')
  .describe(
    'release: the button releases the strike. shunt: a handle opens the door from inside, and the button makes that lawful for releaseSeconds',
  );

const strike = z
  .strictObject({
    line: line
      .optional()
      .describe('BCM number of the line that switches the strike’s relay. Required unless gpio.driver is simulated'),
    activeLow: flag(false, 'The relay board switches on at a low level'),
    releaseSeconds,
    extendedReleaseSeconds,
    failMode: z
      .enum(['secure', 'safe'])
      .default('secure')
      .describe('secure: the strike is locked without power. safe: it is unlocked without power (escape routes)'),
    relockOnClose,
  })
  .describe('The strike: the electric lock of the door, switched by a relay');

/** `activeLow` says what a low level means. */
const input = (what: string, activeLow: string) =>
  z
    .strictObject({
      line: line.optional().describe(`BCM number of the ${what}’s line. Required unless gpio.driver is simulated`),
      activeLow: flag(true, activeLow),
    })
    .optional();

const groundSwitch = (activeMeans: string): string =>
  `A low level means ${activeMeans}: a switch between line and ground, pulled up inside the Pi`;

export const doorZone = id(
  'The zone that this door leads into: readers with direction in enter it, those with out leave it',
).optional();

export const twoPerson = z
  .strictObject({
    withinSeconds: z
      .number()
      .min(1)
      .max(120)
      .default(15)
      .describe('How soon after the first card the second one has to come, in seconds'),
  })
  .optional()
  .describe('Nobody enters alone: two different people with two different cards. Leave out where one is enough');

export const unlockSchedule = z
  .strictObject({
    schedule: id('The schedule while which the door is unlocked, from schedules, HR’s calendar, or always'),
    afterFirstCard: flag(
      false,
      'Only once a card was granted at the door since the schedule began to hold: nobody stands in an open building alone',
    ),
  })
  .optional()
  .describe('When the door is open to everybody. Leave out for a door that cards open');

export const door = z
  .strictObject({
    strike,
    contact: input('contact', groundSwitch('closed')).describe(
      'The door contact: tells whether the door is closed. Leave out if there is none',
    ),
    exitButton: input('exit button', groundSwitch('pressed'))
      .unwrap()
      .extend({ action: exitAction })
      .optional()
      .describe('The exit button beside the door. Leave out if there is none'),
    tamper: input(
      'tamper input',
      'true: a switch between line and ground that closes when somebody tampers. false: one that opens then, a closed loop, which tells of a cut wire too. Pulled up inside the Pi in both cases',
    ).describe('The tamper switch of the housings at this door. Leave out if there is none'),
    heldOpenSeconds,
    heldOpenWarningSeconds,
    unlockSchedule,
    timezone: timeZone.optional().describe('IANA time zone of this door, where it is not the site’s'),
    zone: doorZone,
    twoPerson,
    recordBeforeRelease: flag(
      false,
      'Write the access event to the disk before the strike is released: no opening without a record, at the price of a slower door',
    ),
  })
  .describe('One door; its key is its id on the wire');
