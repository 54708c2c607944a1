// The file that tells the safe-state helper (systemd/safe-state, plain sh) which strikes to take off power after a crash. The
// drivers write it before they claim a strike and remove it after they made all safe: no moment with one energized and no file.

import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CardeaError } from '../../errors.ts';
import type { DoorWiring } from '../../ports/door-io.ts';
import { safeStrikeLevel } from './strike-level.ts';

/**
 * Where the helper looks: in the service's runtime directory, `$RUNTIME_DIRECTORY` (systemd.exec(5)). Undefined for a gateway
 * that is not run by systemd: nobody would run the helper.
 */
export const safeStatePath = (environment: NodeJS.ProcessEnv): string | undefined => {
  const { RUNTIME_DIRECTORY } = environment;
  const [directory] = RUNTIME_DIRECTORY?.split(':') ?? [];
  return directory ? join(directory, 'safe-state') : undefined;
};

/** One line per strike: label of the chip, BCM number, level without power, door. */
export const formatSafeState = (chipLabel: string, doors: readonly DoorWiring[]): string =>
  [
    '# Lines that systemd/safe-state takes off power when the gateway dies: chip-label line level door',
    ...doors.map(({ door, strike }) => `${chipLabel} ${strike.line} ${safeStrikeLevel(strike)} ${door}`),
    '',
  ].join('\n');

/** Replaces the file as a whole. Throws CardeaError `gpio-unavailable`: without it a crash could leave a door open. */
export const writeSafeStateFile = (path: string, chipLabel: string, doors: readonly DoorWiring[]): void => {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(`${path}.new`, formatSafeState(chipLabel, doors), { mode: 0o644 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw new CardeaError(
      'gpio-unavailable',
      `${path}, which tells how to make the doors safe after a crash, could not be written; check its directory`,
      { cause },
    );
  }
};

/** Nothing is claimed any more. A file that stays behind does no harm: the levels in it are the safe ones. */
export const removeSafeStateFile = (path: string): void => {
  try {
    rmSync(path, { force: true });
  } catch {
    // See above.
  }
};
