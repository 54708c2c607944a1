// Looks after the room on the disk. Below the configured minimum changes from HR wait or are refused, and nothing large is begun;
// cards go on being decided and recorded. Below a quarter of it events of low value are counted instead of recorded.
//
// 1. Said once: `store-full` when it begins, `store-recovered` when it is over, an alarm in between.
// 2. Bounded: a change waits for room so long at most. It is not acknowledged then, and the broker delivers it again.
// 3. The ballast is made whole whenever there is room for it.

import { type Milliseconds, milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { DiskRoom, DiskSpace } from '../ports/disk-space.ts';
import type { SerialWriter } from './serial-writer.ts';

export const LOOK_EVERY: Milliseconds = milliseconds(5_000);
/** The connection to HR is dropped afterwards, so that what waits is delivered anew. */
export const MOST_PATIENCE: Milliseconds = milliseconds(60_000);
/** Below this part of the minimum, room is for decisions only. */
const CRITICAL = 1 / 4;
/** A shortage is over when there is so much more room than where it began. */
const MARGIN = 1.25;
/** A store makes a handful of files in a row. */
const FEWEST_FILES = 64;
const MEBIBYTE = 1024 * 1024;

/** In falling order. */
type Level = 'enough' | 'low' | 'critical';

interface Dependencies {
  readonly disk: DiskSpace;
  /** The low watermark. */
  readonly minimumFreeBytes: number;
  readonly writer: Pick<SerialWriter, 'record' | 'leaveOutLowValue' | 'leaveOutNothing'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

interface Waiter {
  readonly go: () => void;
  readonly refuse: (error: CardeaError) => void;
}

export class DiskWatch {
  readonly #deps: Dependencies;
  #level: Level = 'enough';
  #room: DiskRoom | undefined;
  #fault: string | undefined;
  #waiters: Waiter[] = [];
  #patience: Timer | undefined;
  #timer: Timer | undefined;
  #isStopped = false;
  /** Called when room begins to be short, and at every look while it is critical: for whoever holds what can be let go. */
  onShortage: () => void = () => {};

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Fulfils after the first look. */
  async start(): Promise<void> {
    await this.#look();
    // With room enough the ballast has time; a start is busy with other things.
    if (this.#level === 'enough') this.#lookLater();
    else void this.#goOn();
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
    this.refuseWaiting();
  }

  /** Whether there is room for changes, and for what takes `bytes` besides: a backup, a rotation, a roster. As of the last look. */
  hasRoom(bytes = 0): boolean {
    if (this.#level !== 'enough') return false;
    const { freeBytes = Number.POSITIVE_INFINITY } = this.#room ?? {};
    return freeBytes - bytes >= this.#deps.minimumFreeBytes;
  }

  /**
   * Undefined while there is room for changes. Else fulfils as soon as there is; rejects with CardeaError `disk-full` when that
   * takes too long, or with refuseWaiting().
   */
  awaitRoom(): Promise<void> | undefined {
    if (this.#level === 'enough') return undefined;
    this.#patience ??= this.#deps.clock.schedule(MOST_PATIENCE, () => this.refuseWaiting());
    return new Promise((go, refuse) => this.#waiters.push({ go, refuse }));
  }

  /** The connection by which they came is gone, and what comes by the next one waits for them. */
  refuseWaiting(): void {
    const error = new CardeaError('disk-full', `the disk is nearly full${this.#left()}: changes are not taken`);
    for (const { refuse } of this.#endWaiting()) refuse(error);
  }

  /** What needs attention, in words. */
  alarms(): string[] {
    const alarms = this.#fault === undefined ? [] : [`its room is not known: ${this.#fault}`];
    if (this.#level === 'enough') return alarms;
    const events = this.#level === 'critical' ? ', and doors opening and closing are not recorded' : '';
    return [`nearly full${this.#left()}: changes from HR are not taken${events}`, ...alarms];
  }

  #left(): string {
    if (this.#room === undefined) return '';
    const { freeBytes, freeFiles } = this.#room;
    const files = freeFiles === undefined || freeFiles >= FEWEST_FILES ? '' : `, ${freeFiles} files`;
    return `, ${mebibytes(freeBytes)} MiB${files} left`;
  }

  #endWaiting(): readonly Waiter[] {
    this.#patience?.cancel();
    this.#patience = undefined;
    const waiters = this.#waiters;
    this.#waiters = [];
    return waiters;
  }

  async #look(): Promise<void> {
    try {
      this.#take(await this.#deps.disk.look());
      this.#fault = undefined;
    } catch (error) {
      const fault = errorMessage(error);
      if (this.#fault === undefined) this.#deps.log.error({ err: fault }, 'the room on the disk cannot be asked for');
      this.#fault = fault;
    }
  }

  async #goOn(): Promise<void> {
    const { disk, minimumFreeBytes } = this.#deps;
    // With the ballast made, room shall not be short at once.
    await disk.restoreBallast(minimumFreeBytes * MARGIN);
    if (!this.#isStopped) this.#lookLater();
  }

  #lookLater(): void {
    this.#timer = this.#deps.clock.schedule(LOOK_EVERY, () => void this.#look().then(() => this.#goOn()));
  }

  #take(room: DiskRoom): void {
    const before = this.#level;
    this.#room = room;
    this.#level = this.#levelOf(room);
    if (this.#level === 'critical') this.#deps.writer.leaveOutLowValue();
    if (this.#level !== 'enough' && (before === 'enough' || this.#level === 'critical')) this.onShortage();
    if (this.#level === before) return;
    if (before === 'enough') this.#begin(room);
    else if (this.#level === 'enough') this.#end(room);
    else this.#deps.log.warn({ ...room, level: this.#level }, 'room on the disk');
    this.#deps.onChange();
  }

  #levelOf({ freeBytes, freeFiles = FEWEST_FILES * MARGIN }: DiskRoom): Level {
    const { minimumFreeBytes } = this.#deps;
    const isBelow = (amount: number, limit: number, wasBelow: boolean): boolean =>
      amount < (wasBelow ? limit * MARGIN : limit);
    const wasShort = this.#level !== 'enough';
    if (isBelow(freeBytes, minimumFreeBytes * CRITICAL, this.#level === 'critical')) return 'critical';
    const isShort = isBelow(freeBytes, minimumFreeBytes, wasShort) || isBelow(freeFiles, FEWEST_FILES, wasShort);
    return isShort ? 'low' : 'enough';
  }

  #begin(room: DiskRoom): void {
    const { writer, clock, log, minimumFreeBytes } = this.#deps;
    log.error({ ...room, minimumFreeBytes }, 'the disk is nearly full: changes from HR are not taken');
    const detail = { freeMiB: mebibytes(room.freeBytes), minimumFreeMiB: mebibytes(minimumFreeBytes) };
    writer.record({ event: 'store-full', at: clock.now(), clockSynchronized: clock.isSynchronized(), detail });
  }

  #end(room: DiskRoom): void {
    const { writer, clock, log } = this.#deps;
    const eventsLeftOut = writer.leaveOutNothing();
    log.warn({ ...room, eventsLeftOut }, 'there is room on the disk again');
    const detail = { freeMiB: mebibytes(room.freeBytes), eventsLeftOut };
    writer.record({ event: 'store-recovered', at: clock.now(), clockSynchronized: clock.isSynchronized(), detail });
    for (const { go } of this.#endWaiting()) go();
  }
}

const mebibytes = (bytes: number): number => Math.floor(bytes / MEBIBYTE);
