import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { localText, parseDate } from '../../src/domain/local-text.ts';
import { localClock } from '../../src/domain/local-time.ts';
import { instant } from '../../src/domain/units.ts';

const text = (at: string, zone: string): string => localText(instant(Date.parse(at)), localClock(zone));

describe('a local time as text', () => {
  it('has the offset of that zone at that time', () => {
    assert.equal(text('2026-11-02T07:01:33.999Z', 'Europe/Berlin'), '2026-11-02T08:01:33+01:00');
    assert.equal(text('2026-07-02T07:01:33Z', 'Europe/Berlin'), '2026-07-02T09:01:33+02:00');
    assert.equal(text('2026-11-02T20:00:00Z', 'Asia/Kolkata'), '2026-11-03T01:30:00+05:30');
    assert.equal(text('2026-11-02T01:00:00Z', 'America/St_Johns'), '2026-11-01T21:30:00-03:30');
    assert.equal(text('2026-11-02T01:00:00Z', 'UTC'), '2026-11-02T01:00:00+00:00');
  });

  it('tells the two hours apart that have one name in autumn, and is the same instant', () => {
    for (const at of ['2026-10-25T00:30:00.000Z', '2026-10-25T01:30:00.000Z']) {
      assert.equal(new Date(text(at, 'Europe/Berlin')).toISOString(), at);
    }
  });
});

describe('a date', () => {
  it('is read as it is written, on days that exist', () => {
    assert.deepEqual(parseDate('2028-02-29'), { year: 2028, month: 2, day: 29 });
    for (const wrong of ['2026-02-29', '2026-2-1', '2026-13-01', '2026-00-10', 'today', '2026-01-01T00:00:00Z', '']) {
      assert.equal(parseDate(wrong), undefined, wrong);
    }
  });
});
