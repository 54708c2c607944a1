// From doors to lines and back: which lines a set of doors needs, what each is for, what a level on it means.

import type { DoorId } from '../../domain/ids.ts';
import { CardeaError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { DoorInput, DoorIo, DoorWiring } from '../../ports/door-io.ts';
import type { SignalLine, SignalLines } from '../../ports/signal-lines.ts';
import type { Pull } from './gpio-uapi.ts';
import { isActive, type LineLevel } from './strike-level.ts';

/** What both GPIO backends take. */
export interface DoorLinesOptions {
  readonly doors: readonly DoorWiring[];
  readonly outputs?: readonly SignalLine[];
  /** Label of the chip, for the character device also its path; default: the header of a Pi, by its label. */
  readonly chip?: string;
  /** Milliseconds that an input must be steady; default 10, 0 switches it off. rpi-gpio rounds up to whole looks. */
  readonly debounce?: number;
  /** Where the helper for crashes finds the strikes; see safe-state-file.ts. Default: nowhere. */
  readonly safeStatePath?: string;
  /** Told what a technician should look at; default: nobody. */
  readonly log?: Log;
}

export interface InputLine {
  readonly door: DoorId;
  readonly kind: DoorInput['kind'];
  readonly line: number;
  readonly activeLow: boolean;
}

/** Inputs of all doors. */
export const inputLines = (doors: readonly DoorWiring[]): readonly InputLine[] =>
  doors.flatMap(({ door, contact, exitButton, tamper }) => [
    ...(contact === undefined ? [] : [{ door, kind: 'contact' as const, ...contact }]),
    ...(exitButton === undefined ? [] : [{ door, kind: 'exit-button' as const, ...exitButton }]),
    ...(tamper === undefined ? [] : [{ door, kind: 'tamper' as const, ...tamper }]),
  ]);

/** The pull that keeps a line inactive while nothing else does: for an input an open switch, for an output no driver. */
export const inactivePull = ({ activeLow }: { readonly activeLow: boolean }): Pull => (activeLow ? 'up' : 'down');

/** The pull of an input. */
export const inputPull = (input: InputLine): Pull => (input.kind === 'tamper' ? 'up' : inactivePull(input));

export const toDoorInput = ({ kind, ...wiring }: InputLine, level: LineLevel): DoorInput => {
  const active = isActive(wiring, level);
  switch (kind) {
    case 'contact':
      return { kind, position: active ? 'closed' : 'open' };
    case 'exit-button':
      return { kind, pressed: active };
    case 'tamper':
      return { kind, active };
  }
};

/** Line -> what it is for, in words for messages. */
export const linePurposes = (
  doors: readonly DoorWiring[],
  outputs: readonly SignalLine[],
): ReadonlyMap<number, string> =>
  new Map([
    ...doors.map(({ door, strike }) => [strike.line, `strike of door ${door}`] as const),
    ...inputLines(doors).map(({ door, kind, line }) => [line, `${kind} of door ${door}`] as const),
    ...outputs.map(({ name, line }) => [line, name] as const),
  ]);

/** Nobody leans on a button at start: more likely it is wired or configured the wrong way round, and never counts as pressed. */
export const warnOfPressedButtons = (
  io: Pick<DoorIo, 'isExitPressed'>,
  { doors, log }: { readonly doors: readonly DoorWiring[]; readonly log?: Log | undefined },
): void => {
  for (const { door, exitButton } of doors) {
    if (exitButton === undefined || !io.isExitPressed(door)) continue;
    log?.warn(
      { door, line: exitButton.line, activeLow: exitButton.activeLow },
      'exit button reads pressed at start: check its wiring, its pull-up resistor and exitButton.activeLow',
    );
  }
};

/**
 * Active and inactive again. A failure must not leave the output active: a reader whose reset stays low is dead. Throws
 * CardeaError `gpio-write-failed`.
 */
export const pulseOutput = (io: SignalLines, name: string): void => {
  try {
    io.setOutput(name, true);
  } finally {
    try {
      io.setOutput(name, false);
    } catch {
      io.setOutput(name, false);
    }
  }
};

/** For an open() that makeSafe() overtook. */
export const madeSafeMeanwhile = (): CardeaError =>
  new CardeaError('gpio-unavailable', 'the doors were made safe while their lines were being opened');

export const unknownDoor = (door: DoorId): CardeaError =>
  new CardeaError('unknown-door', `no door ${door} among the configured lines`, { context: { door } });

export const unknownOutput = (name: string): CardeaError =>
  new CardeaError('unknown-line', `no output ${name} among the configured lines`);
