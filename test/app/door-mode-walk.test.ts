// A random walk over keeper, commands and door machine together: taps, the exit button, orders with and without ends, clocks that jump
// and are doubted, a store and a strike that fail, restarts. After each step the door is compared with a model of what was ordered.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { DoorAction } from '../../src/domain/door-command.ts';
import type { DoorMode } from '../../src/domain/door-mode.ts';
import { instant } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import { cardholderId, cardNumber, readerId, revision } from '../domain/samples.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { CommandBench, DAY, FRONT } from './command-bench.ts';
import { settle } from './door-bench.ts';

const STEPS = 20_000;
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
/** Of the bench's doors. */
const RELEASE = 5 * SECOND;

const ACTIONS: readonly DoorAction[] = ['unlock', 'block', 'hold-open', 'normal', 'lockdown', 'end-lockdown'];
/** Of the hundred that decide what happens in a step, one that changes the disk. */
const MENDING = 96;
const MAY_END: readonly DoorAction[] = ['block', 'hold-open', 'lockdown'];
/** Before the schedule holds, before it ends, in between, and on a Sunday. */
const TIMES = ['2026-01-05T08:29:50Z', '2026-01-05T11:59:50Z', '2026-01-05T09:00:00Z', '2026-01-04T09:00:00Z'];

/** Whether the schedule of the bench holds: Monday to Friday, 08:30 to 12:00, in UTC. */
const isDay = (now: number): boolean => {
  const date = new Date(now);
  const minute = date.getUTCHours() * 60 + date.getUTCMinutes();
  return date.getUTCDay() >= 1 && date.getUTCDay() <= 5 && minute >= 510 && minute < 720;
};

interface Order {
  readonly until: number | undefined;
  /** By the monotonic clock; unknown for an order from before a restart. */
  deadline: number | undefined;
  /** Since when one of the clocks says that it is over. */
  overSince: number | undefined;
}

const cardGrant = (overridesLockdown: boolean) => ({
  reader: readerId('front-in'),
  direction: 'in' as const,
  card: cardNumber('DEADBEEF'),
  cardholder: cardholderId('E1001'),
  bindingRevision: revision(1),
  overridesLockdown,
  isExtended: false,
});

class Walk {
  readonly #bench: CommandBench;
  readonly #random: Random;
  readonly #afterFirstCard: boolean;
  #lockdown: Order | undefined;
  #mode: (Order & { readonly mode: 'blocked' | 'held-open' }) | undefined;
  #hasFirstCard = false;
  #releasedAt = Number.NEGATIVE_INFINITY;
  readonly modes = new Map<DoorMode, number>();

  constructor(bench: CommandBench, random: Random, afterFirstCard: boolean) {
    this.#bench = bench;
    this.#random = random;
    this.#afterFirstCard = afterFirstCard;
  }

  /** One step; check() follows. A promise only where there is something to wait for: each costs more than a step. */
  happen(): Promise<void> | undefined {
    const roll = this.#isDiskToBeMended() ? MENDING : this.#random.below(100);
    if (roll < 20) return this.#order();
    if (roll >= 96 && roll < 98) return this.#changeDisk();
    if (roll === 98) return this.#restart();
    this.#happenAtOnce(roll);
    return undefined;
  }

  #happenAtOnce(roll: number): void {
    const { clock } = this.#bench;
    if (roll < 52) this.#tap();
    else if (roll < 60) this.#leave();
    else if (roll < 90) clock.advance(this.#random.pick([100, SECOND, 2.5 * SECOND, 7 * SECOND, 20 * SECOND]));
    else if (roll < 94) this.#jump();
    else if (roll < 96) this.#doubt();
    else this.#changeRelay();
  }

