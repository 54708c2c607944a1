// Board job: the real reader against the board's chip and cards. Prints one line per check; its status is the result.

import { existsSync, writeFileSync } from 'node:fs';
import { BoardReader, control, pause } from './board-reader.ts';

let failed = false;
const board = new BoardReader();
const check = (what: string, isRight: boolean): void => {
  console.log(`${isRight ? 'ok   ' : 'FAIL '} ${what} [${board.summary()}]`);
  failed ||= !isRight;
};
const last = (what: string) => (reader: BoardReader) => reader.seen.at(-1) === what;
const hasSeen = (count: number) => (reader: BoardReader) => reader.seen.length >= count;
const is = (state: string) => (reader: BoardReader) => reader.conditions.at(-1)?.state === state;
const onlySaw = (...allowed: readonly string[]): boolean => board.seen.every((what) => allowed.includes(what));

await board.start();
check('online soon after start', await board.until(is('online')));
check('an empty field is none', await board.until(last('none')));

for (const uid of ['DEADBEEF', '04A2B3C4D5E680', '04112233445566778899']) {
  board.forget();
  const presented = performance.now();
  control('card', 'present', uid);
  check(`${uid} is read`, await board.until(last(uid.toLowerCase())));
  console.log(`     ${(performance.now() - presented).toFixed(0)} ms after it was presented`);
  await board.until(hasSeen(8));
  check('nothing else was seen', onlySaw('none', uid.toLowerCase()));
  board.forget();
  control('card', 'remove', 'all');
  check('its removal is seen', await board.until(last('none')));
}

board.forget();
control('card', 'present', '01020304');
control('card', 'present', '04A2B3C4D5E680');
check('two cards collide', await board.until(last('collision')));
board.forget();
await board.until(hasSeen(8));
check('and go on colliding', onlySaw('collision'));
control('card', 'remove', '01020304');
check('the one that stays is read', await board.until(last('04a2b3c4d5e680')));
control('card', 'remove', 'all');
await board.until(last('none'));

for (const level of ['00', 'ff']) {
  control('card', 'present', 'CAFEBABE');
  await board.until(last('cafebabe'));
  board.forget();
  control('reader', 'dead', level);
  check(`dead at ${level}: offline`, await board.until(is('offline')));
  board.seen = [];
  await pause(1500);
  check('and nothing is observed', board.seen.length === 0);
  control('reader', 'dead', 'none');
  check('back: online', await board.until(is('online')));
  check('and the card is read', (await board.until(last('cafebabe'))) && onlySaw('cafebabe'));
  control('card', 'remove', 'all');
  await board.until(last('none'));
}
check('the reset line was asked for', board.pulses > 0);

board.forget();
control('reader', 'brownout');
check('a brown-out is noticed and repaired', await board.until((reader) => reader.conditions.length === 2));
control('card', 'present', '04A2B3C4D5E680');
check('cards are read again', await board.until(last('04a2b3c4d5e680')));

board.forget();
control('reader', 'brownout');
check('a brown-out under a card is repaired', await board.until((reader) => reader.conditions.length === 2));
check('and is no removal', (await board.until(hasSeen(8))) && onlySaw('04a2b3c4d5e680'));

board.forget();
const driver = '/sys/bus/spi/drivers/spidev';
writeFileSync(`${driver}/unbind`, 'spi0.0');
check('an unplugged device is offline', await board.until(is('offline')));
board.seen = [];
await pause(1500);
check('and nothing is observed', board.seen.length === 0);
writeFileSync(`${driver}/bind`, 'spi0.0');
if (!existsSync('/dev/spidev0.0')) console.log('     /dev/spidev0.0 did not come back');
check('plugged in again: online', await board.until(is('online')));
check('and the card is read', (await board.until(last('04a2b3c4d5e680'))) && onlySaw('04a2b3c4d5e680'));

board.forget();
control('reader', 'noise', '200', '7');
await pause(8000);
check(
  'a bit flipped in one of 200 frames never makes a wrong UID',
  onlySaw('04a2b3c4d5e680', 'none', 'noise', 'short-read', 'collision'),
);
check('and the card is still read', board.seen.includes('04a2b3c4d5e680'));
board.forget();
control('reader', 'noise', '20', '8');
await board.until(hasSeen(60), 60_000);
check('nor one in 20', onlySaw('04a2b3c4d5e680', 'none', 'noise', 'short-read', 'collision'));
control('reader', 'noise', '0');
board.forget();
check('and all is well afterwards', await board.until(last('04a2b3c4d5e680')));
console.log(control('reader', 'stats').trim());

const stopping = performance.now();
await board.reader.stop();
check(`stopped in ${(performance.now() - stopping).toFixed(0)} ms`, performance.now() - stopping < 5000);
board.forget();
await pause(300);
check('nothing is reported afterwards', board.seen.length === 0 && board.conditions.length === 0);
process.exitCode = failed ? 1 : 0;
