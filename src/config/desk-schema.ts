// What a configuration file of the desk may hold: every key with its meaning, unit, range and default. One source for the loader,
// for the messages that name what is allowed, and for editors (`deskJsonSchema`). Rules between keys stand in desk-checks.ts.

import * as z from 'zod';
import { SLUG } from '../domain/ids.ts';
import { allowPlaintext, cardNumber, type JsonSchema, log, mqttKeys, mqttUrl, publicKeyKeys } from './schema.ts';
import { id, path, text } from './schema-terms.ts';

const MAX_GATEWAYS = 10_000;
const MAX_GRANTS = 64;

const mqtt = z
  .strictObject({
    url: mqttUrl
      .unwrap()
      .describe(
        'Address of the site’s broker: mqtts://HOST:PORT (default port 8883), or mqtt://HOST:PORT (1883) without encryption',
      ),
    ...mqttKeys,
    cert: mqttKeys.cert.describe(
      'PEM file with the desk’s client certificate; needs key. Relative to the directory of this file',
    ),
    sessionExpiryHours: mqttKeys.sessionExpiryHours.describe(
      'How many hours the broker keeps receipts and events for a desk that is away; MQTT 5 only (a 3.1.1 broker has its own limit)',
    ),
    allowPlaintext: allowPlaintext.describe(
      'Permits mqtt:// to a host other than this one. Whoever is on that network can then read and forge what the desk and the gateways say',
    ),
  })
  .describe('The link to the gateways');

const gateway = z
  .strictObject(publicKeyKeys)
  .meta({ oneOf: [{ required: ['publicKey'] }, { required: ['publicKeyFile'] }] })
  .describe('One gateway, under its id: the public half of the key with which it signs receipts and statuses');

const grant = z
  .strictObject({
    doors: z
      .array(z.string().regex(/^(\*|[a-z0-9][a-z0-9-]{0,62})$/, 'allowed: the id of a door, or "*" for all doors'))
      .min(1)
      .optional()
      .describe('Ids of doors, of any gateway of the site, or "*" for all doors'),
    schedule: id('When: the name of a schedule that the gateways know, or always. Default: always').optional(),
    level: id('Instead of doors and schedule: an access level that the gateways know').optional(),
  })
  .meta({ oneOf: [{ required: ['doors'] }, { required: ['level'] }] })
  .describe('Doors and when they open, or an access level');

const http = z
  .strictObject({
    host: text(255, 'Address at which the desk answers; any other than one of this machine alone needs tls').default(
      '127.0.0.1',
    ),
    port: z.int().min(0).max(65_535).default(8470).describe('TCP port of it; 0 takes any free one'),
    tls: z
      .strictObject({
        cert: path('PEM file with the desk’s certificate and its chain. Relative to the directory of this file'),
        key: path('PEM file with the private key of cert. Relative to the directory of this file'),
      })
      .optional()
      .describe('With it the desk answers over HTTPS only'),
  })
  .prefault({})
  .describe('The interface for the command line and for other programs');

export const trustMessages = z
  .enum(['signed', 'unsigned'])
  .default('signed')
  .describe(
    'signed: the desk signs what it sends with keys of its own (cardea desk keys), and goes by receipts that gateways have signed. unsigned: it signs nothing, for gateways that are set so, too',
  );

/** The whole file. Unknown keys are refused everywhere. */
export const deskFileSchema = z
  .strictObject({
    site: id('Id of the site; the root of all topics is cardea/<site>'),
    dataDir: path(
      'Directory of the desk’s records and keys, of no gateway. A relative path starts at the working directory of the desk',
    ).default('./desk-data'),
    cardNumber,
    mqtt,
    trust: z.strictObject({ messages: trustMessages }).prefault({}).describe('What messages have to prove'),
    gateways: z
      .record(z.string(), gateway)
      .prefault({})
      .meta({ propertyNames: { pattern: SLUG.source }, maxProperties: MAX_GATEWAYS })
      .describe(
        'The gateways whose signatures the desk knows, each under its id. Others are heard of as well, but with signed messages their word proves nothing',
      ),
    http,
    operations: z
      .strictObject({
        confirmWithinMinutes: z
          .int()
          .min(1)
          .max(10_080)
          .default(5)
          .describe('A change that not every gateway has confirmed after so many minutes is overdue'),
      })
      .prefault({})
      .describe('Changes and what proves them'),
    employees: z
      .strictObject({
        access: z
          .array(grant)
          .min(1)
          .max(MAX_GRANTS)
          .default([{ doors: ['*'] }])
          .describe('What cards of a new person open unless said otherwise, at most 64 entries'),
      })
      .prefault({})
      .describe('The people of the site'),
    sessions: z
      .strictObject({
        hours: z.int().min(1).max(720).default(8).describe('How many hours an operator stays signed in'),
      })
      .prefault({})
      .describe('Operators who are signed in'),
    events: z
      .strictObject({
        retentionDays: z
          .int()
          .min(1)
          .max(36_500)
          .optional()
          .describe('Events of the gateways older than so many days are removed. Default: none is'),
      })
      .prefault({})
      .describe('What the gateways tell of doors and cards'),
    log,
  })
  .meta({ title: 'Cardea desk configuration' })
  .describe('Configuration of the desk of one site');

/** A file that keeps to the schema, defaults filled in. */
export type DeskFile = z.output<typeof deskFileSchema>;

/** The schema of the file in JSON Schema 2020-12, for editors and for `cardea config schema --desk`. */
export const deskJsonSchema = (): JsonSchema =>
  z.toJSONSchema(deskFileSchema, { io: 'input', target: 'draft-2020-12' });
