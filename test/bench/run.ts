// `npm run bench`: every figure with its baseline from the same run. Nothing here fails for being slow.

import { measureChanges } from './change.ts';
import { measureColdStart } from './cold-start.ts';
import { measureDecisions } from './decision.ts';
import { measureDesk } from './desk.ts';
import { describeMachine, printRows, printTable } from './figures.ts';
import { measureFullRoster } from './full-roster.ts';
import { measureOutbox } from './outbox.ts';
import { measureReaderTransfers } from './reader-transfers.ts';
import { measureRevocations } from './revocation.ts';
import { measureStream } from './stream.ts';
import { measureTaps } from './tap.ts';
import { measureVerification } from './verify-log.ts';
import { measureWear, TAPS_A_DAY } from './wear.ts';

console.log(describeMachine());
printTable('decisions', [...(await measureDecisions([1_000, 100_000, 1_000_000])), await measureTaps()]);
printTable('changes', [await measureChanges(), ...(await measureStream(0)), ...(await measureStream(10))]);
printTable('reconciliation', [...(await measureFullRoster(100_000)), ...(await measureFullRoster(1_000_000))]);
printTable('revocation', [...(await measureRevocations(1)), ...(await measureRevocations(50))]);
printTable('desk', await measureDesk());
printTable('audit', await measureVerification(1_000_000));
printTable('outbox', await measureOutbox(100_000));
printTable('start', await measureColdStart());
printRows(['wear', 'written for each', `in a year of ${TAPS_A_DAY} a day`], await measureWear());

// Counted on a chip model at 1 MHz with 20 us for each system call; `npm run bench:board` measures the same on a real spidev.
printRows(
  ['reader', 'driver', 'system calls', 'transfers', 'modelled time', 'UID'],
  measureReaderTransfers().map(({ what, driver, messages, frames, milliseconds, isRight }) => [
    what,
    driver,
    String(messages),
    String(frames),
    `${milliseconds.toFixed(2)} ms`,
    isRight ? 'right' : 'WRONG',
  ]),
);
