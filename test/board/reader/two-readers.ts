// Board job, to be run with --readers 2: two readers in one process, each with a worker of its own, do not disturb each other.

import { BoardReader, control, pause } from './board-reader.ts';

let failed = false;
const [one, other] = [new BoardReader('/dev/spidev0.0'), new BoardReader('/dev/spidev0.1')] as const;
const check = (what: string, isRight: boolean): void => {
  console.log(`${isRight ? 'ok   ' : 'FAIL '} ${what} [${one.summary()} | ${other.summary()}]`);
  failed ||= !isRight;
};
const last = (what: string) => (reader: BoardReader) => reader.seen.at(-1) === what;

await Promise.all([one.start(), other.start()]);
check('both see an empty field', (await one.until(last('none'))) && (await other.until(last('none'))));
control('card', 'present', '04A2B3C4D5E680');
control('-r', '1', 'card', 'present', 'DEADBEEF');
check('each reads its card', (await one.until(last('04a2b3c4d5e680'))) && (await other.until(last('deadbeef'))));
check('and not the other', !one.seen.includes('deadbeef') && !other.seen.includes('04a2b3c4d5e680'));
control('reader', 'dead', '00');
check('one dies', await one.until((reader) => reader.conditions.at(-1)?.state === 'offline'));
other.forget();
await pause(1000);
check('the other goes on', await other.until((reader) => reader.seen.length > 5 && last('deadbeef')(reader)));
await Promise.all([one.reader.stop(), other.reader.stop()]);
process.exitCode = failed ? 1 : 0;
