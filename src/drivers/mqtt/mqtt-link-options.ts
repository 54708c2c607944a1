// What the link is given, with what it makes of it for mqtt.js: a persistent session, bounded, silent about its secrets.

import type { IClientOptions } from 'mqtt';
import type { BackoffRange } from '../../domain/backoff.ts';
import { type Milliseconds, seconds } from '../../domain/units.ts';
import type { Log } from '../../log.ts';
import type { CredentialPaths } from './credential-files.ts';
import { UNACKNOWLEDGED_MESSAGES } from './inbound-queue.ts';

export interface MqttHrLinkOptions {
  /** `mqtt://host[:port]` or `mqtts://host[:port]`, without credentials. */
  readonly url: string;
  readonly protocolVersion: 4 | 5;
  /** Names the session at the broker; a second client with the same id takes the connection over. */
  readonly clientId: string;
  readonly username?: string | undefined;
  /** Read before every connection and watched while there is one. Certificates are used with `mqtts` only. */
  readonly credentialFiles?: CredentialPaths | undefined;
  /** How often the files are looked at for a change; default 10 seconds. */
  readonly credentialCheckInterval?: Milliseconds | undefined;
  /** A dead connection is noticed after 1.5 times this. */
  readonly keepaliveSeconds: number;
  /** Longest wait for CONNACK, and then for each sign of progress until the subscriptions stand. */
  readonly connectTimeoutSeconds: number;
  /** How long the broker keeps the session while the gateway is away; MQTT 5 only, 3.1.1 leaves it to the broker. */
  readonly sessionExpirySeconds: number;
  readonly subscriptions: readonly string[];
  /** Published by the broker, retained at QoS 1, when the connection ends without stop(). */
  readonly will?: { readonly topic: string; readonly payload: string };
  readonly log: Log;
  /** Uniform in [0, 1); for the jitter. */
  readonly random?: (() => number) | undefined;
  /** Default: 1 to 60 seconds. */
  readonly backoff?: BackoffRange | undefined;
}

/** Bytes of one inbound packet; twice the largest message of the contract. */
export const PACKET_LIMIT = 1024 * 1024;
export const DEFAULT_CREDENTIAL_CHECK_INTERVAL = seconds(10);
export const DEFAULT_BACKOFF: BackoffRange = { minimum: seconds(1), maximum: seconds(60) };

/** What the library is told; `reconnectPeriod` is the pause before the second attempt, in milliseconds. */
export const clientOptions = (options: MqttHrLinkOptions, reconnectPeriod: number): IClientOptions => {
  const { protocolVersion, clientId, username, keepaliveSeconds, connectTimeoutSeconds, will } = options;
  return {
    protocolVersion,
    clientId,
    ...(username !== undefined && { username }),
    clean: false,
    keepalive: keepaliveSeconds,
    connectTimeout: seconds(connectTimeoutSeconds),
    // A new timer for each packet would be a quarter of what a publish costs; the link does it now and then.
    reschedulePings: false,
    reconnectPeriod,
    reconnectOnConnackError: true,
    // Repeated subscriptions must reach the broker: we subscribe on every connect, the library must not think it did.
    resubscribe: false,
    queueQoSZero: false,
    ...(will !== undefined && {
      will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: true },
    }),
    ...(protocolVersion === 5 && {
      properties: {
        sessionExpiryInterval: options.sessionExpirySeconds,
        // What the queue takes without making the broker wait (MQTT 5.0, 3.1.2.11.3).
        receiveMaximum: UNACKNOWLEDGED_MESSAGES,
        maximumPacketSize: PACKET_LIMIT,
      },
    }),
    timerVariant: 'native',
    // Spares the 65,536 ready-made numbers, some megabytes.
    writeCache: false,
    // The library's own debug output shows user names and packets.
    log: () => {},
  };
};
