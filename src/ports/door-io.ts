// What the gateway asks of the lines that hang on its doors. Polarity and fail mode are the driver's business: above this
// port a strike is locked or unlocked, a contact says open or closed, a button is pressed or not, a housing is tampered with or not.
// The contract is tested by test/contracts/door-io.contract.ts on every implementation.

import type { DoorId } from '../domain/ids.ts';

export type StrikeState = 'locked' | 'unlocked';
export type DoorPosition = 'open' | 'closed';

export type DoorInput =
  | { readonly kind: 'contact'; readonly position: DoorPosition }
  | { readonly kind: 'exit-button'; readonly pressed: boolean }
  | { readonly kind: 'tamper'; readonly active: boolean };

export interface DoorIoListener {
  /** Called on every change, in order, on the main thread, after open() resolved. */
  onInput(door: DoorId, input: DoorInput): void;
  /** The lines can no longer be read or driven; the gateway goes down and lets its supervisor start it anew. */
  onFailure(error: Error): void;
}

export interface DoorIo {
  /**
   * Claims every configured line. Strikes are claimed at the level that means `locked`, without a glitch to the other one.
   * Rejects when a line is missing or held by somebody else; then none stays claimed.
   */
  open(listener: DoorIoListener): Promise<void>;
  /** Synchronous, and done when it returns. Throws CardeaError `gpio-write-failed`; the caller denies and raises an alarm. */
  setStrike(door: DoorId, state: StrikeState): void;
  /** What was last asked for; `locked` after open; what the strike does without power after `makeSafe` and `close`. */
  strike(door: DoorId): StrikeState;
  /** Undefined where the door has no contact. */
  position(door: DoorId): DoorPosition | undefined;
  /** False where the door has no exit button. */
  isExitPressed(door: DoorId): boolean;
  /** False where the door has no tamper input. */
  isTampered(door: DoorId): boolean;
  /**
   * Takes every strike off power (fail-secure locks, fail-safe unlocks): synchronous, done when it returns, never throws, in every
   * state, any number of times; for signals, `exit` handlers and crashes. The strikes stay so: setStrike throws
   * `gpio-write-failed` until the next open(), and an open() under way rejects.
   */
  makeSafe(): void;
  /** As `makeSafe`, and gives the lines back. Idempotent; takes seconds at most. Rejects when a strike could not be made safe. */
  close(): Promise<void>;
}

/** How one door is wired, as the drivers need it. Lines are BCM numbers. */
export interface DoorWiring {
  readonly door: DoorId;
  readonly strike: {
    readonly line: number;
    /** The relay closes on a low level. */
    readonly activeLow: boolean;
    /** `secure`: locked without power, energized to unlock. `safe`: unlocked without power, energized to lock. */
    readonly failMode: 'secure' | 'safe';
  };
  /** Active while the door is closed. */
  readonly contact?: { readonly line: number; readonly activeLow: boolean };
  /** Active while pressed. */
  readonly exitButton?: { readonly line: number; readonly activeLow: boolean };
  /**
   * Active while somebody tampers with the housing. A switch to ground whatever its polarity, so pulled up: active low for one
   * that closes on tampering, active high for a closed loop that opens, or is cut.
   */
  readonly tamper?: { readonly line: number; readonly activeLow: boolean };
}
