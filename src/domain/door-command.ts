// Commands to doors that come as messages: how long one is good for, which were seen already, and what follows for a new one.
//
// 1. A command is good for five minutes at most, and never while the gateway's clock is a guess: nothing opens a door from a backlog.
// 2. A messageId is good once. It is remembered for as long as its `expiresAt` lies ahead, whatever became of the command.

import { canonicalJson, sha256Hex } from './canonical-json.ts';
import type { CardholderId, DoorId, MessageId } from './ids.ts';
import { type Instant, type Milliseconds, milliseconds } from './units.ts';

/** unlock: one release. The others are orders that stand until others are given, or until a moment. */
export const DOOR_ACTIONS = ['unlock', 'block', 'hold-open', 'normal', 'lockdown', 'end-lockdown'] as const;
export type DoorAction = (typeof DOOR_ACTIONS)[number];

/** Actions whose order may have an end. */
export const ACTIONS_WITH_END: readonly DoorAction[] = ['block', 'hold-open', 'lockdown'];
/** How far ahead the end may lie. */
export const MAX_ORDER_TIME = milliseconds(31 * 86_400_000);

/** What is wrong with the end of an order; undefined for nothing. */
export const endFault = (
  { action, until }: { readonly action: DoorAction; readonly until?: Instant | undefined },
  now: Instant,
): string | undefined => {
  if (until === undefined) return undefined;
  if (!ACTIONS_WITH_END.includes(action))
    return `${action} has no end; only ${ACTIONS_WITH_END.join(', ')} may have one`;
  if (until <= now) return 'the end of an order must be yet to come';
  return until - now > MAX_ORDER_TIME ? 'an order with an end lasts 31 days at most' : undefined;
};

/** Between `issuedAt` and `expiresAt`, at most (PROTOCOL.md, command). */
export const MAX_COMMAND_LIFETIME = milliseconds(5 * 60_000);
/** How far the sender's clock may be ahead of the gateway's. */
export const MAX_CLOCK_LEAD = milliseconds(60_000);
/** Commands that are remembered; beyond it new ones are refused, since one that is forgotten could be replayed. */
export const MAX_REMEMBERED_COMMANDS = 1000;
/**
 * Of these, commands whose times cannot be relied on find room only up to here: they may have to be remembered for years, and must
 * not keep the others out.
 */
const MAX_WITH_DOUBTFUL_TIMES = MAX_REMEMBERED_COMMANDS / 2;

/** To one door, or to all doors of the gateway. */
export interface DoorOrder {
  readonly action: DoorAction;
  readonly door: DoorId | '*';
  /** When it ends by itself. */
  readonly until?: Instant;
}

/** Forgets where the person is held to be. */
export interface PassbackReset {
  readonly action: 'reset-passback';
  readonly door: '*';
  readonly cardholder: CardholderId;
}

export type RemoteCommand = (DoorOrder | PassbackReset) & CommandTerms;

interface CommandTerms {
  readonly messageId: MessageId;
  readonly operator: string;
  /** Why, in the operator's words. */
  readonly reason: string;
  readonly issuedAt: Instant;
  readonly expiresAt: Instant;
}

/** invalid-message: the sender's clock, or its messageId, is wrong. not-carried-out: no door could or would do it. */
export type CommandRefusalCode =
  | 'invalid-message'
  | 'expired-command'
  | 'unknown-door'
  | 'not-carried-out'
  | 'store-unavailable';

export interface CommandOutcome {
  /** Those on which the command took effect. */
  readonly doors: readonly DoorId[];
  /** Why it was refused; null where it took effect. */
  readonly code: CommandRefusalCode | null;
}

/** What is remembered of a command. */
export interface CommandRecord {
  readonly messageId: MessageId;
  /** Hash over all that the command said. */
  readonly fingerprint: string;
  readonly expiresAt: Instant;
  /** Missing while it is being carried out, and ever after where that was interrupted. */
  readonly outcome?: CommandOutcome;
  /**
   * It is forgotten, and stays as a mark: the latest to expire of all that were. What expires no later may be one of these, if the
   * clock was set back since.
   */
  readonly isForgotten?: true;
}

export interface CommandContext {
  readonly now: Instant;
  readonly isClockSynchronized: boolean;
  /** The doors of this gateway. */
  readonly doors: readonly DoorId[];
  readonly remembered: readonly CommandRecord[];
}

export type CommandVerdict =
  | { readonly kind: 'carry-out'; readonly doors: readonly DoorId[] }
  /** Seen before, and not carried out again; `outcome` is what became of it then. */
  | { readonly kind: 'duplicate'; readonly outcome: CommandOutcome | undefined }
  | {
      readonly kind: 'refused';
      readonly code: CommandRefusalCode;
      readonly detail: string;
      readonly path?: string;
      /** Whether the messageId is to be remembered: it is new, and there is room. */
      readonly isToBeRemembered: boolean;
    };

