import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { type AccessEvent, chainEvent, EMPTY_LOG, type NewEvent } from '../../src/domain/access-event.ts';
import { type AttendanceDay, AttendanceLedger } from '../../src/domain/attendance.ts';
import { parseCardNumber } from '../../src/domain/card-number.ts';
import { parseCardholderId, parseDoorId, parseGatewayId, parseReaderId } from '../../src/domain/ids.ts';
import { localClock } from '../../src/domain/local-time.ts';
import { instant } from '../../src/domain/units.ts';

const certain = <Value>(value: Value | undefined): Value => {
  assert.ok(value !== undefined);
  return value;
};

const GATEWAY = certain(parseGatewayId('lobby-1'));
const BERLIN = localClock('Europe/Berlin');
const HOUR = 3_600_000;

const cardOf = (text: string) => {
  const parsed = parseCardNumber(text, 'hex');
  assert.ok('number' in parsed);
  return parsed.number;
};
const CARD = cardOf('11223344');
const NEW_CARD = cardOf('55667788');

interface Tapped {
  readonly at: number | string;
  readonly who?: string;
  readonly door?: string;
  readonly way?: 'in' | 'out';
  readonly event?: NewEvent['event'];
  readonly card?: typeof CARD;
  readonly isGuessed?: boolean;
  readonly detail?: NewEvent['detail'];
}

/** An event as the log has it. */
const eventOf = (tap: Tapped, index: number): AccessEvent => {
  const { at, who = 'E1', door = 'front', way = 'in', event = 'access-granted', card = CARD, detail } = tap;
  return chainEvent(
    GATEWAY,
    { ...EMPTY_LOG, sequence: index },
    {
      event,
      at: instant(typeof at === 'number' ? at : Date.parse(at)),
      clockSynchronized: tap.isGuessed !== true,
      door: parseDoorId(door),
      reader: parseReaderId(`${door}-${way}`),
      direction: way,
      card,
      cardholder: parseCardholderId(who),
      detail,
    },
  );
};

const daysOf = (taps: readonly Tapped[], clock = BERLIN): AttendanceDay[] => {
  const ledger = new AttendanceLedger({ clockOf: () => clock });
  return [...taps.flatMap((tap, index) => [...ledger.add(eventOf(tap, index))]), ...ledger.finish()];
};

const inAt = (at: string, more: Partial<Tapped> = {}): Tapped => ({ at, ...more });
const outAt = (at: string, more: Partial<Tapped> = {}): Tapped => ({ at, way: 'out', ...more });
const utc = (time: string, day = '02'): string => `2026-11-${day}T${time}:00Z`;

/** The one day, with its figures. */
const onlyDay = (taps: readonly Tapped[]) => {
  const [day, ...others] = daysOf(taps);
  assert.equal(others.length, 0);
  const { date, present, unmatchedIns, unmatchedOuts } = certain(day);
  return { ...certain(day), figures: [date, present / HOUR, unmatchedIns, unmatchedOuts] };
};

