// The gateway is killed again and again, at random moments and while it starts, amid taps at two readers, signed changes and
// commands. What the kill has left is looked at before the next start: all that was acknowledged to anybody must be in the log and
// in the store. STORM_KILLS says how often (200 take about a quarter of an hour), STORM_SEED repeats a storm's choices.

import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { digestOf } from '../../src/domain/roster-digest.ts';
import { CardeaError } from '../../src/errors.ts';
import type { LogEntry } from '../../src/ports/event-log.ts';
import { doorId } from '../domain/samples.ts';
import { LogCheck } from '../fixtures/log-check.ts';
import { cardNumbers, modelMessageOf } from '../fixtures/random-history.ts';
import { type Random, seededRandom } from '../fixtures/seeded-random.ts';
import { assertIsOfHistory, openStormSite, STORM_GATEWAY, type StormSite, vouchedFor } from '../fixtures/storm-site.ts';
import { openDataDir } from '../fixtures/test-store.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { RosterModel } from '../flows/roster-model.ts';

const KILLS = Number(process.env['STORM_KILLS'] ?? 60);
const seed = Number(process.env['STORM_SEED'] ?? Date.now() % 1_000_000_007);
const CARDS = cardNumbers(300);
const LAB = doorId('lab');
/** Changes that HR publishes together, and that are under way at a time at most. */
const BATCH = 10;
const MOST_UNDER_WAY = 150;
/** What the order comes to after a restart: no door is held open by a gateway that was away. */
const MODES = { block: 'blocked', 'hold-open': 'normal', normal: 'normal' } as const;
type Action = keyof typeof MODES;
const ACTIONS: readonly Action[] = ['block', 'hold-open', 'normal'];

/** One tap at the door that is under no orders, and which changes the gateway may have known of then. */
interface SeenTap {
  readonly card: string;
  readonly outcome: string;
  readonly from: number;
  readonly to: number;
}

interface Storm extends StormSite {
  readonly random: Random;
  readonly taps: SeenTap[];
  /** Grants that were answered at the door that records before it releases, by card. */
  readonly granted: Map<string, number>;
  /** The commands to the other door, each sent when the one before it was answered. */
  readonly commands: { readonly messageId: string; readonly action: Action }[];
  readonly log: LogCheck;
  readonly found: { readonly granted: Map<string, number>; readonly receipts: Set<number>; damages: number };
}

const openStorm = async (t: TestContext): Promise<Storm> => {
  const random = seededRandom(seed);
  const site = await openStormSite(t, {
    random,
    cards: CARDS,
    people: 100,
    gateway: {
      doors: { front: { strike: {}, recordBeforeRelease: true }, lab: { strike: {} } },
      readers: {
        'front-in': { door: 'front', driver: 'simulated' },
        'lab-in': { door: 'lab', driver: 'simulated' },
      },
    },
  });
  const found = { granted: new Map(), receipts: new Set<number>(), damages: 0 };
  return { ...site, random, taps: [], granted: new Map(), commands: [], log: new LogCheck(), found };
};

const count = (counts: Map<string, number>, key: string): unknown => counts.set(key, (counts.get(key) ?? 0) + 1);

const stream = async ({ desk, history, traffic }: Storm, isOver: () => boolean): Promise<void> => {
  while (!isOver()) {
    await desk.publish(history.go(BATCH));
    await pause(20);
    const isTaken = (): boolean => isOver() || history.messages.length - traffic.acknowledged < MOST_UNDER_WAY;
    await waitFor(isTaken, 'the gateway to keep up', 120_000);
  }
};

/** Taps until the gateway dies. */
const tapAt = async (storm: Storm, reader: 'front-in' | 'lab-in'): Promise<void> => {
  const { gateway, traffic, history, random, taps, granted } = storm;
  for (;;) {
    const card = random.pick(CARDS);
    const from = traffic.acknowledged;
    const outcome = await gateway.tap(card, reader).catch(ofTheDead);
    if (outcome === undefined) return;
    if (reader === 'front-in') {
      taps.push({ card, outcome, from, to: history.messages.length });
      if (outcome === 'granted') count(granted, card);
    }
    await pause(random.below(15));
  }
};

/** Commands to the second door, one after the other, until the gateway dies; the last may stay without an answer. */
const command = async (storm: Storm, isDead: () => boolean): Promise<void> => {
  const { desk, random, commands } = storm;
  while (!isDead()) {
    await pause(20 + random.below(60));
    if (!isLastAnswered(storm) || isDead()) continue;
    const next = { messageId: `order-${commands.length}`, action: random.pick(ACTIONS) };
    commands.push(next);
    await desk.command(STORM_GATEWAY, { ...next, door: LAB });
  }
};

const isLastAnswered = ({ archive, commands }: Storm): boolean => {
  const last = commands.at(-1)?.messageId;
  return last === undefined || [...archive.receipts.values()].some(({ messageId }) => messageId === last);
};

const ofTheDead = (error: unknown): undefined => {
  if (error instanceof CardeaError && error.code === 'admin-unreachable') return undefined;
  throw error;
};

