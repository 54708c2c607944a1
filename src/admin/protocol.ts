// What goes over the admin socket: HTTP/1.1, one path for each call, JSON both ways, events as one JSON object a line.
// Types and constants only, so that the command line loads nothing with them.

import type { DoorCommandAnswer } from '../app/door-commands.ts';
import type { GrantState } from '../app/explain.ts';
import type { describeGateway } from '../app/gateway-status.ts';
import type { RestoreOutcome, RestorePlan } from '../app/restore-backup.ts';
import type { AccessEvent, DenialReason, Direction } from '../domain/access-event.ts';
import type { AntiPassback } from '../domain/anti-passback.ts';
import type { CardKind, CardLookup, Grant, RevocationReason } from '../domain/credential.ts';
import type { DoorAction } from '../domain/door-command.ts';
import type { DoorMode } from '../domain/door-mode.ts';
import type { RotationBegun, RotationView } from '../ports/store-key-rotation.ts';

export type { DoorCommandAnswer } from '../app/door-commands.ts';
export type { RestoreOutcome, RestorePlan } from '../app/restore-backup.ts';

/** Sent with every answer. A gateway that still runs from before an upgrade is told apart by it rather than misread. */
export const PROTOCOL_HEADER = 'cardea-admin-protocol';
export const PROTOCOL_VERSION = '1';

/** Of a `restore-page`; any other request has far less. */
export const MAX_PAGE_BYTES = 1024 * 1024;

/** Each is the path of its name. */
export const CALL_NAMES = [
  'status',
  'card',
  'explain',
  'events',
  'records',
  'cards',
  'select-events',
  'report',
  'backup',
  'backup-records',
  'restore-begin',
  'restore-page',
  'restore-end',
  'door-command',
  'lockdown',
  'accept-epoch',
  'rotate-store',
  'store-rotation',
  'zone',
  'reset-passback',
  'clear-alarms',
  'tap',
  'line',
] as const;
export type CallName = (typeof CALL_NAMES)[number];

/** Questions take their request as query parameters, commands as a JSON body; all values are strings. */
export const CALL_METHODS: Readonly<Record<CallName, 'GET' | 'POST'>> = {
  status: 'GET',
  card: 'GET',
  explain: 'GET',
  events: 'GET',
  records: 'GET',
  cards: 'GET',
  'select-events': 'GET',
  report: 'POST',
  backup: 'POST',
  'backup-records': 'GET',
  'restore-begin': 'POST',
  'restore-page': 'POST',
  'restore-end': 'POST',
  'door-command': 'POST',
  lockdown: 'POST',
  'accept-epoch': 'POST',
  'rotate-store': 'POST',
  'store-rotation': 'GET',
  zone: 'GET',
  'reset-passback': 'POST',
  'clear-alarms': 'POST',
  tap: 'POST',
  line: 'POST',
};

/** Calls that are answered by one JSON object. */
export interface Calls {
  readonly status: { readonly request: NoFields; readonly answer: StatusAnswer };
  readonly card: { readonly request: CardRequest; readonly answer: CardAnswer };
  readonly explain: { readonly request: ExplainRequest; readonly answer: ExplainAnswer };
  readonly 'door-command': { readonly request: DoorCommandRequest; readonly answer: DoorCommandAnswer };
  readonly lockdown: { readonly request: LockdownRequest; readonly answer: LockdownAnswer };
  readonly 'accept-epoch': { readonly request: AcceptEpochRequest; readonly answer: AcceptEpochAnswer };
  readonly 'rotate-store': { readonly request: RotateStoreRequest; readonly answer: RotationBegun };
  readonly 'store-rotation': { readonly request: NoFields; readonly answer: RotationView };
  readonly zone: { readonly request: ZoneRequest; readonly answer: ZoneAnswer };
  readonly 'reset-passback': { readonly request: ResetPassbackRequest; readonly answer: ResetPassbackAnswer };
  readonly 'clear-alarms': { readonly request: ClearAlarmsRequest; readonly answer: ClearAlarmsAnswer };
  readonly tap: { readonly request: TapRequest; readonly answer: TapAnswer };
  readonly line: { readonly request: LineRequest; readonly answer: LineAnswer };
  readonly report: { readonly request: ReportRequest; readonly answer: ReportAnswer };
  readonly backup: { readonly request: BackupRequest; readonly answer: BackupAnswer };
  readonly 'restore-begin': { readonly request: RestoreBeginRequest; readonly answer: RestorePlan };
  readonly 'restore-page': { readonly request: RestorePageRequest; readonly answer: object };
  readonly 'restore-end': { readonly request: RestoreEndRequest; readonly answer: RestoreOutcome };
}

