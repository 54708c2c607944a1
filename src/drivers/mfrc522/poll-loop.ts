// The polling loop, one turn at a time, without thread or clock of its own. It promises:
// 1. A chip that does not work is never mistaken for an empty field: no observation is reported in a turn that ends in doubt.
// 2. It never throws and never gives up: settings are written anew, then the chip is reset, then the reset line is asked
//    for, and an SPI device that went away is opened again.
// 3. A chip that keeps failing does not flood the event log: it is held offline for longer and longer.

import { type Milliseconds, milliseconds } from '../../domain/units.ts';
import { errorMessage } from '../../errors.ts';
import { readCard } from './card-select.ts';
import type { ChipHealth, Mfrc522Chip } from './chip.ts';
import { FieldWatch } from './field-watch.ts';
import type { PollReport } from './reader-messages.ts';
import { describeVersion, isGenuine } from './registers.ts';

export interface PollLoopOptions {
  readonly chip: Mfrc522Chip;
  /** From the end of one turn to the start of the next. */
  readonly pollInterval: Milliseconds;
  /** Any monotonic clock. */
  readonly now: () => number;
  readonly report: (report: PollReport) => void;
}

type Unhealthy = Extract<ChipHealth, { ok: false }>;

/** Settings are read back this often while cards are seen; with nobody there, every turn does it. */
const CHECK_EVERY = 1000;
/** An empty field is used to start the chip afresh: receivers are known to go deaf after hours with all registers right. */
const REFRESH_EVERY = 5 * 60_000;
/** Turns in which the chip neither hears nor times out, settings right, before it is reset. */
const HUNG_TURNS = 3;
/** While offline: from five poll intervals, doubling, to two seconds. */
const FIRST_RETRY_POLLS = 5;
const LAST_RETRY = 2000;
/** Of so many failed attempts, the first asks for the reset line. */
const PULSE_EVERY = 4;
/** Failures in short order that are repaired at once; from then on the reader is held offline, for twice as long each time. */
const FAILURES_UNTIL_HELD = 2;
const FIRST_HOLD = 1000;
const LAST_HOLD = 60_000;
/** So long online forgives one failure: a reader on noisy wires that works most of the time goes on working. */
const FORGIVEN_AFTER = 10_000;
/** While offline, another reason is reported this often at most. */
const DETAIL_EVERY = 60_000;

export class PollLoop {
  readonly #options: PollLoopOptions;
  readonly #chip: Mfrc522Chip;
  readonly #field: FieldWatch;
  #online = false;
  #warnedVersion: number | undefined;
  #lastDetail = '';
  #attempts = 0;
  #hungTurns = 0;
  #checkedAt = 0;
  #refreshedAt = 0;
  #onlineAt = 0;
  #offlineToldAt = Number.NEGATIVE_INFINITY;
  /** Losses of the chip, less those forgiven. */
  #failures = 0;
  #heldUntil = 0;

  constructor(options: PollLoopOptions) {
    this.#options = options;
    this.#chip = options.chip;
    this.#field = new FieldWatch((likelySilent) => readCard(options.chip, likelySilent));
  }

  /** One look at the field, or one attempt to get the chip back. Returns how long to wait before the next turn. */
  turn(): Milliseconds {
    try {
      if (this.#online) this.#watch();
      else if (!this.#isHeld()) this.#bringUp();
    } catch (error) {
      this.#goOffline(`${errorMessage(error)}: check that SPI is enabled and the device exists and may be used`);
    }
    return this.#online ? this.#options.pollInterval : this.#retryInterval();
  }

  #isHeld(): boolean {
    return this.#options.now() < this.#heldUntil;
  }

  /** Field off, bus closed. */
  stop(): void {
    try {
      this.#chip.close();
    } catch {
      // The device is gone; there is nothing left to switch off.
    }
  }

  #watch(): void {
    const { now, report } = this.#options;
    const look = this.#field.look();
    if (look.kind === 'none') {
      // Silence comes with settings read back: see Mfrc522Chip.transceive.
      this.#checkedAt = now();
      this.#hungTurns = 0;
      report({ kind: 'observation', observation: look });
      if (now() - this.#refreshedAt >= REFRESH_EVERY) this.#refresh();
      return;
    }
    const isTrusted = look.kind === 'card' && now() - this.#checkedAt < CHECK_EVERY;
    const health = isTrusted ? undefined : this.#checkTwice();
    if (health?.ok === false) {
      this.#repair(health);
      return;
    }
    if (look.kind === 'chip-fault') {
      this.#hungTurns += 1;
      if (this.#hungTurns >= HUNG_TURNS) this.#repair('hung');
      return;
    }
    this.#hungTurns = 0;
    report({ kind: 'observation', observation: look });
  }

  /** A second opinion before settings count as lost: a bit may have flipped on the wires. */
  #checkTwice(): ChipHealth {
    const first = this.#chip.check();
    const health = first.ok ? first : this.#chip.check();
    if (health.ok) this.#checkedAt = this.#options.now();
    return health;
  }

  /** The first steps of the escalation, at once; a repair that works is reported too, as a short time offline. */
  #repair(fault: Unhealthy | 'hung'): void {
    this.#hungTurns = 0;
    if (fault !== 'hung' && fault.fault === 'settings-lost') this.#chip.configure();
    else this.#chip.reset();
    let health = this.#checkTwice();
    if (!health.ok) {
      this.#chip.reset();
      health = this.#checkTwice();
    }
    this.#goOffline(health.ok ? describePast(fault) : describeFault(health));
    if (health.ok && !this.#isHeld()) this.#goOnline(health);
  }

  #refresh(): void {
    this.#chip.reset();
    this.#field.forget();
    this.#refreshedAt = this.#options.now();
    const health = this.#checkTwice();
    if (!health.ok) this.#repair(health);
  }

