// The whole gateway on the virtual board: a card in the field of an MFRC522, mosquitto beside it, a strike on a GPIO line.
// Runs in the guest (see run.sh); CARDEA_GPIO names the GPIO backend under test.

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { GatewayProcess } from '../fixtures/gateway-process.ts';
import { HrClient } from '../fixtures/hr-client.ts';
import { Mosquitto } from '../fixtures/mosquitto.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const DRIVER = process.env['CARDEA_GPIO'] ?? 'gpiochip';
const [STRIKE, CONTACT, EXIT] = ['17', '27', '22'];
const RELEASE_SECONDS = 2;
/** The emulated machine is about ten times slower than the one it runs on. */
const PATIENCE = 60_000;

const OLD_CARD = 'DEADBEEF';
const NEW_CARD = '04A2B3C4D5E680';
const LONG_CARD = '0102030405060708090A';

const configuration = (port: number, folder: string): string => `
site: hq
gateway: board-1
dataDir: ${folder}/data
mqtt: { url: 'mqtt://127.0.0.1:${port}' }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: ${DRIVER} }
doors:
  front:
    strike: { line: ${STRIKE}, releaseSeconds: ${RELEASE_SECONDS} }
    contact: { line: ${CONTACT} }
    exitButton: { line: ${EXIT} }
readers:
  front-in: { door: front, driver: mfrc522, resetLine: 25 }
admin: { socket: ${folder}/cardea.sock }
log: { level: info }
`;

const board = (...args: string[]): string => execFileSync('board-ctl', args, { encoding: 'utf8' }).trim();
/** sysfs knows no pulls: there a resistor has to do what the character device asks the chip for. */
const release = (line: string): void => {
  if (DRIVER === 'rpi-gpio') board('line', 'pull', line, '1');
  else board('line', 'float', line);
};
const level = (): string => board('line', 'get', STRIKE);

interface Event {
  readonly event: string;
  readonly sequence: number;
  readonly card: string | null;
  readonly reason: string | null;
}

let broker: Mosquitto;
let hr: HrClient;
let gateway: GatewayProcess;
let revision = 0;
let edges = '';
let watch: ChildProcess | undefined;

const events = (): Event[] => hr.json('/event') as Event[];

/** Waits for an event that comes after `since` events and fits. */
const nextEvent = async (since: number, name: string, fits: (event: Event) => boolean = () => true): Promise<Event> => {
  const find = (): Event | undefined =>
    events()
      .slice(since)
      .find((event) => event.event === name && fits(event));
  await waitFor(() => find() !== undefined, `${name}, after ${JSON.stringify(events().slice(since))}`, PATIENCE).catch(
    (error) => {
      throw new Error(
        `${error.message}; seen: ${JSON.stringify(events().slice(since))}; log: ${gateway.output.slice(-2000)}`,
      );
    },
  );
  const found = find();
  assert.ok(found);
  return found;
};

const bind = async (card: string, cardholder: string, supersedes: 'all' | 'none' = 'all') => {
  revision += 1;
  const messageId = `bind-${revision}`;
  await hr.publish('cardea/hq/hr/card-bound', {
    type: 'card-bound',
    site: 'hq',
    messageId,
    revision,
    issuedAt: '2026-11-22T09:00:00+08:00',
    operator: 'board-test',
    card,
    cardholder: { id: cardholder },
    access: [{ doors: ['front'] }],
    supersedes,
  });
  const message = await hr.waitFor(
    ({ topic, payload }) => topic.endsWith('/receipt') && payload.includes(`"${messageId}"`),
    `receipt of ${messageId}`,
    PATIENCE,
  );
  return JSON.parse(message.payload.toString());
};

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
  const since = events().length;
  const risen = edges.split('rising').length;
  present(card);
  await nextEvent(since, 'access-granted', (event) => event.card === card);
  await waitFor(() => edges.split('rising').length > risen, 'the strike line to rise', PATIENCE);
  await clear();
};

const isDenied = async (card: string, reason: string): Promise<void> => {
  const since = events().length;
  const risen = edges.split('rising').length;
  present(card);
  const event = await nextEvent(since, 'access-denied');
  assert.equal(event.reason, reason);
  await clear();
  assert.equal(edges.split('rising').length, risen, 'the strike line stayed low');
};

before(async () => {
  board('line', 'pull', CONTACT, '0');
  release(EXIT);
  const folder = mkdtempSync(join(tmpdir(), 'cardea-board-'));
  broker = await Mosquitto.start();
  hr = await HrClient.connect({ port: broker.port });
  gateway = new GatewayProcess(folder, configuration(broker.port, folder));
  await gateway.start();
  watch = spawn('board-ctl', ['line', 'watch', STRIKE], { stdio: ['ignore', 'pipe', 'inherit'] });
  watch.stdout?.on('data', (text: Buffer) => {
    edges += text.toString();
  });
  await waitFor(
    () => hr.json('/status').some((status) => JSON.stringify(status).includes('"online":true')),
    'birth',
    PATIENCE,
  );
});