/** Calls that are answered by a stream, one JSON object a line. */
export interface Streams {
  readonly events: { readonly request: EventsRequest; readonly line: AccessEvent };
  readonly records: { readonly request: RecordsRequest; readonly line: AccessEvent | UnreadableLine };
  readonly cards: { readonly request: CardsRequest; readonly line: CardLine };
  readonly 'select-events': { readonly request: SelectionRequest; readonly line: SelectionLine };
  readonly 'backup-records': { readonly request: NoFields; readonly line: object };
}
export type StreamName = keyof Streams;

export type NoFields = Readonly<Record<string, never>>;

/** The body of every answer that is not a success, and the last line of a stream that broke off. */
export interface Refusal {
  readonly type: 'refusal';
  /** From the catalogue in errors.ts. */
  readonly code: string;
  /** For a person: what is wrong, what to do. */
  readonly message: string;
}

export interface StatusAnswer {
  readonly status: ReturnType<typeof describeGateway>;
  /** What keeps the watchdog from being fed, in words; empty when healthy. */
  readonly faults: readonly string[];
  /** Whether the broker is connected now; null where the gateway does not tell. */
  readonly isLinkConnected: boolean | null;
}

export interface CardRequest {
  /** As HR writes it in this site's format, or the UID in hex. */
  readonly card: string;
}

/** The HR message behind a record. */
export interface OriginView {
  readonly revision: number;
  readonly messageId: string;
  /** RFC 3339. */
  readonly appliedAt: string;
}

export interface BindingView {
  readonly cardholder: string;
  readonly name: string | null;
  readonly department: string | null;
  readonly access: readonly Grant[];
  readonly kind: CardKind;
  readonly state: 'active' | 'pending';
  /** RFC 3339, as is `validUntil`. */
  readonly validFrom: string | null;
  readonly validUntil: string | null;
  readonly overridesLockdown: boolean;
  readonly extendedRelease: boolean;
  readonly revision: number;
}

export interface TombstoneView {
  readonly reason: RevocationReason;
  /** Whose card it was, where that is known. */
  readonly cardholder: string | null;
  readonly revision: number;
}

export type DecisionView =
  | {
      readonly decision: 'granted';
      readonly reason: null;
      /** It is a second time the same way; the event says so. */
      readonly isPassback?: true;
      /** Nobody goes through the door alone: once another card of another person follows. */
      readonly needsSecondCard?: true;
    }
  | { readonly decision: 'denied'; readonly reason: DenialReason };

export interface ModeView {
  readonly doorMode: DoorMode;
  /** Who has ordered the mode; null where nobody has, as for normal. */
  readonly modeOrder: {
    readonly operator: string;
    readonly reason: string | null;
    /** RFC 3339, as is `until`. */
    readonly at: string;
    readonly until: string | null;
  } | null;
}

/** What one door says to a card, and why. */
export type DoorAnswer = DecisionView & ModeView & { readonly grants: readonly GrantState[] };

export interface CardAnswer {
  /** Canonical card number. */
  readonly card: string;
  /** What the text of the question was taken for. */
  readonly readAs: 'card-number' | 'uid';
  readonly found: CardLookup['kind'];
  /** Why the record is unreadable; null otherwise. */
  readonly detail: string | null;
  readonly binding: BindingView | null;
  readonly tombstone: TombstoneView | null;
  readonly origin: OriginView | null;
  /** What each door of this gateway would say now. */
  readonly doors: Readonly<Record<string, DoorAnswer>>;
  readonly rosterRevision: number;
}

