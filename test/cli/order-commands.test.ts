import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { parseDuration } from '../../src/cli/order-options.ts';
import { FRONT, LAB } from '../admin/admin-bench.ts';
import { OPERATOR, startBench } from './cli-bench.ts';

describe('cardea door with an end', () => {
  it('--for ends the order by itself, and status shows who, why and until when', async (t) => {
    const { bench, cardea } = await startBench(t);
    bench.keeper.start();
    const { code } = await cardea('door', 'front', 'block', '--for', '30m', '--reason', 'painting');
    assert.equal(code, EXIT.ok);
    const { output } = await cardea('status');
    const line = `^front +blocked +closed +locked +by ${OPERATOR}, until 2026-01-05T08:30:00.000Z, painting$`;
    assert.match(output, new RegExp(line, 'm'));
    bench.clock.advance(30 * 60_000);
    assert.equal(bench.doors.get(FRONT)?.mode, 'normal');
  });

  it('--until names the moment', async (t) => {
    const { bench, cardea } = await startBench(t);
    await cardea('door', 'lab', 'hold-open', '--until', '2026-01-05T10:00:00+01:00');
    assert.equal(bench.keeper.orders(LAB).mode?.until, Date.parse('2026-01-05T09:00:00Z'));
  });

  for (const [title, options, code, why] of [
    ['an end that has passed', ['block', '--until', '2026-01-05T07:00:00Z'], EXIT.usage, /yet to come/],
    ['an end that is too far away', ['block', '--for', '32d'], EXIT.usage, /31 days/],
    ['an end of something that has none', ['unlock', '--for', '1h'], EXIT.usage, /unlock has no end/],
    ['two ends', ['block', '--for', '1h', '--until', '2026-01-05T10:00:00Z'], EXIT.usage, /cannot be used with/],
    ['a time that is none', ['block', '--for', 'tomorrow'], EXIT.usage, /such as 30m/],
    ['a reason that nobody could read', ['block', '--reason', 'x'.repeat(201)], EXIT.usage, /1 to 200 characters/],
  ] as const) {
    it(`refuses ${title}`, async (t) => {
      const { bench, cardea } = await startBench(t);
      const answer = await cardea('door', 'front', ...options);
      assert.equal(answer.code, code);
      assert.match(answer.errors, why);
      assert.equal(bench.doors.get(FRONT)?.mode, 'normal');
    });
  }

  it('understands seconds, minutes, hours and days', () => {
    assert.deepEqual(['90s', '30m', '2h', '1d'].map(parseDuration), [90, 1800, 7200, 86_400]);
    for (const text of ['', '0m', '1.5h', '2', 'h', '-1h', '2 h']) assert.throws(() => parseDuration(text));
  });
});

describe('cardea lockdown', () => {
  it('locks all doors down, and --end ends it', async (t) => {
    const { bench, cardea } = await startBench(t);
    await cardea('door', 'lab', 'hold-open');
    const { code, output } = await cardea('lockdown', '--reason', 'alarm');
    assert.equal(code, EXIT.ok);
    assert.equal(output, 'door front in lockdown\ndoor lab in lockdown\n');
    assert.deepEqual([bench.doors.get(FRONT)?.mode, bench.doors.get(LAB)?.mode], ['lockdown', 'lockdown']);
    const refused = await cardea('door', 'front', 'unlock');
    assert.equal(refused.code, EXIT.no);
    assert.match(refused.output, /in lockdown; end that first/);
    const ended = await cardea('lockdown', '--end');
    assert.equal(ended.output, 'door front no longer in lockdown\ndoor lab no longer in lockdown\n');
    assert.deepEqual([bench.doors.get(FRONT)?.mode, bench.doors.get(LAB)?.mode], ['normal', 'normal']);
  });

  it('may be for one door, and have an end', async (t) => {
    const { bench, cardea } = await startBench(t);
    const { output } = await cardea('lockdown', '--door', 'lab', '--for', '2h', '--json');
    assert.deepEqual(
      JSON.parse(output).doors.map(({ door }: { door: string }) => door),
      ['lab'],
    );
    assert.deepEqual([bench.doors.get(FRONT)?.mode, bench.doors.get(LAB)?.mode], ['normal', 'lockdown']);
    assert.equal(bench.keeper.orders(LAB).lockdown?.until, Date.parse('2026-01-05T10:00:00Z'));
  });

  it('says so when there was none to end, and when the door is elsewhere', async (t) => {
    const { cardea } = await startBench(t);
    const idle = await cardea('lockdown', '--end', '--door', 'front');
    assert.deepEqual(
      [idle.code, idle.output],
      [EXIT.ok, 'door front no longer in lockdown: the door was not in lockdown\n'],
    );
    const elsewhere = await cardea('lockdown', '--door', 'attic');
    assert.equal(elsewhere.code, EXIT.no);
    assert.match(elsewhere.errors, /the doors are front, lab/);
  });
});