describe('a day of attendance', () => {
  it('is the time between in and out, breaks left out', () => {
    const day = onlyDay([inAt(utc('07:00')), outAt(utc('11:00')), inAt(utc('11:30')), outAt(utc('16:00'))]);
    assert.deepEqual(day.figures, ['2026-11-02', 8.5, 0, 0]);
    assert.deepEqual(day.firstIn?.at, Date.parse(utc('07:00')));
    assert.deepEqual(day.lastOut?.at, Date.parse(utc('16:00')));
  });

  it('is of the date at the door', () => {
    assert.equal(onlyDay([inAt(utc('23:30'))]).date, '2026-11-03');
  });

  it('joins what was tapped with the card before and after a replacement', () => {
    const day = onlyDay([inAt(utc('07:00')), outAt(utc('16:00'), { card: NEW_CARD })]);
    assert.deepEqual(day.figures, ['2026-11-02', 9, 0, 0]);
    assert.deepEqual(day.cards, [CARD, NEW_CARD]);
  });

  it('does not count inner doors twice, and counts them where the outer one was forgotten', () => {
    const lab = { door: 'lab' };
    const taps = [inAt(utc('07:00')), inAt(utc('08:00'), lab), outAt(utc('09:00'), lab)];
    assert.deepEqual(onlyDay([...taps, outAt(utc('16:00'))]).figures, ['2026-11-02', 9, 0, 0]);
    assert.deepEqual(onlyDay(taps).figures, ['2026-11-02', 1, 1, 0]);
    assert.deepEqual(onlyDay([...taps, inAt(utc('10:00')), outAt(utc('12:00'))]).figures, ['2026-11-02', 3, 1, 0]);
  });

  it('ends by another door than it began', () => {
    assert.deepEqual(onlyDay([inAt(utc('07:00')), outAt(utc('16:00'), { door: 'garage' })]).figures, [
      '2026-11-02',
      9,
      0,
      0,
    ]);
    const left = onlyDay([inAt(utc('07:00')), inAt(utc('08:00'), { door: 'lab' }), outAt(utc('16:00'))]);
    assert.deepEqual(left.figures, ['2026-11-02', 9, 1, 0], 'the inner door was left without a tap');
    assert.deepEqual(left.doors, ['front', 'lab']);
  });

  it('says what has no other half, and counts no time for it', () => {
    assert.deepEqual(onlyDay([inAt(utc('07:00'))]).figures, ['2026-11-02', 0, 1, 0]);
    assert.deepEqual(onlyDay([outAt(utc('16:00'))]).figures, ['2026-11-02', 0, 0, 1]);
    assert.deepEqual(onlyDay([inAt(utc('07:00')), inAt(utc('12:00')), outAt(utc('16:00'))]).figures, [
      '2026-11-02',
      4,
      1,
      0,
    ]);
  });

  it('takes two taps in a minute for one passage', () => {
    const day = onlyDay([
      inAt('2026-11-02T07:00:00Z'),
      inAt('2026-11-02T07:00:05Z'),
      outAt('2026-11-02T16:00:00Z'),
      outAt('2026-11-02T16:00:59Z'),
    ]);
    assert.deepEqual(day.figures, ['2026-11-02', 9, 0, 0]);
    assert.equal(day.taps, 4);
  });

  it('belongs to the evening on which a night began', () => {
    const night = [
      inAt(utc('21:00')),
      inAt(utc('01:00', '03'), { door: 'lab' }),
      outAt(utc('02:00', '03'), { door: 'lab' }),
    ];
    assert.deepEqual(onlyDay([...night, outAt(utc('05:00', '03'))]).figures, ['2026-11-02', 8, 0, 0]);
  });

  it('is not joined with the next one where the out was forgotten', () => {
    const days = daysOf([inAt(utc('16:00')), inAt(utc('07:00', '03'), { door: 'garage' }), outAt(utc('15:00', '03'))]);
    assert.deepEqual(
      days.map(({ date, present, unmatchedIns }) => [date, present / HOUR, unmatchedIns]),
      [
        ['2026-11-02', 0, 1],
        ['2026-11-03', 8, 0],
      ],
    );
    const tooLong = daysOf([inAt(utc('07:00')), outAt(utc('23:30'))]);
    assert.deepEqual(
      tooLong.map(({ date, present, unmatchedIns, unmatchedOuts }) => [date, present, unmatchedIns, unmatchedOuts]),
      [
        ['2026-11-02', 0, 1, 0],
        ['2026-11-03', 0, 0, 1],
      ],
    );
  });

  it('leaves out denials and grants that were not taken', () => {
    const untaken = { event: 'access-not-taken' } as const;
    const taps = [inAt(utc('06:00'), { event: 'access-denied' }), inAt(utc('06:59')), inAt(utc('06:59'), untaken)];
    assert.deepEqual(daysOf(taps), []);
    const day = onlyDay([
      ...taps,
      inAt(utc('07:30')),
      outAt(utc('16:00')),
      outAt(utc('16:05')),
      outAt(utc('16:05'), untaken),
    ]);
    assert.deepEqual([...day.figures, day.taps], ['2026-11-02', 8.5, 0, 0, 2]);
  });

  it('is of both who pass together, or of neither', () => {
    const together = { detail: { with: { card: NEW_CARD, cardholder: 'E2' } } };
    const taps = [inAt(utc('07:00'), together), outAt(utc('16:00'), together)];
    assert.deepEqual(
      daysOf(taps).map(({ cardholder, present, cards }) => [cardholder, present / HOUR, cards]),
      [
        ['E1', 9, [CARD]],
        ['E2', 9, [NEW_CARD]],
      ],
    );
    assert.deepEqual(daysOf([inAt(utc('07:00'), together), inAt(utc('07:00'), { event: 'access-not-taken' })]), []);
  });

  it('marks taps whose time is a guess, and counts no time that runs backwards', () => {
    const day = onlyDay([inAt(utc('09:00')), outAt(utc('08:00'), { isGuessed: true })]);
    assert.deepEqual([...day.figures, day.guessedTaps], ['2026-11-02', 0, 1, 1, 1]);
  });

  it('comes out once it is over, while the log goes on', () => {
    const ledger = new AttendanceLedger({ clockOf: () => BERLIN });
    const later = ['02', '03', '04', '05', '06'].map((day, index) => {
      const events = [inAt(utc('07:00', day)), outAt(utc('16:00', day))];
      return events.flatMap((tap, part) => [...ledger.add(eventOf(tap, 2 * index + part))]).map(({ date }) => date);
    });
    assert.deepEqual(later, [[], [], [], ['2026-11-02'], ['2026-11-03']]);
  });

  it('is not ended by what others tap before the clock was set', () => {
    const guess = inAt('1970-01-01T00:00:30Z', { who: 'E2', isGuessed: true });
    const days = daysOf([inAt(utc('07:00')), guess, outAt(utc('16:00'))]);
    const own = days.filter(({ cardholder }) => cardholder === 'E1');
    assert.deepEqual(
      own.map(({ present }) => present),
      [9 * HOUR],
    );
  });

  it('comes out on a gateway whose clock is never set, too', () => {
    const ledger = new AttendanceLedger({ clockOf: () => BERLIN });
    let open = 0;
    for (let tap = 0; tap < 2000; tap++) {
      const at = Date.parse(utc('07:00')) + tap * 24 * HOUR;
      open += 1 - ledger.add(eventOf({ at, isGuessed: true }, tap)).length;
    }
    assert.ok(open < 10, `${open} days are open`);
  });

  it('is whole although the clock jumps ten years ahead and back', () => {
    const days = daysOf([inAt(utc('07:00')), inAt('2036-11-02T08:00:00Z'), inAt(utc('09:00')), outAt(utc('16:00'))]);
    assert.equal(
      days.reduce((sum, { taps }) => sum + taps, 0),
      4,
    );
    assert.deepEqual(days.at(-1)?.present, 7 * HOUR);
  });
});