export interface ExplainRequest {
  readonly card: string;
  readonly door: string;
  /** Which way the person goes; in, where it is left out. */
  readonly direction?: Direction;
  /** RFC 3339 with offset; now, where it is left out. */
  readonly at?: string;
}

export type ExplainAnswer = DoorAnswer & {
  readonly card: string;
  readonly door: string;
  /** The time that was judged. */
  readonly at: string;
  /** The same on the wall at the door, such as `mon 2026-01-05 09:00`. */
  readonly wallClock: string;
  /** IANA name of the door's time zone. */
  readonly timeZone: string;
  readonly clockSynchronized: boolean;
  readonly found: CardLookup['kind'];
  /** Null for a card that HR has never named. */
  readonly origin: OriginView | null;
  /** Nothing newer than this is known here. */
  readonly rosterRevision: number;
  readonly isLinkConnected: boolean | null;
};

export interface EventsRequest {
  /** The events after this number, at most `limit`. Where it is left out: the last `limit`, or the last 20. */
  readonly since?: string;
  readonly limit?: string;
  /** Go on with each event as it is stored. */
  readonly follow?: 'true' | 'false';
}

/** How many events are shown to somebody who does not say since when. */
export const DEFAULT_EVENTS = 20;

/** The log as it lies in the store, to its present end. */
export interface RecordsRequest {
  /** A sequence number; the log's beginning, where it is left out. */
  readonly from?: string;
}

/** Events of some kinds and of a time, from the whole log. What cannot be read, or is missing, may be one of them. */
export interface SelectionRequest {
  /** Names of events, with commas between them. */
  readonly names: string;
  /** RFC 3339 with offset: what happened before, by the clock as it was then, is left out. */
  readonly from?: string;
  /** As `from`: what happened then or later. */
  readonly to?: string;
}

/** Stands in the place of a record that cannot be read. */
export interface UnreadableLine {
  readonly type: 'unreadable';
  readonly sequence: number;
  /** For a person. */
  readonly message: string;
}

/** Stands in the place of records that are not in the log: they were trimmed, or lost. */
export interface MissingLine {
  readonly type: 'missing';
  /** Sequence numbers, both included. */
  readonly from: number;
  readonly to: number;
  /** Times of the events before and after, where they are known; RFC 3339. */
  readonly since: string | null;
  readonly until: string | null;
}

export type SelectionLine = AccessEvent | UnreadableLine | MissingLine;

export interface CardsRequest {
  /** Retired cards too. */
  readonly retired?: 'true' | 'false';
}

/** One card record of the store. */
export interface CardLine {
  /** Canonical card number; null for a record that cannot be read, which does not tell. */
  readonly card: string | null;
  readonly found: Exclude<CardLookup['kind'], 'unknown'>;
  readonly binding: BindingView | null;
  readonly tombstone: TombstoneView | null;
  readonly origin: OriginView | null;
}

export const REPORTS = ['attendance', 'cards', 'changes', 'denied'] as const;
export type ReportName = (typeof REPORTS)[number];

/** Somebody takes a report out: recorded with who and what before the answer comes. */
export interface ReportRequest {
  readonly report: ReportName;
  readonly operator: string;
  /** Dates, as asked for. */
  readonly from?: string;
  readonly to?: string;
  readonly cardholder?: string;
}

/** What a report has to know of the gateway. */
export interface ReportAnswer {
  /** IANA name of each door's time zone. */
  readonly timeZones: Readonly<Record<string, string>>;
  /** Number of the last event in the log. */
  readonly lastSequence: number;
  /** How many cards are bound. */
  readonly cards: number;
}

/** Who gives an order, why, and how long it lasts. At most one of `until` and `forSeconds`; with neither, it has no end. */
export interface OrderTerms {
  /** 1 to 64 characters; a claim that the log keeps, not a proof. */
  readonly operator: string;
  /** 1 to 200 characters. */
  readonly reason?: string;
  /** RFC 3339 with offset. */
  readonly until?: string;
  /** From now on, by the gateway's clock. */
  readonly forSeconds?: string;
}

