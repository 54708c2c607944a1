import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type Fields,
  parseCards,
  parseDoorCommand,
  parseEvents,
  parseExplain,
  parseLine,
  parseNothing,
  parseReport,
  parseSelection,
  parseTap,
  parseUid,
} from '../../src/admin/requests.ts';
import { CardeaError } from '../../src/errors.ts';

const fieldsOf = (fields: Readonly<Record<string, unknown>>): Fields => new Map(Object.entries(fields));

const refuses = (
  parse: (fields: Fields) => unknown,
  fields: Readonly<Record<string, unknown>>,
  words: RegExp,
): void => {
  assert.throws(
    () => parse(fieldsOf(fields)),
    (error) => error instanceof CardeaError && error.code === 'invalid-request' && words.test(error.message),
    JSON.stringify(fields),
  );
};

describe('a request on the admin socket', () => {
  it('may not hold fields that nobody asked for', () => {
    refuses(parseNothing, { verbose: 'true' }, /"verbose" is not part of this request; allowed: nothing/);
    refuses(parseDoorCommand, { door: 'front', action: 'unlock', operator: 'ada', forever: 'yes' }, /forever/);
  });

  it('holds texts of a sensible length', () => {
    for (const door of [undefined, null, 7, {}, [], true, '', 'x'.repeat(129)]) {
      refuses(parseDoorCommand, { door, action: 'unlock', operator: 'ada' }, /door/);
    }
  });

  it('names one of the known actions, lines and states', () => {
    refuses(parseDoorCommand, { door: 'front', action: 'open', operator: 'ada' }, /unlock, block, hold-open, normal/);
    refuses(parseLine, { door: 'front', line: 'strike', state: 'on', operator: 'ada' }, /contact, exit-button/);
    refuses(parseLine, { door: 'front', line: 'contact', state: '1', operator: 'ada' }, /on, off/);
  });

  it('names an operator whom the log can bear', () => {
    for (const operator of [undefined, '', 'x'.repeat(65), 'ada\n2026 access granted', '\u001b[2J']) {
      refuses(parseTap, { reader: 'front-in', uid: 'DEADBEEF', operator }, /operator/);
    }
    assert.equal(parseTap(fieldsOf({ reader: 'r', uid: 'DEADBEEF', operator: '王 小明' })).operator, '王 小明');
  });

  it('counts in whole numbers', () => {
    assert.deepEqual(parseEvents(fieldsOf({ since: '0', limit: '5', follow: 'true' })), {
      since: 0,
      limit: 5,
      follow: true,
    });
    for (const since of ['-1', '1.5', '1e3', 'ten', '0x10', ' 1', '99999999999999999999']) {
      refuses(parseEvents, { since }, /whole number/);
    }
    refuses(parseEvents, { follow: 'yes' }, /true, false/);
  });

  it('selects events by name and time', () => {
    const names = 'access-granted,access-denied';
    const from = '2026-11-01T00:00:00+01:00';
    assert.deepEqual(parseSelection(fieldsOf({ names, from })), {
      names: new Set(['access-granted', 'access-denied']),
      range: { from: Date.parse(from), to: Number.POSITIVE_INFINITY },
    });
    for (const wrong of [undefined, '', 'a b', 'a,,b', ',a', 'A', 'a'.repeat(5000)]) {
      refuses(parseSelection, { names: wrong }, /names of events/);
    }
    refuses(parseSelection, { names, to: '2026-11-01' }, /not a time with an offset/);
  });

  it('names a report, and who takes it', () => {
    const whole = { report: 'attendance', operator: 'ada', from: '2026-11-01', to: '2026-11-30', cardholder: 'E1' };
    assert.deepEqual(parseReport(fieldsOf(whole)), whole);
    refuses(parseReport, { ...whole, report: 'salaries' }, /attendance, cards, changes, denied/);
    refuses(parseReport, { report: 'cards' }, /operator/);
    refuses(parseReport, { ...whole, cardholder: '\u0007' }, /control characters/);
    refuses(parseCards, { retired: 'yes' }, /true, false/);
  });

  it('gives times with an offset, on days that exist', () => {
    const at = (text: string) => parseExplain(fieldsOf({ card: 'c', door: 'd', at: text })).at;
    assert.equal(at('2026-11-22T09:00:00+08:00'), Date.parse('2026-11-22T01:00:00Z'));
    assert.equal(at('2026-11-22T09:00Z'), Date.parse('2026-11-22T09:00:00Z'));
    assert.equal(at('2026-11-22 09:00:00.5z'), Date.parse('2026-11-22T09:00:00.5Z'));
    for (const text of [
      '2026-11-22T09:00:00',
      '2026-11-22',
      'tomorrow',
      '2026-02-30T00:00:00Z',
      '2026-13-01T00:00:00Z',
      '2026-11-22T25:00:00Z',
      '1795309200',
    ]) {
      refuses(parseExplain, { card: 'c', door: 'd', at: text }, /not a time/);
    }
  });

  it('repeats nothing that moves a cursor', () => {
    assert.throws(
      () => parseDoorCommand(fieldsOf({ door: 'front', action: '\u001b[2Jopen', operator: 'ada' })),
      (error) => error instanceof CardeaError && !error.message.includes('\u001b'),
    );
  });
});

describe('a UID', () => {
  it('has 4, 7 or 10 bytes in hex, with or without separators', () => {
    for (const text of ['deadbeef', 'DE:AD:BE:EF', 'de ad be ef', 'DE-AD-BE-EF']) {
      assert.deepEqual(parseUid(text), Uint8Array.of(0xde, 0xad, 0xbe, 0xef));
    }
    assert.equal(parseUid('04a2b3c4d5e680')?.length, 7);
    assert.equal(parseUid('04112233445566778899')?.length, 10);
  });

  it('is not guessed from anything else', () => {
    for (const text of ['', 'dead', 'deadbeef0', 'deadbeeg', '0xdeadbeef', 'deadbeef0011', 'de.ad.be.ef']) {
      assert.equal(parseUid(text), undefined, text);
    }
  });
});