/** What is wrong with the time that the sender gave the command; undefined for nothing. */
export const lifetimeFault = ({ issuedAt, expiresAt }: Pick<RemoteCommand, 'issuedAt' | 'expiresAt'>) => {
  if (expiresAt <= issuedAt) return 'expiresAt must be later than issuedAt';
  return expiresAt - issuedAt > MAX_COMMAND_LIFETIME ? 'a command is good for five minutes at most' : undefined;
};

export const commandRecord = (command: RemoteCommand, outcome?: CommandOutcome): CommandRecord => ({
  messageId: command.messageId,
  fingerprint: fingerprintOf(command),
  expiresAt: command.expiresAt,
  ...(outcome !== undefined && { outcome }),
});

const fingerprintOf = (command: RemoteCommand): string => sha256Hex(canonicalJson({ ...command }));

export const judgeCommand = (command: RemoteCommand, context: CommandContext): CommandVerdict => {
  const known = context.remembered.find(
    ({ messageId, isForgotten }) => messageId === command.messageId && isForgotten === undefined,
  );
  if (known !== undefined) return judgeKnown(command, known);
  const { now, isClockSynchronized } = context;
  const isFromTheFuture = command.issuedAt - now > MAX_CLOCK_LEAD;
  const limit = isFromTheFuture || !isClockSynchronized ? MAX_WITH_DOUBTFUL_TIMES : MAX_REMEMBERED_COMMANDS;
  if (current(context.remembered, clockOf(context)).length >= limit) {
    const detail = `${limit} commands are remembered until they expire, and no more; wait for that`;
    return { kind: 'refused', code: 'store-unavailable', detail, isToBeRemembered: false };
  }
  if (!isClockSynchronized) {
    return refuse('expired-command', 'this gateway does not know the time yet, and cannot tell whether it is too late');
  }
  if (now >= command.expiresAt)
    return refuse('expired-command', 'expiresAt had passed when the gateway got the command');
  if (context.remembered.some(({ isForgotten, expiresAt }) => isForgotten && command.expiresAt <= expiresAt)) {
    return refuse('expired-command', "expiresAt has passed once already: this gateway's clock was set back");
  }
  if (isFromTheFuture) {
    return { ...refuse('invalid-message', "by this gateway's clock issuedAt is yet to come"), path: 'issuedAt' };
  }
  const fault = command.action === 'reset-passback' ? undefined : endFault(command, now);
  if (fault !== undefined) return { ...refuse('invalid-message', fault), path: 'until' };
  const doors = command.door === '*' ? context.doors : context.doors.filter((door) => door === command.door);
  if (doors.length > 0) return { kind: 'carry-out', doors };
  return { ...refuse('unknown-door', `the doors here are ${context.doors.join(', ') || 'none'}`), path: 'door' };
};

const refuse = (code: CommandRefusalCode, detail: string) =>
  ({ kind: 'refused', code, detail, isToBeRemembered: true }) as const;

const judgeKnown = (command: RemoteCommand, known: CommandRecord): CommandVerdict => {
  if (known.fingerprint !== fingerprintOf(command)) {
    const detail = 'another command had this messageId; each needs one of its own';
    return { kind: 'refused', code: 'invalid-message', detail, path: 'messageId', isToBeRemembered: false };
  }
  const { outcome } = known;
  if (outcome === undefined || outcome.code === null) return { kind: 'duplicate', outcome };
  const detail = 'this command was refused before, for the same reason; give a new one, with a messageId of its own';
  return { kind: 'refused', code: outcome.code, detail, isToBeRemembered: false };
};

/** The list with `record` in it, in the place of what was remembered under its messageId; those that have expired become a mark. */
export const rememberCommand = (
  remembered: readonly CommandRecord[],
  record: CommandRecord,
  clock: Pick<CommandContext, 'now' | 'isClockSynchronized'>,
): readonly CommandRecord[] => {
  const kept = current(remembered, clockOf(clock));
  const [latest] = remembered.filter((other) => !kept.includes(other)).toSorted((a, b) => b.expiresAt - a.expiresAt);
  const others = kept.filter(({ messageId }) => messageId !== record.messageId);
  return [...(latest === undefined ? [] : [{ ...latest, isForgotten: true } as const]), ...others, record];
};

/** Undefined while the time is a guess, by which nothing is forgotten. */
const clockOf = ({ now, isClockSynchronized }: Pick<CommandContext, 'now' | 'isClockSynchronized'>) =>
  isClockSynchronized ? now : undefined;

const current = (remembered: readonly CommandRecord[], now: Instant | undefined): readonly CommandRecord[] =>
  remembered.filter(
    ({ isForgotten, expiresAt }) => isForgotten === undefined && (now === undefined || expiresAt > now),
  );

/** How long the command is good for from now on. */
export const timeLeft = ({ expiresAt }: Pick<RemoteCommand, 'expiresAt'>, now: Instant): Milliseconds =>
  milliseconds(expiresAt - now);

/** How long ago the command was given; 0 where the sender's clock is ahead. */
export const ageOf = ({ issuedAt }: Pick<RemoteCommand, 'issuedAt'>, now: Instant): Milliseconds =>
  milliseconds(Math.max(0, now - issuedAt));
