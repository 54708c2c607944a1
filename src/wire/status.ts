// The retained status document (PROTOCOL.md, Status), which is the last will as well.

import type { AntiPassback } from '../domain/anti-passback.ts';
import type { DoorMode } from '../domain/door-mode.ts';
import type { DoorId, GatewayId, ReaderId, ZoneId } from '../domain/ids.ts';

export interface StatusDocument {
  readonly type: 'status';
  readonly gateway: GatewayId;
  readonly online: true;
  readonly version: string;
  /** RFC 3339, as all times here. */
  readonly startedAt: string;
  readonly time: string;
  readonly roster: {
    readonly revision: number;
    readonly cards: number;
    readonly digest: string;
    /** When the buckets were last seen to be equal to HR's. */
    readonly reconciledAt: string | null;
    /** HR's name for the history that the revision counts in; null before the first digest. */
    readonly epoch: string | null;
  };
  /** HR's calendar that is in force; null where HR has pushed none. */
  readonly calendar: { readonly revision: number; readonly messageId: string } | null;
  /** What is not acknowledged yet, and since when; and up to which sequence number it is. */
  readonly outbox: { readonly pending: number; readonly oldest: string | null; readonly acknowledged: number };
  /** How far the log of events is vouched for. */
  readonly log: LogStatus;
  readonly doors: Readonly<Record<DoorId, DoorStatus>>;
  readonly readers: Readonly<Record<ReaderId, ReaderStatus>>;
  readonly zones: Readonly<Record<ZoneId, ZoneStatus>>;
  readonly clock: { readonly synchronized: boolean };
  /** Different UIDs may share a number in the configured format. */
  readonly lossyCardNumbers: boolean;
  /** In words; empty when nothing needs attention. */
  readonly alarms: readonly string[];
}

export interface LogStatus {
  /** The records that are kept: from the first to the last, 0 while there is none. */
  readonly first: number;
  readonly last: number;
  /** The last one since the gateway started; null before it is recorded. */
  readonly checkpoint: {
    /** The last record that it vouches for, and its hash. */
    readonly sequence: number;
    readonly hash: string;
    readonly time: string;
    /** The key that has signed it; null where the gateway has none. */
    readonly kid: string | null;
  } | null;
}

export interface DoorStatus {
  readonly mode: DoorMode;
  readonly position: 'open' | 'closed' | 'unmonitored';
  readonly strike: 'locked' | 'unlocked';
  /** Who ordered the mode; null where cards and schedules decide. */
  readonly orderedBy: string | null;
  /** In that person's words. */
  readonly reason: string | null;
  /** When the order is over by itself. */
  readonly until: string | null;
}

export interface ReaderStatus {
  readonly door: DoorId | null;
  readonly state: 'starting' | 'online' | 'offline';
  readonly detail: string | null;
}

export interface ZoneStatus {
  readonly antiPassback: AntiPassback['mode'];
  /** How many people are inside. */
  readonly occupancy: number;
}

/** What the broker says of a gateway that is gone. */
export const lastWill = (gateway: GatewayId): string => JSON.stringify({ type: 'status', gateway, online: false });
