// The terms in which the schema of the configuration is written: ids, texts, paths, flags, GPIO lines.

import * as z from 'zod';
import { SLUG } from '../domain/ids.ts';

/** What `SLUG` demands, in words. */
export const ID_RULE = 'allowed: 1 to 63 lower-case letters, digits and hyphens, beginning with a letter or digit';
/** The highest BCM number on any Raspberry Pi so far (BCM2711: GPIO 0 to 57). */
export const MAX_LINE = 57;
export const MAX_DOORS = 64;
export const MAX_READERS = 64;
export const MAX_ZONES = 64;
const MAX_PATH_CHARACTERS = 1024;

const CONTROL_CHARACTER = /\p{Cc}/u;

export const id = (description: string) => z.string().regex(SLUG, ID_RULE).describe(description);
export const flag = (standard: boolean, description: string) => z.boolean().default(standard).describe(description);

export const text = (maximum: number, description: string) =>
  z
    .string()
    .min(1)
    .max(maximum)
    .refine((value) => !CONTROL_CHARACTER.test(value), 'has a control character in it; remove it')
    .describe(description);
export const path = (description: string) => text(MAX_PATH_CHARACTERS, description);

const isTimeZone = (name: string): boolean => {
  if (/^[+-]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
};

export const timeZone = z
  .string()
  .refine(isTimeZone, 'is no time zone that is known here; allowed: IANA names like Europe/Berlin or UTC');

export const line = z
  .int()
  .min(0)
  .max(MAX_LINE)
  .describe('GPIO line as its BCM number (GPIO17 is 17), not the number of the pin on the header');
