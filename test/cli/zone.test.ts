import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { CARD, FRONT } from '../admin/admin-bench.ts';
import { cardholderId } from '../domain/samples.ts';
import { OPERATOR, startBench } from './cli-bench.ts';

const ADA = cardholderId('E1001');
const entering = { door: FRONT, direction: 'in', cardholder: ADA } as const;

describe('cardea zone', () => {
  it('lists who is inside, with the name as HR wrote it, and since when', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    bench.passages.record(entering);
    bench.clock.setSynchronized(false);
    bench.passages.record({ ...entering, cardholder: cardholderId('V-77') });
    const { code, output } = await cardea('zone');
    assert.equal(code, EXIT.ok);
    assert.match(output, /^building: 2 inside, anti-passback hard$/m);
    assert.match(output, /^ {2}E1001 +Ada Lovelace +2026-01-05T08:00:00\.000Z$/m);
    assert.match(output, /^ {2}V-77 +- +2026-01-05T08:00:00\.000Z \(the clock was not set\)$/m);
  });

  it('takes the zone to look at, and knows which there are', async (t) => {
    const { cardea } = await startBench(t);
    assert.equal((await cardea('zone', 'building')).output, 'building: 0 inside, anti-passback hard\n');
    const { code, errors } = await cardea('zone', 'attic');
    assert.equal(code, EXIT.no);
    assert.match(errors, /the zones are building/);
  });

  it('prints JSON with --json', async (t) => {
    const { bench, cardea } = await startBench(t);
    bench.passages.record(entering);
    const { output } = await cardea('zone', '--json');
    assert.equal(JSON.parse(output).zones[0].inside[0].cardholder, 'E1001');
  });

  it('goes on where the record of a person cannot be read', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    bench.store.garbleCardholder(ADA);
    bench.passages.record(entering);
    assert.match((await cardea('zone')).output, /^ {2}E1001 +- /m);
  });

  it('status counts them', async (t) => {
    const { bench, cardea } = await startBench(t);
    bench.passages.record(entering);
    assert.match((await cardea('status')).output, /^building +1 +hard$/m);
  });
});

describe('cardea passback reset', () => {
  it('lets the person go both ways again, and records who said so', async (t) => {
    const { bench, cardea } = await startBench(t);
    bench.passages.record(entering);
    const { code, output } = await cardea('passback', 'reset', 'E1001');
    assert.equal(code, EXIT.ok);
    assert.equal(output, 'E1001: forgotten in building\n');
    assert.equal(bench.passages.judge(entering), 'clear');
    const event = bench.store.entries.at(-1)?.event;
    assert.equal(event?.event, 'operator-action');
    assert.equal(event?.cardholder, 'E1001');
    assert.deepEqual(event?.detail, {
      action: 'reset-passback',
      cardholder: 'E1001',
      operator: OPERATOR,
      zones: ['building'],
    });
  });

  it('says where nothing was known', async (t) => {
    const { cardea } = await startBench(t);
    assert.equal((await cardea('passback', 'reset', 'E1001')).output, 'E1001: nothing was known here\n');
  });

  it('fails while the store does, and then nothing is forgotten', async (t) => {
    const { bench, cardea } = await startBench(t);
    bench.passages.record(entering);
    await bench.writer.idle();
    bench.store.refuseButKeepNextCommit();
    assert.equal((await cardea('passback', 'reset', 'E1001')).code, EXIT.no);
    assert.equal(bench.passages.judge(entering), 'denied');
  });
});

describe('cardea explain', () => {
  it('says where to look when somebody counts as inside', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    bench.passages.record(entering);
    const { output } = await cardea('explain', '--card', CARD, '--door', 'front');
    assert.match(output, /^decision +denied: passback\n/);
    assert.match(output, /^passback +cardea zone lists who is inside; cardea passback reset /m);
  });

  it('has --out for leaving', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    const { output } = await cardea('explain', '--card', CARD, '--door', 'front', '--out');
    assert.match(output, /^decision +granted$/m);
  });
});
