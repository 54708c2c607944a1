// What a configuration file may hold: every key with its meaning, unit, range and default. One source for the loader, for
// the messages that name what is allowed, and for editors (`configJsonSchema`). Rules between keys stand in cross-checks.ts.

import * as z from 'zod';
import { CARD_NUMBER_FORMATS } from '../domain/card-number.ts';
import { SLUG } from '../domain/ids.ts';
import { KEY_ID, PERMISSIONS, parsePublicKey } from '../domain/trusted-key.ts';
import { calendarSections } from './calendar-schema.ts';
import { door } from './door-schema.ts';
import { reader } from './reader-schema.ts';
import { flag, id, MAX_DOORS, MAX_READERS, MAX_ZONES, path, text, timeZone } from './schema-terms.ts';
import { backup, events, store } from './store-schema.ts';
import { zone } from './zone-schema.ts';

/** `sun_path` of a Unix socket holds 108 bytes with its terminating zero (unix(7)). */
const MAX_SOCKET_PATH_BYTES = 107;
/** What is wrong with a broker's address, or undefined. The address itself is never repeated: it may hold a password. */
const brokerUrlFault = (value: string): string | undefined => {
  const example = 'allowed: mqtt://HOST:PORT or mqtts://HOST:PORT';
  if (!URL.canParse(value)) return `is not an address; ${example}`;
  const url = new URL(value);
  if (url.protocol === 'ws:' || url.protocol === 'wss:')
    return `is MQTT over WebSocket, which is not supported; ${example}`;
  if (url.protocol !== 'mqtt:' && url.protocol !== 'mqtts:') return `is not the address of an MQTT broker; ${example}`;
  if (url.username !== '' || url.password !== '')
    return 'holds credentials; put them into mqtt.username and mqtt.passwordFile';
  if (!/^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)$/i.test(url.hostname)) return `names no host; ${example}`;
  if (url.port === '0') return 'has port 0; allowed: 1 to 65535';
  if ((url.pathname !== '' && url.pathname !== '/') || url.search !== '' || url.hash !== '') {
    return `goes on after the port; ${example}`;
  }
  return undefined;
};

export const gpioDriver = z
  .enum(['auto', 'gpiochip', 'rpi-gpio', 'simulated'])
  .default('auto')
  .describe(
    'How GPIO lines are driven. gpiochip: the character device of current kernels. rpi-gpio: sysfs of old kernels whose numbering starts at 0. auto: whichever of the two works here. simulated: no hardware',
  );
export const gpioChip = text(
  64,
  'GPIO chip for the gpiochip driver: a path like /dev/gpiochip0 or a label like pinctrl-bcm2711. Default: the Pi’s own header, found by its label',
).optional();

export const debounceMilliseconds = z
  .int()
  .min(0)
  .max(1000)
  .default(10)
  .describe('Inputs of doors must hold a level for this many milliseconds before it counts; 0 turns it off');

const gpio = z
  .strictObject({
    driver: gpioDriver,
    chip: gpioChip,
    debounceMilliseconds,
  })
  .prefault({})
  .describe('The GPIO lines that strikes, contacts and exit buttons hang on');

export const mqttUrl = z
  .string()
  .check((context) => {
    const fault = brokerUrlFault(context.value);
    if (fault !== undefined) context.issues.push({ code: 'custom', message: fault, input: context.value });
  })
  .optional()
  .describe(
    'Address of HR’s broker: mqtts://HOST:PORT (default port 8883), or mqtt://HOST:PORT (1883) without encryption',
  );
export const mqttProtocolVersion = z
  .literal([4, 5])
  .optional()
  .describe(
    'MQTT version: 5, or 4 for MQTT 3.1.1. Default 5; with embedded it is 4, the only one that the embedded broker speaks',
  );
export const allowPlaintext = flag(
  false,
  'Permits mqtt:// to a host other than this one. Whoever is on that network can then read and forge what HR says',
);

