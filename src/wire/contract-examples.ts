// One message of each kind, as it goes over the wire. They tell one story, with true hashes, so that an integrator can test against
// them: E1001 lost card DEADBEEF and got 04A2B3C4D5E680, which is then the only card in the roster.

import { BUCKET_BYTES, DIGEST_BYTES } from '../domain/roster-digest.ts';

export interface Example {
  readonly summary: string;
  readonly payload: object;
}

const SITE = 'hq';
const GATEWAY = 'lobby-1';
const CARD = '04A2B3C4D5E680';
const CARDHOLDER = 'E1001';
const REVISION = 1042;
const REQUEST = 'lobby-1-7';

/** First byte of SHA-256("04A2B3C4D5E680"). */
const BUCKET = 231;
/** First 8 bytes of SHA-256("04A2B3C4D5E680|1042"), at the place of that bucket. */
const BUCKETS = Buffer.alloc(DIGEST_BYTES);
BUCKETS.write('5e5ca4f3e6081c3e', BUCKET * BUCKET_BYTES, 'hex');

const ROSTER = {
  revision: REVISION,
  cards: 1,
  digest: 'ee727bd732b6e7a2a6af9e03ac8fe301d3f3f36c6f2f198b2e6b7ce927d1b4e5',
};

const fromHr = (type: string, number: number) => ({
  type,
  site: SITE,
  messageId: `hr-${number}`,
  revision: number,
  issuedAt: '2026-11-22T09:00:00+08:00',
  operator: 'hr.desk-2',
});

const ACCESS = [{ doors: ['front', 'lab'], schedule: 'office-hours' }, { doors: ['*'] }];

const answer = {
  type: 'receipt',
  gateway: GATEWAY,
  messageType: 'card-bound',
  messageId: `hr-${REVISION}`,
  revision: REVISION,
  result: 'applied',
  card: CARD,
  cardholder: CARDHOLDER,
  superseded: ['DEADBEEF'],
  doors: ['front'],
  code: null,
  detail: null,
  path: null,
  payloadSha256: null,
  warnings: ['unknown-schedule: office-hours'],
  appliedAt: '2026-11-22T01:00:00.123Z',
  clockSynchronized: true,
  sequence: 88123,
  roster: ROSTER,
};

