import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type CommandContext,
  type CommandRecord,
  commandRecord,
  type DoorOrder,
  endFault,
  judgeCommand,
  lifetimeFault,
  MAX_REMEMBERED_COMMANDS,
  type RemoteCommand,
  rememberCommand,
} from '../../src/domain/door-command.ts';
import { instant } from '../../src/domain/units.ts';
import { doorId, messageId, time } from './samples.ts';

const FRONT = doorId('front');
const LAB = doorId('lab');

type Order = Extract<RemoteCommand, DoorOrder>;

const UNLOCK: Order = {
  messageId: messageId('c-1'),
  action: 'unlock',
  door: FRONT,
  operator: 'guard.3',
  reason: 'parcel service',
  issuedAt: time('2026-01-05T08:00:00Z'),
  expiresAt: time('2026-01-05T08:05:00Z'),
};

const CONTEXT: CommandContext = {
  now: time('2026-01-05T08:00:01Z'),
  isClockSynchronized: true,
  doors: [FRONT, LAB],
  remembered: [],
};

const at = (text: string): CommandContext => ({ ...CONTEXT, now: time(text) });

/** `carry-out front,lab`, `duplicate front`, `refused: code path`, with `(forgotten)` where the messageId is not remembered. */
const verdictOn = (command: Partial<Order> = {}, context: Partial<CommandContext> = {}): string => {
  const verdict = judgeCommand({ ...UNLOCK, ...command }, { ...CONTEXT, ...context });
  switch (verdict.kind) {
    case 'carry-out':
      return `carry-out ${verdict.doors}`;
    case 'duplicate':
      return `duplicate ${verdict.outcome?.doors ?? 'interrupted'}`;
    case 'refused':
      return `refused: ${verdict.code} ${verdict.path ?? '-'}${verdict.isToBeRemembered ? '' : ' (forgotten)'}`;
  }
};

const anyRecord = (index: number, expiresAt = UNLOCK.expiresAt): CommandRecord => ({
  messageId: messageId(`other-${index}`),
  fingerprint: 'f',
  expiresAt,
});
const records = (count: number, expiresAt = UNLOCK.expiresAt): CommandRecord[] =>
  Array.from({ length: count }, (_, index) => anyRecord(index, expiresAt));

describe('the life of a command', () => {
  for (const [expiresAt, fault] of [
    ['2026-01-05T07:59:59Z', /later than issuedAt/],
    ['2026-01-05T08:00:00Z', /later than issuedAt/],
    ['2026-01-05T08:00:00.001Z', undefined],
    ['2026-01-05T08:05:00Z', undefined],
    ['2026-01-05T08:05:00.001Z', /five minutes at most/],
  ] as const) {
    it(`from 08:00:00 to ${expiresAt} is ${fault === undefined ? 'allowed' : 'a fault'}`, () => {
      const found = lifetimeFault({ ...UNLOCK, expiresAt: time(expiresAt) });
      if (fault === undefined) assert.equal(found, undefined);
      else assert.match(found ?? '', fault);
    });
  }
});

describe('a command that is new', () => {
  const full = records(MAX_REMEMBERED_COMMANDS);
  const expired = records(MAX_REMEMBERED_COMMANDS, time('2026-01-05T08:00:01Z'));
  const half = { remembered: records(MAX_REMEMBERED_COMMANDS / 2, time('2099-01-05T08:00:00Z')) };
  const atNoon = { issuedAt: time('2026-01-05T12:00:00Z'), expiresAt: time('2026-01-05T12:05:00Z') };
  const unsynchronized = { isClockSynchronized: false };
  for (const [title, command, context, expected] of [
    ['is for the door that it names', {}, {}, 'carry-out front'],
    ['is for all doors of the gateway when it names *', { door: '*' }, {}, 'carry-out front,lab'],
    ['is good until just before expiresAt', {}, at('2026-01-05T08:04:59.999Z'), 'carry-out front'],
    ['is too late at expiresAt', {}, at('2026-01-05T08:05:00Z'), 'refused: expired-command -'],
    [
      'is too late where a forgotten one expired then',
      {},
      { remembered: [{ ...anyRecord(1), isForgotten: true }] },
      'refused: expired-command -',
    ],
    [
      'is good where it expires later',
      {},
      { remembered: [{ ...anyRecord(1, instant(UNLOCK.expiresAt - 1)), isForgotten: true }] },
      'carry-out front',
    ],
    ['is too late ever after', {}, at('2027-01-05T08:05:00Z'), 'refused: expired-command -'],
    ['is refused while the time is a guess', {}, unsynchronized, 'refused: expired-command -'],
    ['may come from a clock that is a minute ahead', {}, at('2026-01-05T07:59:00Z'), 'carry-out front'],
    ['is refused from further ahead', {}, at('2026-01-05T07:58:59.999Z'), 'refused: invalid-message issuedAt'],
    ['is refused for a door that is elsewhere', { door: doorId('attic') }, {}, 'refused: unknown-door door'],
    ['is refused where there is no door at all', { door: '*' }, { doors: [] }, 'refused: unknown-door door'],
    ['is refused when no more can be remembered', {}, { remembered: full }, 'refused: store-unavailable - (forgotten)'],
    ['from the future leaves room for others', atNoon, half, 'refused: store-unavailable - (forgotten)'],
    ['finds room beside those from the future', {}, half, 'carry-out front'],
    [
      'leaves room for others while the time is a guess',
      {},
      { ...half, ...unsynchronized },
      'refused: store-unavailable - (forgotten)',
    ],
    ['finds room where others have expired', {}, { remembered: expired }, 'carry-out front'],
    [
      'finds none there while the time is a guess',
      {},
      { remembered: expired, ...unsynchronized },
      'refused: store-unavailable - (forgotten)',
    ],
  ] as const) {
    it(title, () => assert.equal(verdictOn(command, context), expected));
  }
});