/** Of every link to a broker, beside its address. */
export const mqttKeys = {
  protocolVersion: mqttProtocolVersion,
  username: text(256, 'User name at the broker; needs passwordFile').optional(),
  passwordFile: path(
    'File that holds the password at the broker and nothing else. A relative path starts at the directory of this file',
  ).optional(),
  ca: path(
    'PEM file with the authorities that may vouch for the broker; default: the ones that Node trusts. Relative to the directory of this file',
  ).optional(),
  cert: path(
    'PEM file with this gateway’s client certificate; needs key. Relative to the directory of this file',
  ).optional(),
  key: path('PEM file with the private key of cert. Relative to the directory of this file').optional(),
  keepaliveSeconds: z
    .int()
    .min(5)
    .max(600)
    .default(15)
    .describe('A silent link is probed after this many seconds and given up after one and a half times as long'),
  connectTimeoutSeconds: z
    .int()
    .min(1)
    .max(120)
    .default(10)
    .describe('How long one attempt to connect may take, in seconds'),
  sessionExpiryHours: z
    .int()
    .min(1)
    .max(8760)
    .default(168)
    .describe(
      'How many hours the broker keeps messages for an unreachable gateway; MQTT 5 only (a 3.1.1 broker has its own limit)',
    ),
  allowPlaintext,
};

const mqtt = z
  .strictObject({
    url: mqttUrl,
    embedded: z
      .strictObject({
        port: z.int().min(0).max(65_535).default(1883).describe('TCP port on 127.0.0.1; 0 takes any free one'),
      })
      .optional()
      .describe('Instead of url: a broker inside the gateway, reachable from this machine only. For trying things out'),
    ...mqttKeys,
  })
  .meta({ oneOf: [{ required: ['url'] }, { required: ['embedded'] }] })
  .describe('The link to HR: exactly one of url and embedded');

export const trustMessages = z
  .enum(['signed', 'unsigned'])
  .default('signed')
  .describe(
    'Whether HR’s messages must carry a signature of one of the keys. unsigned believes everyone whom the broker lets publish',
  );

/** A public key, or the file that it is in. */
export const publicKeyKeys = {
  publicKey: z
    .string()
    .refine(
      (value) => parsePublicKey(value) !== undefined,
      'is no Ed25519 public key; allowed: the 43 characters that cardea keys show FILE prints',
    )
    .optional()
    .meta({ pattern: '^[A-Za-z0-9_-]{43}$' })
    .describe('Ed25519 public key: the x of its JWK, 32 bytes in base64url'),
  publicKeyFile: path(
    'Instead of publicKey: PEM or JWK file with the Ed25519 public key. Relative to the directory of this file',
  ).optional(),
};

const trustedKey = z
  .strictObject({
    ...publicKeyKeys,
    may: z
      .array(z.enum(PERMISSIONS))
      .min(1)
      .describe(
        'What the key may send. bind: card-bound. revoke: card-revoked. roster: roster-digest and roster-page. command: door commands. calendar: schedules, holidays and access levels. events: event-ack',
      ),
  })
  .meta({ oneOf: [{ required: ['publicKey'] }, { required: ['publicKeyFile'] }] })
  .describe('One key; its name is the kid in the signatures made with it. To replace a key, list both for a while');

const trustKeys = z
  .record(z.string(), trustedKey)
  .prefault({})
  .meta({ propertyNames: { pattern: KEY_ID.source } })
  .describe('The keys that signed messages must come from, each under its kid');

const trust = z
  .strictObject({
    messages: trustMessages,
    keys: trustKeys,
    gatewayKeyFile: path(
      'PEM file with the private key that signs receipts and statuses; cardea keys generate makes one. Relative to the directory of this file. Default: gateway-key.pem in dataDir, where there is one',
    ).optional(),
  })
  .prefault({})
  .describe('What HR’s messages must prove, and how this gateway proves its own');

export const clockTrust = z
  .enum(['auto', 'always'])
  .default('auto')
  .describe(
    'auto: the time counts only once the system says that its clock is synchronized. always: it counts at once, for machines with a battery-backed clock',
  );
