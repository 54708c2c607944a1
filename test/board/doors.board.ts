// Two doors and two readers on the virtual board: in and out reader of one door, a reader for each of two doors, one of them dead;
// LEDs and buzzer, tamper, exit button with shunt, and short pulses on every input while HR changes cards. Runs in the guest with
// two readers (see run.sh).

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { waitFor } from '../fixtures/wait-for.ts';
import { BoardSite, board, configurationHead, LineWatch, PATIENCE, release, releaseArguments } from './board-site.ts';

const FRONT = { strike: '17', contact: '27', exit: '22', tamper: '23' };
const LAB = { strike: '24', contact: '5', exit: '6' };
const [GREEN, RED, BUZZER] = ['12', '13', '16'];
const CARD = '04A2B3C4D5E680';
const OTHER_CARD = 'DEADBEEF';
const LOST_CARD = '0102030405060708090A';
const STRANGE_CARD = 'CAFEBABE';
/** On each input. */
const PULSES = 6;
const PULSE_SECONDS = 0.4;
/** Milliseconds from one HR change to the next: more than a building of ten thousand makes. */
const CHANGE_EVERY = 50;

/** What the second reader is for. */
const configuration = (second: string) => (port: number, folder: string) =>
  `${configurationHead(port, folder)}
doors:
  front:
    strike: { line: ${FRONT.strike}, releaseSeconds: 3 }
    contact: { line: ${FRONT.contact} }
    exitButton: { line: ${FRONT.exit} }
    tamper: { line: ${FRONT.tamper} }
    heldOpenSeconds: 30
    heldOpenWarningSeconds: 25
  lab:
    strike: { line: ${LAB.strike}, releaseSeconds: 3 }
    contact: { line: ${LAB.contact} }
    exitButton: { line: ${LAB.exit}, action: shunt }
readers:
  front-in:
    door: front
    feedback: { greenLed: { line: ${GREEN} }, redLed: { line: ${RED} }, buzzer: { line: ${BUZZER} } }
  ${second}
`;
const IN_AND_OUT = configuration('front-out: { door: front, direction: out, spi: /dev/spidev0.1 }');
const TWO_DOORS = configuration('lab-in: { door: lab, spi: /dev/spidev0.1 }');

let site: BoardSite;
let watch: LineWatch;

const present = (reader: '0' | '1', card: string): void => void board('-r', reader, 'card', 'present', card);

/** Takes the cards away, and waits until the strikes are locked and the readers have seen an empty field twice. */
const clear = async (): Promise<void> => {
  for (const reader of ['0', '1']) board('-r', reader, 'card', 'remove', 'all');
  const areLocked = (): boolean => [FRONT, LAB].every(({ strike }) => board('line', 'get', strike) === '0');
  await waitFor(areLocked, 'the strikes to lock', PATIENCE);
  await pause(700);
};

const signalsAreOff = (): boolean => [GREEN, RED, BUZZER].every((line) => board('line', 'get', String(line)) === '0');

const rises = (): readonly number[] => [GREEN, RED, BUZZER].map((line) => watch.rises(String(line)));

/** Resolves with how often each signal came on while `act` and what followed from it went on. */
const signalsDuring = async (act: () => Promise<unknown>): Promise<readonly number[]> => {
  const earlier = rises();
  await act();
  await pause(200);
  await waitFor(signalsAreOff, 'the signals to end', PATIENCE);
  // The pauses inside a pattern are shorter than this.
  await pause(700);
  await waitFor(signalsAreOff, 'the signals to end', PATIENCE);
  return rises().map((count, index) => count - Number(earlier[index]));
};

const isDenied = (card: string, reason: string) => async () => {
  const since = site.events().length;
  present('0', card);
  assert.equal((await site.nextEvent(since, 'access-denied')).reason, reason);
  await clear();
};