describe('a messageId that was seen before', () => {
  const applied = { remembered: [anyRecord(1), commandRecord(UNLOCK, { doors: [FRONT], code: null })] };
  const interrupted = { remembered: [commandRecord(UNLOCK)] };
  const refused = { remembered: [commandRecord(UNLOCK, { doors: [], code: 'unknown-door' })] };
  for (const [title, command, context, expected] of [
    ['with the same content is a duplicate, with the doors of then', {}, applied, 'duplicate front'],
    [
      'is one after its expiry as well',
      {},
      { ...applied, ...at('2026-01-05T09:00:00Z'), ...applied },
      'duplicate front',
    ],
    ['is one while the time is a guess', {}, { ...applied, isClockSynchronized: false }, 'duplicate front'],
    ['is one when it was interrupted', {}, interrupted, 'duplicate interrupted'],
    ['is refused again when it was refused', {}, refused, 'refused: unknown-door - (forgotten)'],
    ['with another door is refused', { door: LAB }, applied, 'refused: invalid-message messageId (forgotten)'],
    ['with another action is refused', { action: 'block' }, applied, 'refused: invalid-message messageId (forgotten)'],
    [
      'with a later expiry is refused',
      { issuedAt: time('2026-01-05T08:01:00Z'), expiresAt: time('2026-01-05T08:06:00Z') },
      applied,
      'refused: invalid-message messageId (forgotten)',
    ],
  ] as const) {
    it(title, () => assert.equal(verdictOn(command, context), expected));
  }
});

describe('what is remembered', () => {
  const idsOf = (list: readonly CommandRecord[]): string[] => list.map((record) => record.messageId);

  it('is kept until it expires; of what has expired the latest stays as a mark', () => {
    const kept = anyRecord(1, instant(CONTEXT.now + 1));
    const earlier = anyRecord(2, instant(CONTEXT.now - 1));
    const latest = anyRecord(3, CONTEXT.now);
    const mark = { ...latest, isForgotten: true };
    const list = rememberCommand([kept, earlier, latest], commandRecord(UNLOCK), CONTEXT);
    assert.deepEqual(list, [mark, kept, commandRecord(UNLOCK)]);
    const before = { ...CONTEXT, now: instant(CONTEXT.now - 10_000) };
    assert.deepEqual(
      rememberCommand(list, anyRecord(4), before),
      [...list, anyRecord(4)],
      'by a clock that is set back too',
    );
    const guessing = { ...CONTEXT, isClockSynchronized: false };
    assert.deepEqual(idsOf(rememberCommand(list, anyRecord(4), guessing)), ['other-3', 'other-1', 'c-1', 'other-4']);
  });

  it('as a mark takes no room, and is no command that was seen', () => {
    const mark = { ...anyRecord(MAX_REMEMBERED_COMMANDS), isForgotten: true } as const;
    const full = [mark, ...records(MAX_REMEMBERED_COMMANDS - 1)];
    const later = { messageId: mark.messageId, expiresAt: instant(UNLOCK.expiresAt + 1), issuedAt: CONTEXT.now };
    assert.equal(verdictOn(later, { remembered: full }), 'carry-out front');
  });

  it('is all kept while the time is a guess', () => {
    const list = [anyRecord(1, instant(0)), anyRecord(2)];
    const unsynchronized = { ...CONTEXT, isClockSynchronized: false };
    assert.equal(rememberCommand(list, commandRecord(UNLOCK), unsynchronized).length, 3);
  });

  it('of one command is the last that was put', () => {
    const outcome = { doors: [FRONT], code: null };
    const begun = rememberCommand([], commandRecord(UNLOCK), CONTEXT);
    assert.deepEqual(rememberCommand(begun, commandRecord(UNLOCK, outcome), CONTEXT), [commandRecord(UNLOCK, outcome)]);
  });
});

describe('the end of an order', () => {
  for (const [title, end, expected] of [
    ['may be left out', undefined, 'carry-out front'],
    ['may not be now', '2026-01-05T08:00:01Z', 'refused: invalid-message until'],
    ['may be a moment later', '2026-01-05T08:00:01.001Z', 'carry-out front'],
    ['may be 31 days later', '2026-02-05T08:00:01Z', 'carry-out front'],
    ['may not be later than that', '2026-02-05T08:00:01.001Z', 'refused: invalid-message until'],
  ] as const) {
    it(title, () => {
      const until = end === undefined ? {} : { until: time(end) };
      for (const action of ['block', 'hold-open', 'lockdown'] as const) {
        assert.equal(verdictOn({ action, ...until }), expected);
      }
    });
  }

  it('is refused where the command does not stand', () => {
    const until = time('2026-01-05T09:00:00Z');
    for (const action of ['unlock', 'normal', 'end-lockdown'] as const) {
      assert.equal(verdictOn({ action, until }), 'refused: invalid-message until');
      assert.match(endFault({ action, until }, CONTEXT.now) ?? '', /only block, hold-open, lockdown/);
    }
  });

  it('is part of what the command says', () => {
    const until = time('2026-01-05T09:00:00Z');
    const remembered = [commandRecord({ ...UNLOCK, action: 'block', until }, { doors: [FRONT], code: null })];
    assert.equal(verdictOn({ action: 'block', until }, { remembered }), 'duplicate front');
    assert.equal(verdictOn({ action: 'block' }, { remembered }), 'refused: invalid-message messageId (forgotten)');
  });
});