export interface DoorCommandRequest extends OrderTerms {
  readonly door: string;
  readonly action: DoorAction;
}

export interface LockdownRequest extends OrderTerms {
  readonly action: 'lockdown' | 'end-lockdown';
  /** All doors of the gateway, where it is left out. */
  readonly door?: string;
}

export interface LockdownAnswer {
  readonly doors: readonly DoorCommandAnswer[];
}

export interface AcceptEpochRequest {
  /** As HR's digest names it, and as the alarm shows it. */
  readonly epoch: string;
  readonly operator: string;
}

export interface AcceptEpochAnswer {
  readonly epoch: string;
}

export interface RotateStoreRequest {
  readonly operator: string;
}

export interface ClearAlarmsRequest {
  readonly operator: string;
}

export interface ClearAlarmsAnswer {
  /** How many stood. */
  readonly cleared: number;
}

/** Goes ahead of `backup-records`, so that the log says who takes a copy of everything. */
export interface BackupRequest {
  readonly operator: string;
}

export interface BackupAnswer {
  /** Live ones. */
  readonly cards: number;
  readonly events: number;
}

export interface RestoreBeginRequest {
  /** The first line of the backup. */
  readonly header: object;
  /** The oldest event in the backup; null where there is none. */
  readonly oldest: { readonly sequence: number; readonly hash: string } | null;
  readonly operator: string;
  /** true: nothing is changed, and the answer says what would be. */
  readonly dryRun: 'true' | 'false';
}

export interface RestorePageRequest {
  /** As the answer to `restore-begin` names it. */
  readonly restore: string;
  /** In the order of the backup; MAX_PAGE_BYTES in all. */
  readonly records: readonly object[];
}

export interface RestoreEndRequest {
  readonly restore: string;
}

export interface ZoneRequest {
  /** All of them, where it is left out. */
  readonly zone?: string;
}

export interface ZoneAnswer {
  readonly zones: readonly {
    readonly zone: string;
    readonly antiPassback: AntiPassback['mode'];
    /** The longest first. */
    readonly inside: readonly OccupantView[];
  }[];
}

export interface OccupantView {
  readonly cardholder: string;
  readonly name: string | null;
  /** RFC 3339. */
  readonly since: string;
  /** The clock was not to be trusted then. */
  readonly isSinceGuessed: boolean;
}

export interface ResetPassbackRequest {
  /** As HR writes it. */
  readonly cardholder: string;
  readonly operator: string;
}

export interface ResetPassbackAnswer {
  readonly cardholder: string;
  /** In which something was known of the person; nothing is any more. */
  readonly zones: readonly string[];
}

export interface TapRequest {
  readonly reader: string;
  /** 8, 14 or 20 hex digits; space, colon and dash are ignored. */
  readonly uid: string;
  readonly operator: string;
}

export type TapAnswer = {
  readonly reader: string;
  readonly card: string | null;
} & (
  | { readonly outcome: 'granted'; readonly door: string; readonly cardholder: string; readonly name: string | null }
  | { readonly outcome: 'denied'; readonly reason: DenialReason; readonly detail: string | null }
  | { readonly outcome: 'presented' | 'activated' }
);

export const LINES = ['contact', 'exit-button', 'tamper'] as const;

export interface LineRequest {
  readonly door: string;
  readonly line: (typeof LINES)[number];
  /** Contact: on while the door is closed. Exit button: on while pressed. Tamper: on while somebody tampers. */
  readonly state: 'on' | 'off';
  readonly operator: string;
}

export interface LineAnswer {
  readonly door: string;
  readonly line: (typeof LINES)[number];
  readonly state: 'on' | 'off';
  /** How the door stands after it. */
  readonly position: 'open' | 'closed' | 'unmonitored';
  readonly strike: 'locked' | 'unlocked';
}
