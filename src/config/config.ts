// The configuration as the gateway works with it: parsed and checked once, read-only, lengths of time and ids in domain types.
// What the file may hold, with defaults, units and ranges, stands in schema.ts.

import type { AntiPassback } from '../domain/anti-passback.ts';
import type { CalendarDefinition } from '../domain/calendar.ts';
import type { CardNumberFormat } from '../domain/card-number.ts';
import type { UnlockSchedule } from '../domain/door-mode.ts';
import type { DoorTimings } from '../domain/door-state.ts';
import type { Signal } from '../domain/feedback.ts';
import type { DoorId, GatewayId, ReaderId, SiteId, ZoneId } from '../domain/ids.ts';
import type { UntrustedPolicy } from '../domain/schedule.ts';
import type { Permission, PublicKey } from '../domain/trusted-key.ts';
import type { Milliseconds } from '../domain/units.ts';

export interface Config {
  readonly site: SiteId;
  readonly gateway: GatewayId;
  /** Of the configuration alone; HR's is merged into it. */
  readonly calendar: CalendarDefinition;
  /** As written: relative to the working directory of the process. */
  readonly dataDir: string;
  readonly mqtt: MqttConfig;
  readonly cardNumber: { readonly format: CardNumberFormat };
  readonly clock: { readonly trust: 'auto' | 'always'; readonly untrustedPolicy: UntrustedPolicy };
  readonly gpio: GpioConfig;
  /** At most 64. */
  readonly zones: readonly ZoneConfig[];
  /** 1 to 64. */
  readonly doors: readonly DoorConfig[];
  /** 0 to 64; each names a door of this gateway or none. */
  readonly readers: readonly ReaderConfig[];
  readonly admin: {
    /** As written: relative to the working directory of the process; at most 107 bytes. */
    readonly socket: string;
  };
  readonly trust: TrustConfig;
  readonly reconcile: {
    /** Since the last agreement with HR's roster; after that the allow-list is stale. */
    readonly maxAge: Milliseconds;
    readonly stalePolicy: 'allow' | 'deny';
  };
  readonly events: EventsConfig;
  readonly store: StoreConfig;
  readonly backup: BackupConfig;
  readonly log: { readonly level: LogLevelName };
}

export interface EventsConfig {
  readonly acknowledgement: 'broker' | 'application';
  readonly resendAfter: Milliseconds;
  /** Events that wait for acknowledgement. */
  readonly maxPending: number;
  readonly whenFull: 'drop-oldest' | 'deny' | 'keep';
  readonly retention: { readonly maxAge: Milliseconds; readonly maxEvents: number };
  readonly checkpointInterval: Milliseconds;
  /** 0: every event is written at once. */
  readonly lowValueDelay: Milliseconds;
}

export interface StoreConfig {
  /** Absolute, or beside the store. */
  readonly keyFile: string;
  readonly failurePolicy: 'deny' | 'allow-last-known';
  readonly minimumFreeBytes: number;
  readonly ballastBytes: number;
}

export interface BackupConfig {
  /** Left out where no backups are made by themselves. */
  readonly directory?: string;
  readonly recipients: readonly string[];
  readonly interval: Milliseconds;
  readonly keep: number;
}

export type LogLevelName = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

export interface MqttSession {
  readonly keepaliveSeconds: number;
  readonly connectTimeoutSeconds: number;
  /** Means something in MQTT 5 only. */
  readonly sessionExpirySeconds: number;
}

export interface TrustConfig {
  readonly messages: 'signed' | 'unsigned';
  /** At least one where messages are signed. */
  readonly keys: readonly TrustedKeyConfig[];
  /** The gateway's own private key; where it is not required and the file is not there, the gateway has none. */
  readonly gatewayKey: { readonly file: string; readonly isRequired: boolean };
}

export type TrustedKeyConfig = { readonly kid: string; readonly may: readonly Permission[] } & PublicKeyConfig;

/** A key, or the absolute path of the file that it is in. */
export type PublicKeyConfig =
  | { readonly publicKey: PublicKey; readonly publicKeyFile?: never }
  | { readonly publicKeyFile: string; readonly publicKey?: never };

/** A broker inside this process, or HR's. */
export type MqttConfig = MqttSession & (EmbeddedMqtt | BrokerMqtt);

export interface EmbeddedMqtt {
  readonly kind: 'embedded';
  readonly host: '127.0.0.1';
  /** 0: any free one. */
  readonly port: number;
  readonly protocolVersion: 4;
}

export interface BrokerMqtt {
  readonly kind: 'broker';
  /** mqtt: or mqtts:, host and optional port; no credentials, no path. */
  readonly url: string;
  /** 4 is MQTT 3.1.1. */
  readonly protocolVersion: 4 | 5;
  readonly username?: string;
  /** A relative path in the file has become relative to the file's directory. The same holds for the files of `tls`. */
  readonly passwordFile?: string;
  /** Present exactly when the url is mqtts:. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string };
}

export interface GpioConfig {
  readonly driver: 'auto' | 'gpiochip' | 'rpi-gpio' | 'simulated';
  /** A path like /dev/gpiochip0, or a chip's label. */
  readonly chip?: string;
  readonly debounce: Milliseconds;
}

export interface ZoneConfig {
  readonly id: ZoneId;
  readonly antiPassback: AntiPassback;
}

export interface DoorConfig {
  readonly id: DoorId;
  /** IANA name, known to this Node; the site's where the door has none of its own. */
  readonly timezone: string;
  /** How the door is wired, in the shape that the GPIO drivers take. */
  readonly wiring: DoorWiringConfig;
  /** How the door behaves; the grace follows from how late its contact is reported. */
  readonly timings: Omit<DoorTimings, 'grace'>;
  readonly recordBeforeRelease: boolean;
  /** When it is open to everybody. */
  readonly unlockSchedule?: UnlockSchedule;
  /** The zone that the door leads into; one of the zones. */
  readonly zone?: ZoneId;
  /** Nobody enters alone: the second card has to come so soon after the first. */
  readonly twoPerson?: { readonly within: Milliseconds };
}

/** Lines are BCM numbers 0 to 57. With simulated GPIO a line that the file leaves out has a number above those. */
export interface DoorWiringConfig {
  readonly door: DoorId;
  readonly strike: { readonly line: number; readonly activeLow: boolean; readonly failMode: 'secure' | 'safe' };
  readonly contact?: { readonly line: number; readonly activeLow: boolean };
  readonly exitButton?: { readonly line: number; readonly activeLow: boolean };
  readonly tamper?: { readonly line: number; readonly activeLow: boolean };
}

export type ReaderConfig = {
  readonly id: ReaderId;
  readonly direction: 'in' | 'out';
  readonly hardware: ReaderHardware;
  /** The lines of the LEDs and the buzzer that there are; numbers as in DoorWiringConfig. */
  readonly feedback: readonly FeedbackLineConfig[];
} & (
  | { readonly role: 'access' | 'activation'; readonly door: DoorId }
  | { readonly role: 'enrolment'; readonly door?: DoorId }
);

export interface FeedbackLineConfig {
  readonly signal: Signal;
  readonly line: number;
  readonly activeLow: boolean;
}

export type ReaderHardware =
  | { readonly driver: 'simulated' }
  | {
      readonly driver: 'mfrc522';
      /** Like /dev/spidev0.0; no two readers share one. */
      readonly device: string;
      readonly speedHz: number;
      readonly rxGainDb: 18 | 23 | 33 | 38 | 43 | 48;
      readonly poll: Milliseconds;
      /** BCM number of the line on the chip's RST pin. */
      readonly resetLine?: number;
    };