export const EXAMPLES = {
  'card-bound': [
    {
      summary: 'A new card; all other cards of the person stop in the same instant',
      payload: {
        ...fromHr('card-bound', REVISION),
        card: CARD,
        cardholder: { id: CARDHOLDER, name: 'Li Na', department: 'Works' },
        access: ACCESS,
      },
    },
    {
      summary: "A visitor's card for a day, beside the cards that the person has",
      payload: {
        ...fromHr('card-bound', REVISION + 1),
        card: 'C0FFEE01',
        cardholder: { id: 'V-77' },
        access: [{ level: 'staff' }],
        kind: 'temporary',
        state: 'pending',
        validFrom: '2026-11-23T08:00:00+08:00',
        validUntil: '2026-11-23T18:00:00+08:00',
        supersedes: 'none',
        extendedRelease: true,
        'x-ticket': 'a field of HR that gateways ignore',
      },
    },
  ],
  'card-revoked': [
    { summary: 'One card', payload: { ...fromHr('card-revoked', REVISION + 2), card: 'DEADBEEF', reason: 'lost' } },
    {
      summary: 'All cards of a person',
      payload: { ...fromHr('card-revoked', REVISION + 3), cardholder: 'V-77', reason: 'left' },
    },
  ],
  calendar: [
    {
      summary: 'Office hours, shorter on holidays, and what the staff may open; all that HR said before is void',
      payload: {
        ...fromHr('calendar', 7),
        messageId: 'hr-calendar-7',
        schedules: {
          'office-hours': [
            { days: ['mon', 'tue', 'wed', 'thu', 'fri'], from: '08:00', to: '18:00' },
            { holidays: ['*'], from: '10:00', to: '12:00' },
          ],
          'night-shift': [{ days: ['fri', 'sat'], from: '22:00', to: '06:00' }],
        },
        holidays: {
          public: ['12-25', '2026-04-03', '12-31..01-01'],
          'works-closed': ['2026-08-03..2026-08-21'],
        },
        levels: {
          staff: [{ doors: ['front', 'lab'], schedule: 'office-hours' }, { doors: ['canteen'] }],
        },
      },
    },
  ],
  'roster-digest': [
    {
      summary: 'A roster of one card',
      payload: {
        type: 'roster-digest',
        site: SITE,
        revision: REVISION,
        cards: 1,
        buckets: BUCKETS.toString('base64'),
        epoch: '2026-a',
      },
    },
  ],
  'roster-page': [
    {
      summary: 'The answer to a request for two buckets, one of which is empty',
      payload: {
        type: 'roster-page',
        site: SITE,
        requestId: REQUEST,
        revision: REVISION,
        page: 1,
        pages: 1,
        buckets: [3, BUCKET],
        cards: [
          {
            card: CARD,
            revision: REVISION,
            cardholder: CARDHOLDER,
            access: ACCESS,
            kind: 'permanent',
            state: 'active',
            validFrom: null,
            validUntil: null,
          },
        ],
      },
    },
  ],
  'event-ack': [
    {
      summary: 'HR has stored everything up to event 88124',
      payload: { type: 'event-ack', site: SITE, gateway: GATEWAY, upTo: 88124 },
    },
  ],
  command: [
    {
      summary: 'Somebody without a card is let in, once',
      payload: {
        type: 'command',
        site: SITE,
        gateway: GATEWAY,
        messageId: 'console-17',
        issuedAt: '2026-11-22T09:00:00+08:00',
        expiresAt: '2026-11-22T09:00:30+08:00',
        operator: 'guard.3',
        reason: 'parcel service',
        action: 'unlock',
        door: 'front',
      },
    },
    {
      summary: 'No card opens any door of this gateway',
      payload: {
        type: 'command',
        site: SITE,
        gateway: GATEWAY,
        messageId: 'console-18',
        issuedAt: '2026-11-22T09:10:00+08:00',
        expiresAt: '2026-11-22T09:15:00+08:00',
        operator: 'guard.3',
        reason: 'disturbance at the gate',
        action: 'block',
        door: '*',
      },
    },
    {
      summary: 'On hr/command: no card but those that override it opens any door of the site for two hours',
      payload: {
        type: 'command',
        site: SITE,
        messageId: 'console-19',
        issuedAt: '2026-11-22T09:12:00+08:00',
        expiresAt: '2026-11-22T09:17:00+08:00',
        operator: 'guard.3',
        reason: 'intruder reported',
        action: 'lockdown',
        door: '*',
        until: '2026-11-22T11:12:00+08:00',
      },
    },
    {
      summary: 'Somebody who slipped out behind a colleague may come in again',
      payload: {
        type: 'command',
        site: SITE,
        gateway: GATEWAY,
        messageId: 'console-20',
        issuedAt: '2026-11-22T09:20:00+08:00',
        expiresAt: '2026-11-22T09:21:00+08:00',
        operator: 'guard.3',
        reason: 'tailgated out',
        action: 'reset-passback',
        door: '*',
        cardholder: CARDHOLDER,
      },
    },
  ],
  receipt: [
    { summary: 'The new card works at door front, the old one nowhere', payload: answer },
    {
      summary: 'A misspelt field: the message was refused',
      payload: {
        ...answer,
        messageId: 'hr-1046',
        revision: 1046,
        result: 'rejected',
        card: null,
        cardholder: null,
        superseded: [],
        doors: [],
        code: 'invalid-message',
        detail: 'Unrecognized key: "validUntill"',
        path: 'validUntill',
        warnings: [],
        sequence: 88125,
      },
    },
    {
      summary: 'A calendar is in force; one of its levels names a schedule that nobody defines',
      payload: {
        ...answer,
        messageType: 'calendar',
        messageId: 'hr-calendar-7',
        revision: 7,
        card: null,
        cardholder: null,
        superseded: [],
        doors: [],
        warnings: ['unknown-schedule: late-shift'],
        sequence: 88126,
      },
    },
    {
      summary: 'A command took effect at door front',
      payload: {
        ...answer,
        messageType: 'command',
        messageId: 'console-17',
        revision: null,
        card: null,
        cardholder: null,
        superseded: [],
        doors: ['front'],
        warnings: [],
        sequence: 88127,
      },
    },
  ],
  event: [
    {
      summary: 'The new card at the front door',
      payload: {
        type: 'event',
        gateway: GATEWAY,
        sequence: 88124,
        event: 'access-granted',
        time: '2026-11-22T01:02:03.456Z',
        clockSynchronized: true,
        door: 'front',
        reader: 'front-in',
        direction: 'in',
        card: CARD,
        cardholder: CARDHOLDER,
        bindingRevision: REVISION,
        reason: null,
        detail: null,
        previousHash: '7d793037a0760186574b0282f2f435e7b1f1f0c4a5ba6d6d8d2f0b3c1c2a3d4e',
        hash: '8dc070f8962626231c75161c2f4d8be9e3fc0697e35f15e18392771adaeb4f9f',
      },
    },
  ],
  'roster-request': [
    {
      summary: 'Two buckets differ',
      payload: {
        type: 'roster-request',
        gateway: GATEWAY,
        requestId: REQUEST,
        buckets: [3, BUCKET],
        revision: REVISION - 1,
      },
    },
  ],
  status: [
    {
      summary: 'The front door is blocked; nothing else needs attention',
      payload: {
        type: 'status',
        gateway: GATEWAY,
        online: true,
        version: '1.0.0',
        startedAt: '2026-11-20T06:00:00.000Z',
        time: '2026-11-22T01:03:00.000Z',
        roster: { ...ROSTER, epoch: '2026-a', reconciledAt: '2026-11-22T01:00:04.000Z' },
        calendar: { revision: 7, messageId: 'hr-calendar-7' },
        outbox: { pending: 0, oldest: null, acknowledged: 88124 },
        log: {
          first: 1,
          last: 88124,
          checkpoint: {
            sequence: 88120,
            hash: '7d793037a0760186574b0282f2f435e7b1f1f0c4a5ba6d6d8d2f0b3c1c2a3d4e',
            time: '2026-11-22T00:00:00.000Z',
            kid: null,
          },
        },
        doors: {
          front: {
            mode: 'blocked',
            position: 'closed',
            strike: 'locked',
            orderedBy: 'guard.3',
            reason: 'disturbance at the gate',
            until: null,
          },
        },
        readers: { 'front-in': { door: 'front', state: 'online', detail: null } },
        zones: { building: { antiPassback: 'soft', occupancy: 12 } },
        clock: { synchronized: true },
        lossyCardNumbers: false,
        alarms: [],
      },
    },
    { summary: 'The gateway is gone', payload: { type: 'status', gateway: GATEWAY, online: false } },
  ],
} as const satisfies Readonly<Record<string, readonly Example[]>>;