  #bringUp(): void {
    this.#attempts += 1;
    this.#chip.open();
    this.#chip.reset();
    const health = this.#checkTwice();
    if (health.ok) {
      this.#goOnline(health);
      return;
    }
    this.#goOffline(describeFault(health));
    if (this.#attempts % PULSE_EVERY === 1) this.#options.report({ kind: 'pulse-reset' });
  }

  #goOnline(health: ChipHealth): void {
    const { now, report } = this.#options;
    this.#online = true;
    this.#onlineAt = now();
    this.#attempts = 0;
    this.#field.forget();
    this.#checkedAt = now();
    this.#refreshedAt = now();
    this.#lastDetail = describeVersion(health.version);
    report({ kind: 'condition', condition: { state: 'online', detail: this.#lastDetail } });
    if (isGenuine(health.version) || this.#warnedVersion === health.version) return;
    this.#warnedVersion = health.version;
    report({ kind: 'warning', detail: `the reader is ${this.#lastDetail}; it is used, but clones read less reliably` });
  }

  #goOffline(detail: string): void {
    const { now, report } = this.#options;
    const isLoss = this.#online;
    const held = isLoss ? this.#countFailure() : '';
    const isNews = detail !== this.#lastDetail && now() - this.#offlineToldAt >= DETAIL_EVERY;
    this.#online = false;
    if (!isLoss && !isNews) return;
    this.#lastDetail = detail;
    this.#offlineToldAt = now();
    report({ kind: 'condition', condition: { state: 'offline', detail: `${detail}${held}` } });
  }

  /** Decides whether the reader is held offline, and says so. */
  #countFailure(): string {
    const now = this.#options.now();
    const forgiven = Math.floor((now - this.#onlineAt) / FORGIVEN_AFTER);
    this.#failures = Math.max(0, this.#failures - forgiven) + 1;
    const beyond = this.#failures - FAILURES_UNTIL_HELD;
    if (beyond <= 0) return '';
    const hold = Math.min(LAST_HOLD, FIRST_HOLD * 2 ** (beyond - 1));
    this.#heldUntil = now + hold;
    return `; it failed ${this.#failures} times in short order, so it is left alone for ${hold / 1000} s`;
  }

  #retryInterval(): Milliseconds {
    // Also while held: every turn is the sign of life that keeps the worker from being replaced.
    const held = this.#heldUntil - this.#options.now();
    if (held > 0) return milliseconds(Math.min(LAST_RETRY, held));
    const first = this.#options.pollInterval * FIRST_RETRY_POLLS;
    return milliseconds(Math.min(LAST_RETRY, first * 2 ** Math.max(0, this.#attempts - 1)));
  }
}

const describeFault = (health: Unhealthy): string => {
  switch (health.fault) {
    case 'silent':
      return 'the chip does not answer, all bits read 0: check its 3.3 V supply, ground, and the MISO and SDA (chip select) wires';
    case 'stuck-high':
      return 'the chip does not answer, all bits read 1: check the MISO and SDA (chip select) wires, and that RST is not held low';
    case 'settings-lost':
      return `${describeVersion(health.version)} does not keep its settings: check the MOSI and SCK wires and its 3.3 V supply, or lower speedHz`;
  }
};

/** What was wrong with a chip that works again. */
const describePast = (fault: Unhealthy | 'hung'): string => {
  if (fault === 'hung')
    return 'the chip had stopped to send and was reset: if this happens often, check its 3.3 V supply';
  return fault.fault === 'settings-lost'
    ? 'the chip had lost its settings and was set up anew: check its 3.3 V supply for dips (brown-out)'
    : 'the chip did not answer for a moment and was reset: check its wires for a loose contact';
};
