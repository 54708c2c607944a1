// Which of the two GPIO backends a machine gets, and making it. Never silently none: without GPIO it is an error that says how
// to simulate.

import { CardeaError, errorMessage } from '../../errors.ts';
import type { DoorIo } from '../../ports/door-io.ts';
import type { SignalLines } from '../../ports/signal-lines.ts';
import { GpioChip } from './gpio-chip.ts';
import { GpiochipDoorIo, type GpiochipDoorIoOptions } from './gpiochip-door-io.ts';
import { type KernelCalls, loadKernelCalls } from './kernel-calls.ts';
import { RpiGpioDoorIo } from './rpi-gpio-door-io.ts';
import { findSysfsChip } from './sysfs-gpio.ts';

/** `gpio.driver` of the configuration, without `simulated`. */
export type GpioDriver = 'auto' | 'gpiochip' | 'rpi-gpio';
export type GpioBackend = Exclude<GpioDriver, 'auto'>;

export interface GpioChoice {
  readonly backend: GpioBackend;
  /** Why this one, in words for the log. */
  readonly reason: string;
}

/** Doors, and the lines that are no strikes. */
export type GpioDoorIo = DoorIo & SignalLines;

export interface GpioSelection {
  readonly driver: GpioDriver;
  /** Path or label of the chip; default: the header of a Pi, by its label. */
  readonly chip?: string;
  /** Default: libc. */
  readonly kernel?: KernelCalls;
  /** Default: /sys/class/gpio. */
  readonly sysfsRoot?: string;
}

/** Why the character device cannot be used; undefined when it can. */
const gpiochipObstacle = (kernel: KernelCalls, name: string | undefined): string | undefined => {
  try {
    const chip = GpioChip.open(kernel, name);
    const isUsable = chip.hasLineRequests();
    chip.close();
    return isUsable ? undefined : `${chip.path}: the kernel is older than 5.10`;
  } catch (error) {
    return errorMessage(error);
  }
};

/**
 * `auto`: the character device where there is a chip that fits and the kernel knows uAPI v2, else rpi-gpio where sysfs numbers
 * its lines from 0, else CardeaError `gpio-unavailable`. A driver asked for by name is taken without a look: its open() tells.
 */
export const selectGpioBackend = async (selection: GpioSelection): Promise<GpioChoice> => {
  if (selection.driver !== 'auto') return { backend: selection.driver, reason: 'asked for by gpio.driver' };
  const kernel = selection.kernel ?? (await loadKernelCalls());
  const obstacle = gpiochipObstacle(kernel, selection.chip);
  if (obstacle === undefined) return { backend: 'gpiochip', reason: 'the character device can be used' };
  try {
    findSysfsChip(selection.sysfsRoot, selection.chip);
    return { backend: 'rpi-gpio', reason: `the character device cannot be used: ${obstacle}` };
  } catch (cause) {
    throw new CardeaError(
      'gpio-unavailable',
      `this machine has no usable GPIO (${obstacle}; ${errorMessage(cause)}); set gpio.driver: simulated to run without hardware`,
      { cause },
    );
  }
};

/** The backend for the configuration, named in the log; nothing is claimed before its open(). */
export const createGpioDoorIo = async (options: GpiochipDoorIoOptions & GpioSelection): Promise<GpioDoorIo> => {
  const choice = await selectGpioBackend(options);
  options.log?.info({ ...choice, driver: options.driver }, 'gpio backend');
  return choice.backend === 'gpiochip' ? new GpiochipDoorIo(options) : new RpiGpioDoorIo(options);
};
