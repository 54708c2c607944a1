// One open GPIO chip: finding it by what it is (numbers move between boards and kernels), looking at its lines, claiming them.

import { CardeaError } from '../../errors.ts';
import {
  type ChipInfo,
  decodeChipInfo,
  decodeLineInfo,
  decodeRequestDescriptor,
  decodeValues,
  encodeInputRequest,
  encodeOutputRequest,
  encodeValue,
  GPIO_IOCTL,
  type InputRequest,
  type LineInfo,
  newChipInfo,
  newLineInfo,
  newValues,
  type OutputRequest,
} from './gpio-uapi.ts';
import type { KernelCalls } from './kernel-calls.ts';
import type { LineLevel } from './strike-level.ts';

/** What the header's chip is called: Pi 5, Pi 4, earlier ones. */
export const PI_CHIP_LABELS: readonly string[] = ['pinctrl-rp1', 'pinctrl-bcm2711', 'pinctrl-bcm2835'];

/** Who we say we are to whoever looks for the holder of a line. */
const CONSUMER = 'cardea';
/** Events the kernel keeps per input line while the main thread is busy. */
const EVENTS_PER_LINE = 32;

/** Lines held by one request; indexes count in the order they were asked for. */
export interface ClaimedLines {
  readonly descriptor: number;
  readonly count: number;
}

export class GpioChip {
  readonly #kernel: KernelCalls;
  readonly #descriptor: number;
  readonly path: string;
  readonly info: ChipInfo;

  private constructor(kernel: KernelCalls, path: string) {
    this.#kernel = kernel;
    this.path = path;
    this.#descriptor = kernel.open(path);
    const buffer = newChipInfo();
    const failure = kernel.ioctl(this.#descriptor, GPIO_IOCTL.getChipInfo, buffer);
    if (failure !== undefined) {
      kernel.close(this.#descriptor);
      throw new CardeaError('gpio-unavailable', `${path} is no GPIO chip: ${failure}`);
    }
    this.info = decodeChipInfo(buffer);
  }

  /**
   * `chip`: a path, a label, or undefined for the header of a Pi. Throws CardeaError `gpio-unavailable`, which names the
   * chips there are, or says that they may not be opened.
   */
  static open(kernel: KernelCalls, chip?: string): GpioChip {
    if (chip?.startsWith('/')) return GpioChip.#openPath(kernel, chip);
    const wanted = chip === undefined ? PI_CHIP_LABELS : [chip];
    const seen: string[] = [];
    for (const path of kernel.listChips()) {
      const candidate = GpioChip.#openPath(kernel, path);
      if (wanted.includes(candidate.info.label)) return candidate;
      candidate.close();
      seen.push(`${path} (${candidate.info.label})`);
    }
    const found = seen.length === 0 ? 'there is no /dev/gpiochip*' : `there are only ${seen.join(', ')}`;
    throw new CardeaError(
      'gpio-unavailable',
      `no GPIO chip with the label ${wanted.join(' or ')}: ${found}; set gpio.chip, or gpio.driver: simulated on a machine without GPIO`,
    );
  }

  static #openPath(kernel: KernelCalls, path: string): GpioChip {
    try {
      return new GpioChip(kernel, path);
    } catch (cause) {
      if (cause instanceof CardeaError) throw cause;
      const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'it cannot be opened';
      const advice =
        code === 'EACCES' || code === 'EPERM' ? '; the account must be in the group gpio' : '; check gpio.chip';
      throw new CardeaError('gpio-unavailable', `GPIO chip ${path}: ${code}${advice}`, { cause });
    }
  }

  /** Whether the kernel knows uAPI v2 (5.10 and later). */
  hasLineRequests(): boolean {
    return this.#kernel.ioctl(this.#descriptor, GPIO_IOCTL.getLineInfo, newLineInfo(0)) === undefined;
  }

  /** Undefined where the chip has no such line. */
  lineInfo(line: number): LineInfo | undefined {
    if (line >= this.info.lines) return undefined;
    const buffer = newLineInfo(line);
    const failure = this.#kernel.ioctl(this.#descriptor, GPIO_IOCTL.getLineInfo, buffer);
    if (failure === undefined) return decodeLineInfo(buffer);
    throw new CardeaError(
      'gpio-unavailable',
      `${this.path} does not tell about line ${line}: ${failure}; kernel 5.10 or later is needed`,
    );
  }

  /** Claims outputs at their levels, without a glitch. Throws CardeaError `gpio-line-busy` or `gpio-unavailable`. */
  claimOutputs(lines: readonly OutputRequest[]): ClaimedLines {
    return this.#claim(encodeOutputRequest(lines, CONSUMER), lines);
  }

  /** Claims inputs with both edges watched; `debounce` in milliseconds. Throws as `claimOutputs` does. */
  claimInputs(lines: readonly InputRequest[], debounce: number): ClaimedLines {
    const eventBufferSize = lines.length * EVENTS_PER_LINE;
    const claimed = this.#claim(encodeInputRequest(lines, CONSUMER, { debounce, eventBufferSize }), lines);
    const failure = this.#kernel.setNonBlocking(claimed.descriptor);
    if (failure === undefined) return claimed;
    this.release(claimed);
    throw new CardeaError('gpio-unavailable', `the input lines of ${this.path} cannot be set up: ${failure}`);
  }

  /** Throws CardeaError `gpio-write-failed`. */
  write(lines: ClaimedLines, index: number, level: LineLevel): void {
    const failure = this.#kernel.ioctl(lines.descriptor, GPIO_IOCTL.setValues, encodeValue(index, level));
    if (failure !== undefined) {
      throw new CardeaError('gpio-write-failed', `${this.path} refused to drive a line: ${failure}`);
    }
  }

  /** Levels in the order of the request, after debouncing. Throws CardeaError `gpio-unavailable`. */
  read(lines: ClaimedLines): readonly LineLevel[] {
    const buffer = newValues(lines.count);
    const failure = this.#kernel.ioctl(lines.descriptor, GPIO_IOCTL.getValues, buffer);
    if (failure === undefined) return decodeValues(buffer, lines.count);
    throw new CardeaError('gpio-unavailable', `the input lines of ${this.path} cannot be read: ${failure}`);
  }

  release(lines: ClaimedLines): void {
    this.#kernel.close(lines.descriptor);
  }

  close(): void {
    this.#kernel.close(this.#descriptor);
  }

  #claim(request: Buffer, lines: readonly { readonly line: number }[]): ClaimedLines {
    const failure = this.#kernel.ioctl(this.#descriptor, GPIO_IOCTL.getLine, request);
    if (failure === undefined) return { descriptor: decodeRequestDescriptor(request), count: lines.length };
    const numbers = lines.map(({ line }) => line).join(', ');
    throw new CardeaError(
      failure === 'EBUSY' ? 'gpio-line-busy' : 'gpio-unavailable',
      `${this.path} did not give the lines ${numbers}: ${failure}`,
    );
  }
}