after(async () => {
  watch?.kill();
  await gateway?.stop();
  await hr?.close();
  await broker?.close();
});

test('an unknown card is denied and the strike line stays low', async () => {
  assert.equal(level(), '0');
  await isDenied(OLD_CARD, 'unknown-card');
});

test('after card-bound the same card opens: line high, then low again after releaseSeconds', async () => {
  const receipt = await bind(OLD_CARD, 'E1001');
  assert.equal(receipt.result, 'applied');
  assert.deepEqual(receipt.doors, ['front']);
  await opens(OLD_CARD);
  const [rising, falling] = ['rising', 'falling'].map((edge) =>
    Number(
      edges
        .split('\n')
        .filter((line) => line.endsWith(edge))
        .at(-1)
        ?.split(' ')[0],
    ),
  );
  const held = Number(falling) - Number(rising);
  // The watcher of the line is late by as much as the emulated machine is busy.
  assert.ok(Math.abs(held - RELEASE_SECONDS) < 1, `the strike was unlocked for ${held} s`);
});

test('after a replacement the old card is denied as replaced and the new one opens', async () => {
  const receipt = await bind(NEW_CARD, 'E1001');
  assert.equal(receipt.result, 'applied');
  assert.deepEqual(receipt.superseded, [OLD_CARD]);
  await isDenied(OLD_CARD, 'replaced');
  await opens(NEW_CARD);
});

test('a 10-byte card opens once it is bound, and its first bytes alone do not', async () => {
  await bind(LONG_CARD, 'E1002');
  await opens(LONG_CARD);
  await isDenied(LONG_CARD.slice(0, 14), 'unknown-card');
});

test('two cards at once are denied as ambiguous, even when both are bound', async () => {
  const since = events().length;
  const risen = edges.split('rising').length;
  // Both into the field between two looks of the reader.
  board('reader', 'dead', '00');
  present(NEW_CARD);
  present(LONG_CARD);
  board('reader', 'dead', 'none');
  const event = await nextEvent(since, 'access-denied');
  assert.equal(event.reason, 'ambiguous-read');
  await clear();
  assert.equal(edges.split('rising').length, risen, 'the strike line stayed low');
});

for (const stuck of ['00', 'ff']) {
  test(`a reader whose bus is stuck at ${stuck} goes offline and comes back by itself`, async () => {
    const since = events().length;
    board('reader', 'dead', stuck);
    await nextEvent(since, 'reader-offline');
    await waitFor(
      () => JSON.stringify(hr.json('/status').at(-1)).includes('reader front-in: offline'),
      'the alarm in status',
      PATIENCE,
    );
    board('reader', 'dead', 'none');
    await nextEvent(since, 'reader-online');
    await opens(NEW_CARD);
  });
}

test('a reader that lost its registers in a brown-out reads again', async () => {
  board('reader', 'brownout');
  await opens(NEW_CARD);
});

test('a contact that opens without a release is a forced door, and closing clears it', async () => {
  const since = events().length;
  release(CONTACT);
  await nextEvent(since, 'door-forced-open');
  board('line', 'pull', CONTACT, '0');
  await nextEvent(since, 'door-forced-open-cleared');
  await nextEvent(since, 'door-closed');
});

test('the exit button releases the strike', async () => {
  const since = events().length;
  const risen = edges.split('rising').length;
  board('line', 'pull', EXIT, '0');
  await nextEvent(since, 'exit-requested');
  release(EXIT);
  await waitFor(() => edges.split('rising').length > risen, 'the strike line to rise', PATIENCE);
  await clear();
});

test('kill -9 with the strike unlocked, then safe-state: the line is inactive', async () => {
  const since = events().length;
  present(NEW_CARD);
  await nextEvent(since, 'access-granted');
  await gateway.kill();
  const output = execFileSync('systemd/safe-state', [join(gateway.runtimeFolder, 'safe-state')], { encoding: 'utf8' });
  assert.equal(level(), '0', output);
  board('card', 'remove', 'all');
});

test('after the crash the gateway starts with what it knew, and its event numbers have no hole', async () => {
  await gateway.start();
  await opens(NEW_CARD);
  await isDenied(OLD_CARD, 'replaced');
  const numbers = [...new Set(events().map(({ sequence }) => sequence))].sort((a, b) => a - b);
  assert.deepEqual(
    numbers,
    numbers.map((_, index) => index + 1),
  );
});

test('an orderly stop locks the strike and says farewell', async () => {
  const since = events().length;
  present(NEW_CARD);
  await nextEvent(since, 'access-granted');
  assert.equal(await gateway.stop(), 0);
  assert.equal(level(), '0');
  await waitFor(() => JSON.stringify(hr.json('/status').at(-1)).includes('"online":false'), 'the farewell', PATIENCE);
});
