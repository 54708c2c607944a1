// The whole gateway on the virtual board: a card in the field of an MFRC522, mosquitto beside it, a strike on a GPIO line.
// Runs in the guest (see run.sh).

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { waitFor } from '../fixtures/wait-for.ts';
import { BoardSite, board, configurationHead, LineWatch, PATIENCE, release } from './board-site.ts';

const [STRIKE, CONTACT, EXIT] = ['17', '27', '22'];
const RELEASE_SECONDS = 2;

const OLD_CARD = 'DEADBEEF';
const NEW_CARD = '04A2B3C4D5E680';
const LONG_CARD = '0102030405060708090A';

const configuration = (port: number, folder: string): string => `${configurationHead(port, folder)}
doors:
  front:
    strike: { line: ${STRIKE}, releaseSeconds: ${RELEASE_SECONDS} }
    contact: { line: ${CONTACT} }
    exitButton: { line: ${EXIT} }
readers:
  front-in: { door: front, driver: mfrc522, resetLine: 25 }
`;

const level = (): string => board('line', 'get', STRIKE);

let site: BoardSite;
let watch: LineWatch;

const present = (card: string): void => void board('card', 'present', card);
afterEach(() => void board('card', 'remove', 'all'));

const clear = async (): Promise<void> => {
  board('card', 'remove', 'all');
  await waitFor(() => level() === '0', 'the strike to lock', PATIENCE);
  // Long enough for the reader to see an empty field twice.
  await pause(700);
};

/** Presents `card` and resolves when it was granted, with the strike line seen high. */
const opens = async (card: string): Promise<void> => {
  const since = site.events().length;
  const risen = watch.rises(STRIKE);
  present(card);
  await site.nextEvent(since, 'access-granted', (event) => event.card === card);
  await waitFor(() => watch.rises(STRIKE) > risen, 'the strike line to rise', PATIENCE);
  await clear();
};

const isDenied = async (card: string, reason: string): Promise<void> => {
  const since = site.events().length;
  const risen = watch.rises(STRIKE);
  present(card);
  const event = await site.nextEvent(since, 'access-denied');
  assert.equal(event.reason, reason);
  await clear();
  assert.equal(watch.rises(STRIKE), risen, 'the strike line stayed low');
};

before(async () => {
  board('line', 'pull', CONTACT, '0');
  release(EXIT);
  site = await BoardSite.start(configuration);
  watch = await LineWatch.start([STRIKE]);
});

after(async () => {
  watch?.stop();
  await site?.close();
});

test('an unknown card is denied and the strike line stays low', async () => {
  assert.equal(level(), '0');
  await isDenied(OLD_CARD, 'unknown-card');
});

test('after card-bound the same card opens: line high, then low again after releaseSeconds', async () => {
  const receipt = await site.bind(OLD_CARD, 'E1001');
  assert.equal(receipt.result, 'applied');
  assert.deepEqual(receipt.doors, ['front']);
  await opens(OLD_CARD);
  const [rising, falling] = watch.edges(STRIKE).slice(-2);
  assert.deepEqual([rising?.isRising, falling?.isRising], [true, false]);
  const held = Number(falling?.at) - Number(rising?.at);
  // The watcher of the line is late by as much as the emulated machine is busy.
  assert.ok(Math.abs(held - RELEASE_SECONDS) < 1, `the strike was unlocked for ${held} s`);
});

test('after a replacement the old card is denied as replaced and the new one opens', async () => {
  const receipt = await site.bind(NEW_CARD, 'E1001');
  assert.equal(receipt.result, 'applied');
  assert.deepEqual(receipt.superseded, [OLD_CARD]);
  await isDenied(OLD_CARD, 'replaced');
  await opens(NEW_CARD);
});

test('a 10-byte card opens once it is bound, and its first bytes alone do not', async () => {
  await site.bind(LONG_CARD, 'E1002');
  await opens(LONG_CARD);
  await isDenied(LONG_CARD.slice(0, 14), 'unknown-card');
});

test('two cards at once are denied as ambiguous, even when both are bound', async () => {
  const since = site.events().length;
  const risen = watch.rises(STRIKE);
  // Both into the field between two looks of the reader.
  board('reader', 'dead', '00');
  present(NEW_CARD);
  present(LONG_CARD);
  board('reader', 'dead', 'none');
  const event = await site.nextEvent(since, 'access-denied');
  assert.equal(event.reason, 'ambiguous-read');
  await clear();
  assert.equal(watch.rises(STRIKE), risen, 'the strike line stayed low');
});

for (const stuck of ['00', 'ff']) {
  test(`a reader whose bus is stuck at ${stuck} goes offline and comes back by itself`, async () => {
    const since = site.events().length;
    board('reader', 'dead', stuck);
    await site.nextEvent(since, 'reader-offline');
    await waitFor(() => site.status().includes('reader front-in: offline'), 'the alarm in status', PATIENCE);
    board('reader', 'dead', 'none');
    await site.nextEvent(since, 'reader-online');
    await opens(NEW_CARD);
  });
}

test('a reader that lost its registers in a brown-out reads again', async () => {
  board('reader', 'brownout');
  await opens(NEW_CARD);
});

test('a contact that opens without a release is a forced door, and closing clears it', async () => {
  const since = site.events().length;
  release(CONTACT);
  await site.nextEvent(since, 'door-forced-open');
  board('line', 'pull', CONTACT, '0');
  await site.nextEvent(since, 'door-forced-open-cleared');
  await site.nextEvent(since, 'door-closed');
});

test('the exit button releases the strike', async () => {
  const since = site.events().length;
  const risen = watch.rises(STRIKE);
  board('line', 'pull', EXIT, '0');
  await site.nextEvent(since, 'exit-requested');
  release(EXIT);
  await waitFor(() => watch.rises(STRIKE) > risen, 'the strike line to rise', PATIENCE);
  await clear();
});

test('kill -9 with the strike unlocked, then safe-state: the line is inactive', async () => {
  const since = site.events().length;
  present(NEW_CARD);
  await site.nextEvent(since, 'access-granted');
  await site.gateway.kill();
  const output = execFileSync('systemd/safe-state', [join(site.gateway.runtimeFolder, 'safe-state')], {
    encoding: 'utf8',
  });
  assert.equal(level(), '0', output);
  board('card', 'remove', 'all');
});

test('after the crash the gateway starts with what it knew, and its event numbers have no hole', async () => {
  await site.gateway.start();
  await opens(NEW_CARD);
  await isDenied(OLD_CARD, 'replaced');
  const numbers = [...new Set(site.events().map(({ sequence }) => sequence))].sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

test('an orderly stop locks the strike and says farewell', async () => {
  const since = site.events().length;
  present(NEW_CARD);
  await site.nextEvent(since, 'access-granted');
  assert.equal(await site.gateway.stop(), 0);
  assert.equal(level(), '0');
  await waitFor(() => site.status().includes('"online":false'), 'the farewell', PATIENCE);
});