  async #order(): Promise<void> {
    const { clock, store, writer } = this.#bench;
    const isFailing = store.commitFailure !== undefined || writer.isFailing;
    // What is refused already is not waited for.
    if (isFailing) await settle();
    const action = this.#random.pick(ACTIONS);
    const end = MAY_END.includes(action) && this.#random.below(2) === 0 ? 1 + this.#random.below(MINUTE) : undefined;
    const until = end === undefined ? {} : { until: instant(clock.now() + end) };
    const answered = this.#bench.order(action, until).catch(() => undefined);
    if (action === 'lockdown') assert.equal(this.#bench.mode(FRONT), 'lockdown', 'at once, whatever the disk does');
    if (isFailing) {
      await settle();
      // An answer may wait for as long as what opens is good.
      clock.advance(3 * SECOND);
    }
    const answer = await answered;
    if (answer === undefined || answer.result === 'refused') return;
    const isEndless = until.until === undefined || !clock.isSynchronized();
    this.#ordered(action, isEndless ? undefined : until.until);
  }

  #ordered(action: DoorAction, until: number | undefined): void {
    const { clock } = this.#bench;
    const deadline = until === undefined ? undefined : clock.monotonic() + until - clock.now();
    const order = { until, deadline, overSince: undefined };
    switch (action) {
      case 'unlock':
        this.#releasedAt = clock.monotonic();
        return;
      case 'block':
        this.#mode = { ...order, mode: 'blocked' };
        return;
      case 'hold-open':
        this.#mode = { ...order, mode: 'held-open' };
        return;
      case 'normal':
        this.#mode = undefined;
        return;
      case 'lockdown':
        this.#lockdown = order;
        if (this.#mode?.mode === 'held-open') this.#mode = undefined;
        this.#hasFirstCard = false;
        return;
      case 'end-lockdown':
        this.#lockdown = undefined;
    }
  }

