// The old GPIO interface in /sys/class/gpio: which chip it knows under which numbers, and one line's value file.

import { closeSync, openSync, readdirSync, readFileSync, readSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { CardeaError } from '../../errors.ts';
import { PI_CHIP_LABELS } from './gpio-chip.ts';
import type { LineLevel } from './strike-level.ts';

/** Where rpi-gpio looks, and nothing can be done about it. */
export const SYSFS_GPIO_ROOT = '/sys/class/gpio';

export interface SysfsChip {
  readonly label: string;
  /** The number of its first line. */
  readonly base: number;
  readonly lines: number;
}

const listChips = (root: string): readonly SysfsChip[] => {
  try {
    return readdirSync(root)
      .filter((name) => /^gpiochip\d+$/.test(name))
      .map((name) => {
        const read = (file: string): string => readFileSync(join(root, name, file), 'utf8').trim();
        return { label: read('label'), base: Number(read('base')), lines: Number(read('ngpio')) };
      });
  } catch {
    return [];
  }
};

/**
 * The chip whose line numbers are the BCM numbers, which is all that rpi-gpio can work with. `chip`: a label, else the header of a
 * Pi. Throws CardeaError `gpio-unavailable` where there is none, or where it is numbered from elsewhere (kernels from 6.6 on: 512).
 */
export const findSysfsChip = (root: string = SYSFS_GPIO_ROOT, chip?: string): SysfsChip => {
  const labels = chip === undefined || chip.startsWith('/') ? PI_CHIP_LABELS : [chip];
  const found = listChips(root).find(({ label }) => labels.includes(label));
  if (found === undefined) {
    throw new CardeaError(
      'gpio-unavailable',
      `no GPIO chip with the label ${labels.join(' or ')} in ${root}; use gpio.driver: gpiochip`,
    );
  }
  if (found.base !== 0) {
    throw new CardeaError(
      'gpio-unavailable',
      `${found.label} is numbered from ${found.base} in ${root}, and rpi-gpio knows only numbers from 0; use gpio.driver: gpiochip`,
      { context: { base: found.base } },
    );
  }
  return found;
};

const ZERO = '0'.charCodeAt(0);

/** The value file of one exported line, kept open: reading and writing it are single system calls. Throws what node:fs throws. */
export class SysfsLine {
  readonly #descriptor: number;
  readonly #byte = Buffer.alloc(1);

  constructor(root: string, line: number) {
    this.#descriptor = openSync(join(root, `gpio${line}`, 'value'), 'r+');
  }

  read(): LineLevel {
    if (readSync(this.#descriptor, this.#byte, 0, 1, 0) === 0) throw new CardeaError('gpio-unavailable', 'no level');
    return this.#byte[0] === ZERO ? 0 : 1;
  }

  write(level: LineLevel): void {
    writeSync(this.#descriptor, level === 1 ? '1' : '0', 0);
  }

  close(): void {
    closeSync(this.#descriptor);
  }
}