describe('any history of taps', () => {
  const step = fc.record({
    wait: fc.integer({ min: 1, max: 14 * 60 }),
    who: fc.constantFrom('E1', 'E2', 'E3'),
    door: fc.constantFrom('front', 'garage', 'lab'),
    way: fc.constantFrom('in' as const, 'out' as const),
    isTaken: fc.boolean(),
  });

  const historyOf = (
    steps: readonly { wait: number; who: string; door: string; way: 'in' | 'out'; isTaken: boolean }[],
  ) => {
    let at = Date.parse(utc('05:00'));
    return steps.flatMap(({ wait, isTaken, ...tap }): Tapped[] => {
      at += wait * 60_000;
      const granted = { ...tap, at };
      return isTaken ? [granted] : [granted, { ...granted, at: at + 5_000, event: 'access-not-taken' }];
    });
  };

  const ofPerson = (days: readonly AttendanceDay[], who: string) =>
    days.filter(({ cardholder }) => cardholder === who).sort((a, b) => (a.date < b.date ? -1 : 1));

  it('has one row for a person and day, no tap lost, and every in and out either counted or told', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const days = daysOf(historyOf(steps));
        assert.equal(new Set(days.map(({ date, cardholder }) => `${date} ${cardholder}`)).size, days.length);
        for (const who of ['E1', 'E2', 'E3']) {
          const own = ofPerson(days, who);
          const sum = (figure: 'taps' | 'unmatchedIns' | 'unmatchedOuts'): number =>
            own.reduce((total, day) => total + day[figure], 0);
          const taken = steps.filter((tap) => tap.who === who && tap.isTaken);
          assert.equal(sum('taps'), taken.length);
          if (own.some(({ taps }) => taps > 0) && !hasRepeats(steps, who)) {
            const ins = taken.filter(({ way }) => way === 'in').length;
            assert.equal(
              ins - sum('unmatchedIns'),
              taken.length - ins - sum('unmatchedOuts'),
              'as many ins as outs match',
            );
          }
          for (const { present, firstIn, lastOut } of own) {
            assert.ok(present >= 0);
            if (present > 0)
              assert.ok(present <= certain(lastOut).at - certain(firstIn).at, 'no time is counted twice');
          }
        }
      }),
      { numRuns: 150, seed: 5 },
    );
  });

  /** The same way at the same door within a minute is one passage. */
  const hasRepeats = (steps: readonly { wait: number; who: string }[], who: string): boolean =>
    steps.some((tap) => tap.who === who && tap.wait <= 1);

  it('gives a person the same days whoever else taps in between', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const history = historyOf(steps);
        const all = daysOf(history);
        for (const who of ['E1', 'E2']) {
          const alone = daysOf(history.filter((tap) => tap.who === who));
          assert.deepEqual(ofPerson(all, who), ofPerson(alone, who));
        }
      }),
      { numRuns: 60, seed: 6 },
    );
  });

  it('keeps no more than the days around the present one', () => {
    const ledger = new AttendanceLedger({ clockOf: () => BERLIN });
    let open = 0;
    let most = 0;
    for (let day = 0; day < 120; day++) {
      for (let person = 0; person < 50; person++) {
        const at = Date.parse(utc('07:00')) + day * 24 * HOUR;
        open += 1 - ledger.add(eventOf({ at, who: `E${person}` }, day)).length;
        most = Math.max(most, open);
      }
    }
    assert.ok(most <= 4 * 50, `${most} days were open at once`);
  });
});
