// Runs one door: feeds taps, inputs, commands and time to the pure door machine and carries out what it says.
//
// 1. The strike always has a deadline (DESIGN.md, invariant 6): the relock timer is set before the strike is driven, and a
//    strike that cannot be driven is told to lock and reported, never assumed. Locking is tried until it works.

import type { Direction, NewEvent } from '../domain/access-event.ts';
import type { CardNumber } from '../domain/card-number.ts';
import {
  type DoorEffect,
  type DoorMachineInput,
  type DoorState,
  type DoorTimings,
  initialDoor,
  nextDeadline,
  stepDoor,
} from '../domain/door-machine.ts';
import type { DoorMode } from '../domain/door-mode.ts';
import type { CardholderId, DoorId, ReaderId, Revision } from '../domain/ids.ts';
import { milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { DoorInput, DoorIo, DoorPosition, StrikeState } from '../ports/door-io.ts';
import type { SerialWriter } from './serial-writer.ts';

/** A granted tap, as the door remembers it until it is taken. */
export interface GrantedTap {
  readonly reader: ReaderId;
  readonly direction: Direction;
  readonly card: CardNumber;
  readonly cardholder: CardholderId;
  readonly bindingRevision: Revision;
}

export type ReleaseOutcome =
  | { readonly kind: 'released' }
  | { readonly kind: 'refused'; readonly mode: DoorMode }
  | { readonly kind: 'failed'; readonly detail: string };

export type DoorAlarm = 'held-open' | 'forced-open' | 'strike-failed';

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
}

export class DoorController {
  readonly #deps: Dependencies;
  #state: DoorState<GrantedTap>;
  #timer: Timer | undefined;
  #strikeFault: string | undefined;
  #isStopped = false;
  #lockAgain: Timer | undefined;

  /** Takes the door over as it is found; `io` must be open. A stored mode other than `blocked` does not outlive a restart. */
  constructor(deps: Dependencies, storedMode: DoorMode | undefined) {
    this.#deps = deps;
    const at = deps.clock.monotonic();
    this.#state = initialDoor(deps.timings, { position: deps.io.position(deps.door), at });
    if (storedMode === 'blocked') this.#step({ kind: 'mode', mode: 'blocked', at });
    this.#arm();
  }

  get mode(): DoorMode {
    return this.#state.mode;
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
        ...(this.#strikeFault === undefined ? [] : ['strike-failed' as const]),
      ],
    };
  }

  releaseFor(grant: GrantedTap): ReleaseOutcome {
    return this.#release({ kind: 'card', grant });
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

  #release(cause: Extract<DoorMachineInput<GrantedTap>, { kind: 'release' }>['cause']): ReleaseOutcome {
    if (this.#isStopped) return { kind: 'failed', detail: 'the gateway is stopping' };
    const effects = this.#step({ kind: 'release', cause, at: this.#deps.clock.monotonic() });
    const refusal = effects.find((effect) => effect.kind === 'refused');
    if (refusal !== undefined) return refusal;
    // Held open in name only: whoever taps tries the strike again.
    if (this.#strikeFault !== undefined && this.#state.strike.kind === 'held') this.#drive('unlocked');
    return this.#strikeFault === undefined ? { kind: 'released' } : { kind: 'failed', detail: this.#strikeFault };
  }

  #step(input: DoorMachineInput<GrantedTap>): readonly DoorEffect<GrantedTap>[] {
    if (this.#isStopped) return [];
    const { state, effects } = stepDoor(this.#state, input);
    this.#state = state;
    this.#arm();
    for (const effect of effects) this.#carryOut(effect);
    if (effects.length > 0) this.#deps.onChange();
    return effects;
  }

  #carryOut(effect: DoorEffect<GrantedTap>): void {
    switch (effect.kind) {
      case 'strike':
        return this.#drive(effect.state);
      case 'event':
        return this.#record({ event: effect.event, ...effect.grant });
      case 'refused':
        return;
    }
  }

  #drive(state: StrikeState): void {
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
      this.#step({ kind: 'strike-failed', at: this.#deps.clock.monotonic() });
    }
  }

  /** No tap and no deadline is left that would lock a strike which stayed unlocked. */
  #lockLater(): void {
    const { clock, onChange } = this.#deps;
    this.#lockAgain = clock.schedule(LOCK_RETRY, () => {
      if (this.#state.strike.kind !== 'held') this.#drive('locked');
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