const untrustedPolicy = z
  .enum(['deny-windowed', 'allow'])
  .default('deny-windowed')
  .describe(
    'While the time does not count. deny-windowed: validity windows and schedules other than always open nothing. allow: they are judged by the clock as it is. No door is unlocked by its schedule meanwhile',
  );

export const cardNumber = z
  .strictObject({
    format: z
      .enum(CARD_NUMBER_FORMATS)
      .default('hex')
      .describe(
        'How HR writes card numbers. hex: the UID. hex-reversed: the UID, last byte first. decimal, decimal-reversed: the same as a number. wiegand26, wiegand34: FFF,NNNNN from the low 3 or 4 bytes; different cards may share a number',
      ),
  })
  .prefault({})
  .describe('Card numbers of this site');

export const log = z
  .strictObject({
    level: z
      .enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'])
      .default('info')
      .describe('Least important records that are written'),
  })
  .prefault({})
  .describe('The log on standard output, one line of JSON per record');

/** The whole file. Unknown keys are refused everywhere. */
export const fileSchema = z
  .strictObject({
    site: id('Id of the site; the root of all topics is cardea/<site>'),
    gateway: id('Id of this gateway within the site; also its MQTT client id, cardea-<gateway>'),
    timezone: timeZone
      .default('UTC')
      .describe('IANA time zone in which schedules are meant, like Europe/Berlin; a door may have its own'),
    ...calendarSections,
    dataDir: path('Directory of the store. A relative path starts at the working directory of the gateway').default(
      './data',
    ),
    mqtt,
    cardNumber,
    clock: z
      .strictObject({ trust: clockTrust, untrustedPolicy })
      .prefault({})
      .describe('Whether to believe the system clock, and what it opens until then'),
    gpio,
    zones: z
      .record(z.string(), zone)
      .prefault({})
      .meta({ propertyNames: { pattern: SLUG.source }, maxProperties: MAX_ZONES })
      .describe(
        'The zones that doors lead into, at most 64, each under its id: who is inside, and who may enter again',
      ),
    doors: z
      .record(z.string(), door)
      .meta({ propertyNames: { pattern: SLUG.source }, minProperties: 1, maxProperties: MAX_DOORS })
      .describe('The doors, 1 to 64, each under its id'),
    readers: z
      .record(z.string(), reader)
      .prefault({})
      .meta({ propertyNames: { pattern: SLUG.source }, maxProperties: MAX_READERS })
      .describe('The card readers, at most 64, each under its id'),
    admin: z
      .strictObject({
        socket: path(
          'Unix socket for the technician’s commands, at most 107 bytes. A relative path starts at the working directory of the gateway',
        )
          .refine(
            (value) => Buffer.byteLength(value) <= MAX_SOCKET_PATH_BYTES,
            `is longer than the ${MAX_SOCKET_PATH_BYTES} bytes that a Unix socket's path may have; choose a shorter one`,
          )
          .default('/run/cardea/cardea.sock'),
      })
      .prefault({})
      .describe('Access for technicians'),
    trust,
    events,
    store,
    backup,
    reconcile: z
      .strictObject({
        maxAgeHours: z
          .int()
          .min(1)
          .max(8760)
          .default(168)
          .describe(
            'After so many hours without agreement with HR’s roster the allow-list counts as stale, with an alarm',
          ),
        stalePolicy: z
          .enum(['allow', 'deny'])
          .default('allow')
          .describe('What a stale allow-list opens. allow: what it opened before. deny: nothing'),
      })
      .prefault({})
      .describe('Agreement with HR’s roster'),
    log,
  })
  .meta({ title: 'Cardea gateway configuration' })
  .describe('Configuration of one Cardea gateway');

/** A file that keeps to the schema, defaults filled in. */
export type ConfigFile = z.output<typeof fileSchema>;

/** The part of JSON Schema that is used here. */
export interface JsonSchema {
  readonly [keyword: string]: unknown;
}

/** The schema of the file in JSON Schema 2020-12, for editors and for `cardea config schema`. */
export const configJsonSchema = (): JsonSchema => z.toJSONSchema(fileSchema, { io: 'input', target: 'draft-2020-12' });