  /** As the tap flow does with a card that HR lets in. */
  #tap(): void {
    const { doors, keeper, clock } = this.#bench;
    const overridesLockdown = this.#random.below(5) === 0;
    const before = this.#bench.mode(FRONT);
    const outcome = doors.get(FRONT)?.releaseFor(cardGrant(overridesLockdown));
    if (before === 'blocked' || (before === 'lockdown' && !overridesLockdown)) {
      assert.equal(outcome?.kind, 'refused', `a grant beats ${before}`);
    }
    if (outcome?.kind !== 'released') return;
    this.#releasedAt = clock.monotonic();
    keeper.onGranted(FRONT);
    if (before !== 'lockdown' && isDay(clock.now()) && clock.isSynchronized()) this.#hasFirstCard = true;
  }

  /** The exit button opens in every mode. */
  #leave(): void {
    const { doors, io, clock } = this.#bench;
    doors.get(FRONT)?.onInput({ kind: 'exit-button', pressed: true });
    this.#releasedAt = clock.monotonic();
    if (io.writeFailure === undefined) assert.equal(io.strike(FRONT), 'unlocked');
  }

  #jump(): void {
    const { clock } = this.#bench;
    if (this.#random.below(2) === 0) clock.setNow(this.#random.pick(TIMES));
    else clock.setNow(clock.now() + (this.#random.below(40) - 20) * MINUTE);
    clock.advance(SECOND);
  }

  #doubt(): void {
    const { clock } = this.#bench;
    clock.setSynchronized(this.#random.below(3) > 0);
    clock.advance(SECOND);
  }

  /** What waits for a full disk is tried again and again, and would take most of the time of the walk. */
  #isDiskToBeMended(): boolean {
    return this.#bench.store.commitFailure !== undefined && this.#random.below(8) === 0;
  }

  async #changeDisk(): Promise<void> {
    const { store, clock } = this.#bench;
    await settle();
    const isFull = store.commitFailure === undefined && this.#random.below(3) === 0;
    store.commitFailure = isFull ? new CardeaError('store-write-failed', 'no space left on device') : undefined;
    if (!isFull) clock.advance(MINUTE);
    await settle();
  }

  #changeRelay(): void {
    const { io, clock } = this.#bench;
    io.writeFailure =
      this.#random.below(3) === 0 ? new CardeaError('gpio-write-failed', 'the relay is gone') : undefined;
    // A strike that could not be locked is told again each second.
    clock.advance(2 * SECOND);
  }

  async #restart(): Promise<void> {
    const { store, clock, doors } = this.#bench;
    if (store.commitFailure !== undefined) return;
    // By then everything is stored.
    for (let second = 0; second < 4; second++) {
      clock.advance(SECOND);
      await settle();
    }
    this.#followEnds();
    const before = this.#bench.mode(FRONT);
    for (const controller of doors.values()) controller.stop();
    await this.#bench.restart();
    const after = this.#bench.mode(FRONT);
    const isOver = [this.#lockdown, this.#mode].some((order) => order?.overSince !== undefined);
    if (!isOver && (before === 'lockdown' || before === 'blocked')) {
      assert.equal(after, before, 'what locks outlives a restart');
    }
    this.#hasFirstCard = false;
    this.#releasedAt = Number.NEGATIVE_INFINITY;
    if (this.#mode?.mode === 'held-open') this.#mode = undefined;
    for (const order of [this.#lockdown, this.#mode]) if (order !== undefined) order.deadline = undefined;
  }

  check(): void {
    const { clock, io } = this.#bench;
    // In the second in which the schedule begins or ends the door may follow already, or not yet.
    if (isDay(clock.now()) !== isDay(clock.now() - SECOND)) clock.advance(SECOND);
    const now = clock.now();
    if (!clock.isSynchronized() || !isDay(now)) this.#hasFirstCard = false;
    this.#followEnds();
    const mode = this.#bench.mode(FRONT);
    assert.ok(mode !== undefined);
    this.modes.set(mode, (this.modes.get(mode) ?? 0) + 1);
    const possible = this.#possibleModes();
    assert.ok(possible.includes(mode), `mode ${mode} where ${possible} were ordered`);
    if (io.strike(FRONT) === 'locked' || io.writeFailure !== undefined) return;
    const isReleased = clock.monotonic() - this.#releasedAt < RELEASE;
    const isHeld = mode === 'held-open' || mode === 'unlocked';
    assert.ok(isReleased || isHeld, `unlocked in mode ${mode} without a release`);
  }

  #followEnds(): void {
    const { clock } = this.#bench;
    for (const order of [this.#lockdown, this.#mode]) {
      if (order?.until === undefined) continue;
      const isHeldOpen = order === this.#mode && this.#mode.mode === 'held-open';
      const isOverOnWall = clock.now() >= order.until && (clock.isSynchronized() || isHeldOpen);
      const isTimeUp = order.deadline !== undefined && clock.monotonic() >= order.deadline;
      if (isOverOnWall || isTimeUp) order.overSince ??= clock.monotonic();
    }
  }

  /** An order that is over may stand for one more second. */
  #possibleModes(): DoorMode[] {
    const { clock } = this.#bench;
    const choices = <T extends Order>(order: T | undefined): (T | undefined)[] => {
      if (order?.overSince === undefined) return [order];
      return clock.monotonic() - order.overSince >= SECOND ? [undefined] : [order, undefined];
    };
    return choices(this.#lockdown).flatMap((lockdown) => {
      if (lockdown !== undefined) return ['lockdown' as const];
      return choices(this.#mode).map((order) => (order === undefined ? this.#unordered() : order.mode));
    });
  }

  /** What the schedule makes of the door. */
  #unordered(): DoorMode {
    const { clock } = this.#bench;
    const isReady = !this.#afterFirstCard || this.#hasFirstCard;
    return clock.isSynchronized() && isDay(clock.now()) && isReady ? 'unlocked' : 'normal';
  }
}

for (const afterFirstCard of [false, true]) {
  const title = afterFirstCard ? ', whose schedule waits for the first card' : '';
  it(`in ${STEPS} random steps a door${title} is unlocked only by its schedule, an order, or a release with a deadline`, async () => {
    const schedules = new Map([[FRONT, { schedule: DAY, afterFirstCard }]]);
    const bench = await CommandBench.start({ now: TIMES[2] ?? '' }, schedules);
    const walk = new Walk(bench, seededRandom(20_260_105), afterFirstCard);
    for (let step = 0; step < STEPS; step++) {
      const waiting = walk.happen();
      if (waiting !== undefined) await waiting;
      walk.check();
      bench.log.records.length = 0;
      bench.store.commits.length = 0;
    }
    for (const mode of ['normal', 'unlocked', 'held-open', 'blocked', 'lockdown'] as const) {
      assert.ok((walk.modes.get(mode) ?? 0) > STEPS / 100, `${mode} was hardly ever seen`);
    }
  });
}