before(async () => {
  for (const { contact } of [FRONT, LAB]) board('line', 'pull', contact, '0');
  for (const line of [FRONT.exit, FRONT.tamper, LAB.exit]) release(line);
  site = await BoardSite.start(IN_AND_OUT);
  watch = await LineWatch.start([FRONT.strike, LAB.strike, GREEN, RED, BUZZER].map(String));
  for (const [card, holder] of [
    [CARD, 'E1001'],
    [OTHER_CARD, 'E1002'],
    [LOST_CARD, 'E1003'],
  ] as const) {
    await site.bind(card, holder, { doors: ['*'] });
  }
  await site.revoke(LOST_CARD, 'lost');
});

after(async () => {
  watch?.stop();
  await site?.close();
});

test('the in and the out reader of a door both open it, and the events tell them apart', async () => {
  for (const [reader, name, direction] of [
    ['0', 'front-in', 'in'],
    ['1', 'front-out', 'out'],
  ] as const) {
    const since = site.events().length;
    present(reader, CARD);
    const event = await site.nextEvent(since, 'access-granted');
    assert.deepEqual([event.reader, event.direction, event.door], [name, direction, 'front']);
    await clear();
  }
});

test('LEDs and buzzer: green and one short beep for a granted card', async () => {
  assert.deepEqual(await signalsDuring(() => Promise.resolve(present('0', CARD))), [1, 0, 1]);
  await clear();
});

test('LEDs and buzzer: red and one long beep for an unknown card, three for a lost one', async () => {
  assert.deepEqual(await signalsDuring(isDenied(STRANGE_CARD, 'unknown-card')), [0, 1, 1]);
  assert.deepEqual(await signalsDuring(isDenied(LOST_CARD, 'lost')), [0, 3, 3]);
});

test('the reader warns while the door stands open for too long, and is silent once it is closed', async () => {
  const since = site.events().length;
  present('0', CARD);
  await site.nextEvent(since, 'access-granted');
  release(FRONT.contact);
  await site.nextEvent(since, 'door-held-open-warning');
  const beeps = watch.rises(BUZZER);
  await waitFor(() => watch.rises(BUZZER) >= beeps + 4, 'the buzzer to go on', PATIENCE);
  board('line', 'pull', FRONT.contact, '0');
  await site.nextEvent(since, 'door-closed');
  await waitFor(signalsAreOff, 'the warning to end', PATIENCE);
  const ended = watch.rises(BUZZER);
  await pause(1000);
  assert.equal(watch.rises(BUZZER), ended);
  await clear();
});

test('tampering is told, an alarm in status until it is over', async () => {
  const since = site.events().length;
  board('line', 'pull', FRONT.tamper, '0');
  const event = await site.nextEvent(since, 'tamper');
  assert.deepEqual([event.door, event.detail], ['front', { active: true }]);
  await waitFor(() => site.status().includes('door front: tamper'), 'the alarm', PATIENCE);
  release(FRONT.tamper);
  await site.nextEvent(since, 'tamper', ({ detail }) => JSON.stringify(detail) === '{"active":false}');
  await waitFor(() => !site.status().includes('door front: tamper'), 'the end of the alarm', PATIENCE);
});

test('an exit button that shunts makes the opening lawful and leaves the strike alone', async () => {
  const since = site.events().length;
  const risen = watch.rises(LAB.strike);
  board('line', 'pull', LAB.exit, '0');
  await site.nextEvent(since, 'exit-requested', ({ door }) => door === 'lab');
  release(LAB.contact);
  await site.nextEvent(since, 'door-opened', ({ door }) => door === 'lab');
  release(LAB.exit);
  board('line', 'pull', LAB.contact, '0');
  await site.nextEvent(since, 'door-closed', ({ door }) => door === 'lab');
  assert.equal(watch.rises(LAB.strike), risen);
  assert.ok(
    !site
      .events()
      .slice(since)
      .some(({ event }) => event === 'door-forced-open'),
  );
});

