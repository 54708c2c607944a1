import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseCardholderId, parseDoorId, parseMessageId, parseRevision, parseSiteId } from '../../src/domain/ids.ts';
import { after, formatInstant, milliseconds, monotonicTime, seconds } from '../../src/domain/units.ts';
import { time } from './samples.ts';

test('ids of sites, gateways, doors, readers and schedules are lower-case letters, digits and dashes, 1 to 63', () => {
  for (const good of ['a', '0', 'front-in', 'a-', `a${'-'.repeat(62)}`, 'x'.repeat(63)])
    assert.equal(parseDoorId(good), good);
  for (const bad of [
    '',
    '-a',
    'A',
    'front door',
    'fr_ont',
    'a/b',
    'a+',
    '#',
    'é',
    'a\n',
    'x'.repeat(64),
    '__proto__',
  ]) {
    assert.equal(parseDoorId(bad), undefined, JSON.stringify(bad));
    assert.equal(parseSiteId(bad), undefined, JSON.stringify(bad));
  }
});

test("ids of cardholders and messages are HR's own: 1 to 64 characters that survive UTF-8", () => {
  for (const good of ['E1001', '員工 7', ' ', 'x'.repeat(64), '😀'.repeat(64), '__proto__', '../..']) {
    assert.equal(parseCardholderId(good), good);
    assert.equal(parseMessageId(good), good);
  }
  for (const bad of ['', 'x'.repeat(65), '😀'.repeat(65), 'a\u0000', 'a\n', '\u007f', '\u0085', '\ud800', 'a\udc00']) {
    assert.equal(parseCardholderId(bad), undefined, JSON.stringify(bad));
    assert.equal(parseMessageId(bad), undefined, JSON.stringify(bad));
  }
});

test('revisions are integers from 1 to 2^53-1', () => {
  for (const good of [1, 2, 2 ** 53 - 1]) assert.equal(parseRevision(good), good);
  for (const bad of [0, -1, -0, 1.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])
    assert.equal(parseRevision(bad), undefined);
});

test('times are written in UTC with milliseconds, lengths of time in milliseconds', () => {
  assert.equal(formatInstant(time('2026-11-22T09:00:00+08:00')), '2026-11-22T01:00:00.000Z');
  assert.equal(seconds(1.5), 1500);
  assert.equal(after(monotonicTime(10), milliseconds(5)), 15);
});
