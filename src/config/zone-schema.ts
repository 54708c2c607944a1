// What the configuration may say of one zone.

import * as z from 'zod';
import { ANTI_PASSBACK_MODES } from '../domain/anti-passback.ts';

export const antiPassback = z
  .enum(ANTI_PASSBACK_MODES)
  .default('off')
  .describe(
    'Whether somebody who is inside may enter again. off: yes. soft: yes, and the event says so. hard: no, nor may somebody leave who is outside. timed: no, for timedMinutes after entering',
  );
export const timedMinutes = z
  .number()
  .min(1)
  .max(1440)
  .default(30)
  .describe('How many minutes after entering nobody enters again, with antiPassback: timed');

export const zone = z
  .strictObject({ antiPassback, timedMinutes })
  .describe('One zone; its key is its id. The doors that lead into it name it');
