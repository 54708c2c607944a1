// `npm run bench`: every figure with its baseline from the same run. Nothing here fails for being slow.

import { measureChanges } from './change.ts';
import { measureColdStart } from './cold-start.ts';
import { measureDecisions } from './decision.ts';
import { describeMachine, printTable } from './figures.ts';
import { measureTaps } from './tap.ts';

console.log(describeMachine());
printTable('decisions', [...(await measureDecisions([1_000, 100_000, 1_000_000])), await measureTaps()]);
printTable('changes', [await measureChanges()]);
printTable('start', await measureColdStart());
