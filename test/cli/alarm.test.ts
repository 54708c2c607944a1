import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { CardeaError } from '../../src/errors.ts';
import { CARD } from '../admin/admin-bench.ts';
import { OPERATOR, startBench } from './cli-bench.ts';

describe('a lost card at the door', () => {
  it('is in cardea status and its exit code until it is cleared, and who cleared it is in the log of events', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    await bench.revoke();
    assert.equal((await cardea('tap', 'front-in', CARD)).code, EXIT.no);
    const alarmed = await cardea('status');
    assert.equal(alarmed.code, EXIT.no);
    assert.match(alarmed.output, /^! card 04\*{10}80 \(lost\) was held to front-in at 2026-01-05T08:00:00.000Z$/m);
    const cleared = await cardea('alarm', 'clear');
    assert.deepEqual([cleared.code, cleared.output], [EXIT.ok, '1 alarm cleared\n']);
    assert.equal((await cardea('status')).code, EXIT.ok);
    const { output } = await cardea('events', '--limit', '2');
    const [tap, clearing] = output.split('\n');
    assert.match(tap ?? '', /access-denied .* lost {2}alarm=true retiredBy=\{"messageId":"message-2","revision":2,/);
    assert.match(clearing ?? '', new RegExp(`operator-action .* action=clear-alarms operator=${OPERATOR} cleared=1$`));
  });

  it('says so where there is nothing to clear, in words and as JSON', async (t) => {
    const { cardea } = await startBench(t);
    assert.equal((await cardea('alarm', 'clear')).output, 'there was no alarm of a card to clear\n');
    assert.deepEqual(JSON.parse((await cardea('alarm', 'clear', '--json')).output), { cleared: 0 });
  });

  it('stays an alarm while it cannot be recorded that somebody has seen it', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    await bench.revoke();
    await cardea('tap', 'front-in', CARD);
    await bench.writer.idle();
    bench.store.commitFailure = new CardeaError('store-write-failed', 'disk full');
    assert.equal((await cardea('alarm', 'clear')).code, EXIT.no);
    assert.equal(bench.cardAlarms.standing().length, 1);
  });
});
