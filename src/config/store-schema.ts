// What a configuration may say of the log, the store and its backups.

import * as z from 'zod';
import { path } from './schema-terms.ts';

/** age's X25519 recipients are Bech32; the library checks the rest when the first backup is made. */
const RECIPIENT = /^age1[02-9ac-hj-np-z]{58}$/;

export const events = z
  .strictObject({
    acknowledgement: z
      .enum(['broker', 'application'])
      .default('broker')
      .describe(
        'What takes an event out of the outbox. broker: the broker has it. application: HR has said with event-ack that it is stored',
      ),
    resendAfterSeconds: z
      .int()
      .min(5)
      .max(86_400)
      .default(60)
      .describe('With application: what HR has not acknowledged for so many seconds is sent again'),
    maxPending: z
      .int()
      .min(1_000)
      .max(100_000_000)
      .default(1_000_000)
      .describe(
        'How many events may wait for acknowledgement; at the limit whenFull applies. An alarm is up from nine tenths on',
      ),
    whenFull: z
      .enum(['drop-oldest', 'deny', 'keep'])
      .default('drop-oldest')
      .describe(
        'At maxPending. drop-oldest: the oldest are given up, and an event says which. deny: cards open nothing until there is room. keep: the log goes on growing until the disk is full',
      ),
    retentionDays: z
      .int()
      .min(1)
      .max(36_500)
      .default(365)
      .describe('Acknowledged events older than so many days are removed'),
    retentionEvents: z
      .int()
      .min(1_000)
      .max(100_000_000)
      .default(1_000_000)
      .describe('At most so many events are kept; unacknowledged ones are never removed for it'),
    checkpointHours: z
      .int()
      .min(1)
      .max(168)
      .default(24)
      .describe('A signed checkpoint of the log is recorded every so many hours, and at every start and stop'),
    lowValueDelaySeconds: z
      .int()
      .min(0)
      .max(60)
      .default(0)
      .describe(
        'Doors opening and closing, exit buttons and readers coming back may wait so many seconds for something more important to share a write with. A power cut in between loses them; 0 writes everything at once',
      ),
  })
  .prefault({})
  .describe('The log of events, and how it gets to HR');

export const store = z
  .strictObject({
    keyFile: path(
      'File with the key that opens the store, made at the first start. Relative to the directory of this file. Default: store.key in dataDir. A systemd credential named cardea-store-key comes before it',
    ).optional(),
    failurePolicy: z
      .enum(['deny', 'allow-last-known'])
      .default('deny')
      .describe(
        'What doors do while a damaged store has been set aside and HR has not filled the new one. deny: no card opens. allow-last-known: cards of the damaged store that still prove genuine open, which may be one that was revoked since',
      ),
    minimumFreeMiB: z
      .int()
      .min(1)
      .max(1_048_576)
      .default(64)
      .describe('With less free space than this, changes from HR are not taken; taps go on being decided and recorded'),
    ballastMiB: z
      .int()
      .min(0)
      .max(1_024)
      .default(64)
      .describe(
        'Size of a file that only takes room, and gives it back when the disk is full: 32 MiB of it for opening the store at a start, the rest for going on; 0: none',
      ),
  })
  .prefault({})
  .describe('Where cards and events are kept');

export const backup = z
  .strictObject({
    directory: path(
      'Where backups are put, better on another disk. Relative to the directory of this file. Without it none are made by themselves',
    ).optional(),
    recipients: z
      .array(
        z
          .string()
          .regex(RECIPIENT, 'is no age recipient; allowed: age1 and 58 more characters, as age-keygen prints them'),
      )
      .max(16)
      .default([])
      .describe('age public keys that open the backups; their private halves belong elsewhere'),
    everyHours: z.int().min(1).max(720).default(24).describe('How often a backup is made'),
    keep: z.int().min(1).max(1_000).default(7).describe('So many backups are kept; older ones are removed'),
  })
  .prefault({})
  .describe('Backups that the gateway makes by itself');