/** Starts it, sees what it says, lets things happen, and kills it. */
const liveAndDie = async (storm: Storm): Promise<void> => {
  const { gateway, random, taps, traffic, commands } = storm;
  if (random.below(6) === 0) {
    const starting = gateway.process.start().catch(() => {});
    await pause(random.below(900));
    await gateway.process.kill();
    return starting;
  }
  const vouched = vouchedFor(storm);
  const allowed = allowedModes(storm);
  await gateway.process.start();
  const { status } = await gateway.status();
  assertIsOfHistory(status.roster, { history: storm.history, vouched });
  const { mode = 'missing' } = status.doors[LAB] ?? {};
  assert.ok(allowed.includes(mode), `the door is ${mode}, not ${allowed}`);
  let isDead = false;
  const business = [tapAt(storm, 'front-in'), tapAt(storm, 'lab-in'), command(storm, () => isDead)];
  const enough = [
    taps.length + random.below(40),
    traffic.acknowledged + random.below(200),
    commands.length + random.below(3),
  ];
  const sofar = (): readonly number[] => [taps.length, traffic.acknowledged, commands.length];
  await waitFor(() => sofar().every((count, index) => count >= (enough[index] ?? 0)), 'some business', 60_000);
  await pause(random.below(20));
  await gateway.process.kill();
  isDead = true;
  await Promise.all(business);
};

/** The mode that the last answered command has set, or that of the one after it. */
const allowedModes = (storm: Storm): readonly string[] =>
  ['normal', ...storm.commands.map(({ action }) => MODES[action])].slice(isLastAnswered(storm) ? -1 : -2);

/** Looks at a copy, so that the gateway itself has to recover from its own death. */
const assertNothingIsLost = async (storm: Storm): Promise<void> => {
  const { gateway, archive, history, log, found, granted } = storm;
  const data = join(gateway.process.folder, 'data');
  const copy = mkdtempSync(join(tmpdir(), 'cardea-killed-'));
  cpSync(data, copy, { recursive: true });
  const store = await openDataDir(copy).catch((error: unknown) => {
    // A gateway that was killed in its first start may have left nothing.
    assert.equal(archive.events.size, 0, String(error));
  });
  if (store !== undefined) {
    for (const entry of await log.read(store)) note(found, entry);
    const { revision, cards } = store.roster();
    const vouched = vouchedFor(storm);
    assertIsOfHistory({ revision, cards, digest: digestOf(store.roster()) }, { history, vouched });
    await store.close();
  }
  rmSync(copy, { recursive: true });
  assert.deepEqual(log.faults, []);
  assert.equal(found.damages, 0, 'a kill is no damage');
  assert.deepEqual(
    readdirSync(data).filter((name) => name.startsWith('store.damaged')),
    [],
  );
  for (const [sequence, { hash }] of archive.events) assert.equal(log.hashOf(sequence), hash, `event ${sequence}`);
  for (const sequence of archive.receipts.keys()) assert.ok(found.receipts.has(sequence), `receipt ${sequence}`);
  for (const [card, times] of granted) {
    assert.ok((found.granted.get(card) ?? 0) >= times, `${card} was granted ${times} times, recorded less often`);
  }
};

const note = (found: Storm['found'], { event, receipt }: LogEntry): void => {
  if (event.event === 'store-damaged') found.damages += 1;
  if (event.event === 'access-granted' && event.door === 'front' && event.card !== null) {
    count(found.granted, event.card);
  }
  if (receipt !== undefined) found.receipts.add(event.sequence);
};

/** The card was live, or not, after one of the changes that the gateway may have known of. The model is not the code under test. */
const assertTapsWereJudgedRightly = ({ taps, history }: Storm): void => {
  const model = new RosterModel();
  const open = taps.toSorted((a, b) => a.from - b.from);
  const unexplained = new Set<SeenTap>();
  for (let revision = 0, next = 0; revision <= history.messages.length; revision++) {
    const message = history.messages[revision - 1];
    if (message !== undefined) model.take(modelMessageOf(message));
    for (let tap = open[next]; tap !== undefined && tap.from <= revision; tap = open[++next]) unexplained.add(tap);
    for (const tap of unexplained) {
      assert.ok(revision <= tap.to, `${tap.card} was ${tap.outcome} between ${tap.from} and ${tap.to}`);
      if (model.isLive(tap.card) === (tap.outcome === 'granted')) unexplained.delete(tap);
    }
  }
  assert.deepEqual([...unexplained], []);
};

test(`killed ${KILLS} times amid taps, changes and commands, a gateway has lost nothing that anybody was told (seed ${seed})`, async (t) => {
  const storm = await openStorm(t);
  const { gateway, archive, history, desk, log, taps, commands } = storm;
  // Once, so that the broker keeps a session for it.
  await gateway.start();
  let isOver = false;
  t.after(() => {
    isOver = true;
  });
  const streaming = stream(storm, () => isOver);
  await gateway.process.kill();
  for (let kills = 1; kills < KILLS; kills++) {
    await assertNothingIsLost(storm);
    await liveAndDie(storm);
  }
  isOver = true;
  await streaming;
  await assertNothingIsLost(storm);
  await gateway.start();
  await archive.waitForApplied(history.messages.length);
  await waitFor(() => isLastAnswered(storm), 'the answer to the last command', 60_000);
  await gateway.waitUntil(({ status }) => status.outbox.pending === 0, 'through with its outbox');
  await archive.waitForEvents(await gateway.lastEvent());
  assert.equal(await gateway.process.stop(), 0);
  await assertNothingIsLost(storm);
  archive.assertWholeLog();
  assertTapsWereJudgedRightly(storm);
  assert.deepEqual(
    [...archive.receipts.values()].filter(({ result }) => result === 'rejected'),
    [],
  );
  assert.deepEqual(desk.faults, []);
  const business = `${history.messages.length} changes, ${taps.length} taps, ${commands.length} commands`;
  t.diagnostic(`${business}, ${log.last} events, each where it was`);
});
