// Runs one door: feeds taps, inputs, commands and time to the pure door machine and carries out what it says.
//
// 1. The strike always has a deadline (DESIGN.md, invariant 6): the relock timer is set before the strike is driven, and a
//    strike that cannot be driven is told to lock and reported, never assumed. Locking is tried until it works.

import type { Direction, NewEvent } from '../domain/access-event.ts';
import type { CardNumber } from '../domain/card-number.ts';
import { type DoorEffect, type DoorMachineInput, type ReleaseCause, stepDoor } from '../domain/door-machine.ts';
import { type DoorMode, isOpenMode } from '../domain/door-mode.ts';
import { type DoorState, type DoorTimings, initialDoor, isWarning, nextDeadline } from '../domain/door-state.ts';
import type { CardholderId, DoorId, ReaderId, Revision } from '../domain/ids.ts';
import { milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { DoorInput, DoorIo, DoorPosition, StrikeState } from '../ports/door-io.ts';
import type { SerialWriter } from './serial-writer.ts';

/** The other one of two people who go through a door that nobody enters alone. */
export interface Companion {
  readonly card: CardNumber;
  readonly cardholder: CardholderId;
  /** This one needs more time to pass. */
  readonly isExtended: boolean;
  /** It is a second time the same way, which the zone only wants to know of. */
  readonly isPassback: boolean;
}

/** A granted tap, as the door remembers it until it is taken. */
export interface GrantedTap {
  readonly reader: ReaderId;
  readonly direction: Direction;
  readonly card: CardNumber;
  readonly cardholder: CardholderId;
  readonly bindingRevision: Revision;
  /** Releases in a lockdown too. */
  readonly overridesLockdown: boolean;
  /** The person needs more time to pass. */
  readonly isExtended: boolean;
  /** Who came first, at a door that takes two people. */
  readonly companion?: Companion;
}

export type ReleaseOutcome =
  | { readonly kind: 'released' }
  | { readonly kind: 'refused'; readonly mode: DoorMode }
  | { readonly kind: 'failed'; readonly detail: string };

export type DoorAlarm = 'held-open' | 'forced-open' | 'tamper' | 'strike-failed';

/** What status and the technician's command line show of a door. */
export interface DoorView {
  readonly mode: DoorMode;
  readonly position: DoorPosition | 'unmonitored';
  readonly strike: StrikeState;
  readonly alarms: readonly DoorAlarm[];
}

/** How soon a strike that could not be locked is told again. */
export const LOCK_RETRY = milliseconds(1000);

interface Dependencies {
  readonly door: DoorId;
  readonly timings: DoorTimings;
  readonly io: DoorIo;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
  /** The person at the door is to be told to close it, or no more. Must not throw. */
  readonly onWarning?: (isActive: boolean) => void;
  /**
   * The door was opened on a grant, or cannot tell: of each grant that released the strike either this is told or the event
   * `access-not-taken`. Called before releaseFor() returns where the door cannot tell. Must not throw.
   */
  readonly onTaken?: (grant: GrantedTap) => void;
  /** Everybody may pass from now on, or no more: who does without a card is not seen. Must not throw. */
  readonly onOpenToAll?: (isOpen: boolean) => void;
}

export class DoorController {
  readonly #deps: Dependencies;
  #state: DoorState<GrantedTap>;
  #timer: Timer | undefined;
  #strikeFault: string | undefined;
  #isStopped = false;
  #lockAgain: Timer | undefined;

  /** Takes the door over as it is found; `io` must be open. A mode that holds the strike unlocks it at once. */
  constructor(deps: Dependencies, initialMode: DoorMode) {
    this.#deps = deps;
    const at = deps.clock.monotonic();
    this.#state = initialDoor(deps.timings, { position: deps.io.position(deps.door), at });
    this.#step({ kind: 'mode', mode: initialMode, at });
    if (deps.io.isTampered(deps.door)) this.#onTamper(true);
  }

  get mode(): DoorMode {
    return this.#state.mode;
  }

  /** The strike did not follow when it was last driven. */
  get hasStrikeFault(): boolean {
    return this.#strikeFault !== undefined;
  }

  view(): DoorView {
    const { io, door } = this.#deps;
    const { leaf } = this.#state;
    return {
      mode: this.#state.mode,
      position: io.position(door) ?? 'unmonitored',
      strike: io.strike(door),
      alarms: [
        ...(leaf.kind === 'held-open' || leaf.kind === 'forced-open' ? [leaf.kind] : []),
        ...(io.isTampered(door) ? ['tamper' as const] : []),
        ...(this.#strikeFault === undefined ? [] : ['strike-failed' as const]),
      ],
    };
  }

  releaseFor(grant: GrantedTap): ReleaseOutcome {
    const { overridesLockdown, isExtended } = grant;
    return this.#release({ kind: 'card', grant, overridesLockdown, isExtended });
  }

  /** One release on a technician's word. */
  releaseByOperator(): ReleaseOutcome {
    return this.#release({ kind: 'operator' });
  }

  setMode(mode: DoorMode): void {
    this.#step({ kind: 'mode', mode, at: this.#deps.clock.monotonic() });
  }

  onInput(input: DoorInput): void {
    const at = this.#deps.clock.monotonic();
    if (input.kind === 'contact') this.#step({ kind: 'position', position: input.position, at });
    else if (input.kind === 'tamper') this.#onTamper(input.active);
    else if (input.pressed) this.#step({ kind: 'release', cause: { kind: 'exit-button' }, at });
  }

  /** Ends the timers and takes nothing in any more; the lines are the driver's to make safe. */
  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#lockAgain?.cancel();
    this.#lockAgain = undefined;
  }

  /** Whoever opens a housing gets at its wires: told, and nothing is opened or locked for it. */
  #onTamper(active: boolean): void {
    if (this.#isStopped) return;
    const { log, door, onChange } = this.#deps;
    if (active) log.error({ door }, 'tamper input active');
    else log.info({ door }, 'tamper input inactive again');
    this.#record({ event: 'tamper', detail: { active } });
    onChange();
  }

  #release(cause: ReleaseCause<GrantedTap>): ReleaseOutcome {
    if (this.#isStopped) return { kind: 'failed', detail: 'the gateway is stopping' };
    const effects = this.#step({ kind: 'release', cause, at: this.#deps.clock.monotonic() });
    const refusal = effects.find((effect) => effect.kind === 'refused');
    if (refusal !== undefined) return refusal;
    return this.#strikeFault === undefined ? { kind: 'released' } : { kind: 'failed', detail: this.#strikeFault };
  }

  #step(input: DoorMachineInput<GrantedTap>): readonly DoorEffect<GrantedTap>[] {
    if (this.#isStopped) return [];
    const isHeldInVain = this.#strikeFault !== undefined && this.#state.strike.kind === 'held';
    // Held open in name only: whoever asks to pass tries the strike again.
    if (isHeldInVain && input.kind === 'release') this.#drive('unlocked', undefined);
    const { mode } = this.#state;
    const wasWarning = isWarning(this.#state);
    const { state, effects } = stepDoor(this.#state, input);
    this.#state = state;
    this.#arm();
    const asking = input.kind === 'release' && input.cause.kind === 'card' ? input.cause.grant : undefined;
    for (const effect of effects) this.#carryOut(effect, asking);
    if (isWarning(state) !== wasWarning) this.#deps.onWarning?.(!wasWarning);
    if (isOpenMode(state.mode) !== isOpenMode(mode)) this.#deps.onOpenToAll?.(isOpenMode(state.mode));
    if (effects.length > 0 || state.mode !== mode) this.#deps.onChange();
    return effects;
  }

  /** `asking`: the grant that asked for the step. While the strike fails it is denied, and is neither taken nor not taken. */
  #carryOut(effect: DoorEffect<GrantedTap>, asking: GrantedTap | undefined): void {
    switch (effect.kind) {
      case 'strike':
        return this.#drive(effect.state, asking);
      case 'event':
        return this.#record({ event: effect.event, ...effect.grant });
      case 'taken':
        if (effect.grant !== asking || this.#strikeFault === undefined) this.#deps.onTaken?.(effect.grant);
        return;
      case 'refused':
        return;
    }
  }

  #drive(state: StrikeState, asking: GrantedTap | undefined): void {
    const { io, door, log } = this.#deps;
    this.#lockAgain?.cancel();
    this.#lockAgain = undefined;
    try {
      io.setStrike(door, state);
      this.#strikeFault = undefined;
    } catch (error) {
      this.#strikeFault = errorMessage(error);
      log.error({ door, state, err: this.#strikeFault }, 'strike could not be driven');
      if (state === 'locked') return this.#lockLater();
      this.#driveBack();
      this.#step({ kind: 'strike-failed', at: this.#deps.clock.monotonic(), denied: asking });
    }
  }

  /** No tap and no deadline is left that would lock a strike which stayed unlocked. */
  #lockLater(): void {
    const { clock, onChange } = this.#deps;
    this.#lockAgain = clock.schedule(LOCK_RETRY, () => {
      if (this.#state.strike.kind !== 'held') this.#drive('locked', undefined);
      onChange();
    });
  }

  /** A strike that failed to unlock may have done so halfway. */
  #driveBack(): void {
    const { io, door, log } = this.#deps;
    try {
      io.setStrike(door, 'locked');
    } catch (error) {
      log.error({ door, err: errorMessage(error) }, 'strike could not be locked again');
      this.#lockLater();
    }
  }

  #record(event: Pick<NewEvent, 'event'> & Partial<NewEvent>): void {
    const { writer, clock, door } = this.#deps;
    writer.record({ at: clock.now(), clockSynchronized: clock.isSynchronized(), door, ...event });
  }

  #arm(): void {
    const { clock } = this.#deps;
    this.#timer?.cancel();
    this.#timer = undefined;
    const deadline = nextDeadline(this.#state);
    if (deadline === undefined) return;
    const delay = milliseconds(Math.max(0, deadline - clock.monotonic()));
    this.#timer = clock.schedule(delay, () => this.#step({ kind: 'time', at: clock.monotonic() }));
  }
}
