// What happened at the gateway, as HR and auditors read it: numbered without a hole, each record hashed onto the one before
// (PROTOCOL.md, Events).

import { canonicalJson, type JsonValue, sha256Hex } from './canonical-json.ts';
import type { CardNumber } from './card-number.ts';
import type { CardholderId, DoorId, GatewayId, ReaderId, Revision } from './ids.ts';
import { formatInstant, type Instant } from './units.ts';

export type DenialReason =
  | 'unknown-card'
  | 'revoked'
  | 'lost'
  | 'stolen'
  | 'replaced'
  | 'suspended'
  | 'left'
  | 'pending'
  | 'not-yet-valid'
  | 'expired'
  | 'door-not-permitted'
  | 'outside-schedule'
  | 'door-blocked'
  | 'lockdown'
  | 'passback'
  | 'second-card-required'
  | 'random-uid'
  | 'ambiguous-read'
  | 'clock-untrusted'
  | 'roster-stale'
  | 'store-failure';

export type EventName =
  | 'access-granted'
  | 'access-denied'
  | 'access-not-taken'
  | 'door-opened'
  | 'door-closed'
  | 'door-held-open-warning'
  | 'door-held-open'
  | 'door-held-open-cleared'
  | 'door-forced-open'
  | 'door-forced-open-cleared'
  | 'exit-requested'
  | 'door-command'
  | 'lockdown-started'
  | 'lockdown-ended'
  | 'card-activated'
  | 'card-presented'
  | 'card-change'
  | 'reader-offline'
  | 'reader-online'
  | 'tamper'
  | 'clock-trusted'
  | 'clock-untrusted'
  | 'store-full'
  | 'store-recovered'
  | 'roster-divergence'
  | 'roster-reconciled'
  | 'operator-action'
  | 'configuration-changed'
  | 'checkpoint'
  | 'events-dropped'
  | 'store-damaged'
  | 'store-restored'
  | 'store-key-rotated'
  | 'gateway-started'
  | 'gateway-stopped';

export type Direction = 'in' | 'out';

/** An event before it has its place in the log. */
export interface NewEvent {
  readonly event: EventName;
  readonly at: Instant;
  readonly clockSynchronized: boolean;
  readonly door?: DoorId | undefined;
  readonly reader?: ReaderId | undefined;
  readonly direction?: Direction | undefined;
  readonly card?: CardNumber | undefined;
  readonly cardholder?: CardholderId | undefined;
  readonly bindingRevision?: Revision | undefined;
  readonly reason?: string | undefined;
  /** Text, or for changes and commands an object that says which and by whom. */
  readonly detail?: JsonValue | undefined;
}

/** An event in its place; the object is published and stored exactly so. */
export interface AccessEvent {
  readonly type: 'event';
  readonly gateway: GatewayId;
  /** Contiguous per gateway, from 1, for ever. */
  readonly sequence: number;
  readonly event: EventName;
  /** RFC 3339. */
  readonly time: string;
  readonly clockSynchronized: boolean;
  readonly door: DoorId | null;
  readonly reader: ReaderId | null;
  readonly direction: Direction | null;
  readonly card: CardNumber | null;
  readonly cardholder: CardholderId | null;
  readonly bindingRevision: Revision | null;
  readonly reason: string | null;
  readonly detail: JsonValue;
  readonly previousHash: string;
  /** Lower-case hex SHA-256 of the canonical JSON of all other members. */
  readonly hash: string;
}

/** The end of the log: what the next event is chained to. */
export interface LogTail {
  /** 0 for an empty log. */
  readonly sequence: number;
  readonly hash: string;
}

/** Where every chain begins. */
export const EMPTY_LOG: LogTail = { sequence: 0, hash: '0'.repeat(64) };

/** Gives `event` the next number and chains it to `tail`. */
export const chainEvent = (gateway: GatewayId, tail: LogTail, event: NewEvent): AccessEvent => {
  const record = {
    type: 'event' as const,
    gateway,
    sequence: tail.sequence + 1,
    event: event.event,
    time: formatInstant(event.at),
    clockSynchronized: event.clockSynchronized,
    door: event.door ?? null,
    reader: event.reader ?? null,
    direction: event.direction ?? null,
    card: event.card ?? null,
    cardholder: event.cardholder ?? null,
    bindingRevision: event.bindingRevision ?? null,
    reason: event.reason ?? null,
    detail: event.detail ?? null,
    previousHash: tail.hash,
  };
  return { ...record, hash: sha256Hex(canonicalJson(record)) };
};

/** Whether the record's hash fits its content and, when given, the record before it. */
export const isIntact = (event: AccessEvent, previous?: LogTail): boolean => {
  const { hash, ...record } = event;
  if (sha256Hex(canonicalJson(record)) !== hash) return false;
  return previous === undefined || (event.previousHash === previous.hash && event.sequence === previous.sequence + 1);
};

/** A member of an event's detail, or of an object in it; undefined where there is none. */
export const memberOf = (detail: JsonValue, name: string): JsonValue | undefined =>
  isObject(detail) && Object.hasOwn(detail, name) ? detail[name] : undefined;

const isObject = (value: JsonValue): value is { readonly [key: string]: JsonValue | undefined } =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