/** Each input away and back, from another process, so that this one goes on sending changes. */
const pulses = async (): Promise<void> => {
  const away = [['line', 'pull', FRONT.exit, '0'], ['line', 'pull', FRONT.tamper, '0'], releaseArguments(LAB.contact)];
  const back = [releaseArguments(FRONT.exit), releaseArguments(FRONT.tamper), ['line', 'pull', LAB.contact, '0']];
  const commands = (all: readonly (readonly string[])[]): string =>
    all.map((words) => `board-ctl ${words.join(' ')}`).join('; ');
  const script = `for _ in $(seq ${PULSES}); do ${commands(away)}; sleep ${PULSE_SECONDS}; ${commands(back)}; sleep ${PULSE_SECONDS}; done`;
  await promisify(execFile)('bash', ['-c', script]);
};

test('every pulse of 400 ms on contact, exit button and tamper is seen while HR changes cards twenty times a second', async (t) => {
  const since = site.events().length;
  let isPulsing = true;
  let changes = 0;
  const load = async (): Promise<void> => {
    for (; isPulsing; changes += 1) {
      const card = changes.toString(16).padStart(8, '0').replace(/^08/, '18').toUpperCase();
      await site.publishBinding(card, `L${changes % 50}`, { supersedes: 'none' });
      await pause(CHANGE_EVERY);
    }
  };
  const loading = load();
  await pulses();
  isPulsing = false;
  await loading;
  const seen = { exit: 0, forced: 0, cleared: 0, tampered: 0, calm: 0 };
  let counted = since;
  const count = (): typeof seen => {
    for (const { event, door, detail } of site.events().slice(counted)) {
      counted += 1;
      if (event === 'exit-requested' && door === 'front') seen.exit += 1;
      if (event === 'door-forced-open' && door === 'lab') seen.forced += 1;
      if (event === 'door-forced-open-cleared' && door === 'lab') seen.cleared += 1;
      if (event === 'tamper') seen[JSON.stringify(detail) === '{"active":true}' ? 'tampered' : 'calm'] += 1;
    }
    return seen;
  };
  const every = { exit: PULSES, forced: PULSES, cleared: PULSES, tampered: PULSES, calm: PULSES };
  await waitFor(() => JSON.stringify(count()) === JSON.stringify(every), 'every pulse', PATIENCE).catch(() => {});
  t.diagnostic(`${changes} changes beside ${PULSES} pulses on each of three inputs`);
  assert.deepEqual(count(), every, site.gateway.output.slice(-2000));
  await clear();
});

test('two readers release their two doors at once', async () => {
  await site.restart(TWO_DOORS);
  const since = site.events().length;
  present('0', CARD);
  present('1', OTHER_CARD);
  await site.nextEvent(since, 'access-granted', ({ door, card }) => door === 'front' && card === CARD);
  await site.nextEvent(since, 'access-granted', ({ door, card }) => door === 'lab' && card === OTHER_CARD);
  await clear();
  const [front, lab] = [FRONT, LAB].map(({ strike }) => watch.edges(strike).slice(-2));
  for (const edges of [front, lab])
    assert.deepEqual(
      edges?.map(({ isRising }) => isRising),
      [true, false],
    );
  const overlap =
    Math.min(Number(front?.[1]?.at), Number(lab?.[1]?.at)) - Math.max(Number(front?.[0]?.at), Number(lab?.[0]?.at));
  assert.ok(overlap > 0, `both were unlocked for ${overlap} s together`);
});

test('a reader that is dead keeps the other from nothing', async () => {
  const since = site.events().length;
  board('-r', '0', 'reader', 'dead', '00');
  await site.nextEvent(since, 'reader-offline', ({ reader }) => reader === 'front-in');
  for (let tap = 0; tap < 3; tap++) {
    const before = site.events().length;
    present('1', OTHER_CARD);
    await site.nextEvent(before, 'access-granted', ({ reader }) => reader === 'lab-in');
    await clear();
  }
  assert.ok(
    !site
      .events()
      .slice(since)
      .some(({ event, reader }) => event === 'reader-offline' && reader === 'lab-in'),
  );
  board('-r', '0', 'reader', 'dead', 'none');
  await site.nextEvent(since, 'reader-online', ({ reader }) => reader === 'front-in');
});
