import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMAND, decode, TOPICS } from './messages.ts';

const decoded = (fields: object = {}, retained = false, topic = TOPICS.command): string => {
  const outcome = decode({ ...COMMAND, ...fields }, { topic, retained });
  if (outcome.kind !== 'rejected') return outcome.kind;
  const { messageType, messageId, revision, code, path } = outcome.rejection;
  assert.deepEqual([messageType, messageId, revision], ['command', 'c-1', null]);
  return `${code} ${path ?? '-'}`;
};

describe('a command', () => {
  it('is understood with every field of PROTOCOL.md', () => {
    const message = { ...COMMAND, action: 'hold-open', until: '2026-11-22T18:00:00+08:00' };
    assert.deepEqual(decode(message, { topic: TOPICS.command }), {
      kind: 'command',
      command: {
        messageId: 'c-1',
        action: 'hold-open',
        door: 'front',
        until: Date.parse('2026-11-22T10:00:00Z'),
        operator: 'guard.3',
        reason: 'parcel service',
        issuedAt: Date.parse('2026-11-22T01:00:00Z'),
        expiresAt: Date.parse('2026-11-22T01:05:00Z'),
      },
    });
  });

  for (const [title, fields, expected] of [
    ['may be for all doors', { door: '*' }, 'command'],
    ['may name its gateway', { gateway: 'lobby-1' }, 'command'],
    ['must not be for another gateway', { gateway: 'vault-9' }, 'wrong-topic gateway'],
    ['may carry fields of the sender', { 'x-ticket': 7 }, 'command'],
    ['has no revision', { revision: undefined, 'x-revision': 1 }, 'command'],
    ['needs a door that could be one', { door: 'Front door' }, 'invalid-message door'],
    ['needs an action that there is', { action: 'open' }, 'invalid-message action'],
    ['needs a reason', { reason: '' }, 'invalid-message reason'],
    ['needs an operator', { operator: undefined }, 'invalid-message operator'],
    ['needs an expiry', { expiresAt: undefined }, 'invalid-message expiresAt'],
    ['needs a time with offset', { issuedAt: '2026-11-22T09:00:00' }, 'invalid-message issuedAt'],
    ['must not expire before it was given', { expiresAt: '2026-11-22T01:00:00Z' }, 'invalid-message expiresAt'],
    [
      'must not be good for longer than five minutes',
      { expiresAt: '2026-11-22T01:05:01Z' },
      'invalid-message expiresAt',
    ],
    ['may be a lockdown', { action: 'lockdown' }, 'command'],
    ['may end a lockdown', { action: 'end-lockdown' }, 'command'],
    ['needs an end with offset', { action: 'block', until: '2026-11-22T09:00:00' }, 'invalid-message until'],
    ['may reset a person', { action: 'reset-passback', door: '*', cardholder: 'E1001' }, 'command'],
    ['resets nobody without a name', { action: 'reset-passback', door: '*' }, 'invalid-message cardholder'],
    ['resets nobody at one door', { action: 'reset-passback', cardholder: 'E1001' }, 'invalid-message door'],
    [
      'resets nobody for a while',
      { action: 'reset-passback', door: '*', cardholder: 'E1001', until: '2026-11-22T18:00:00Z' },
      'invalid-message until',
    ],
    ['opens for nobody in particular', { cardholder: 'E1001' }, 'invalid-message cardholder'],
    ['is refused with a field that it does not have', { doors: ['front'] }, 'invalid-message doors'],
  ] as const) {
    it(title, () => assert.equal(decoded(fields), expected));
  }

  it('is refused as a retained copy, whatever else it says', () => {
    assert.equal(decoded({}, true), 'retained-not-allowed -');
    assert.equal(decoded({ action: 'lockdown' }, true), 'retained-not-allowed -');
  });

  it('to reset a person names that person and all doors', () => {
    const outcome = decode(
      { ...COMMAND, action: 'reset-passback', door: '*', cardholder: 'E1001' },
      { topic: TOPICS.command },
    );
    assert.ok(outcome.kind === 'command' && outcome.command.action === 'reset-passback');
    assert.deepEqual([outcome.command.cardholder, outcome.command.door], ['E1001', '*']);
  });

  it('is no message for the topics of HR that are for others', () => {
    const outcome = decode(COMMAND, { topic: TOPICS.cardBound });
    assert.equal(outcome.kind === 'rejected' && outcome.rejection.code, 'wrong-topic');
  });
});

describe('a command to the whole site', () => {
  const toAll = { action: 'lockdown', door: '*' };

  for (const [title, fields, expected] of [
    ['may be a lockdown', {}, 'command'],
    ['may be a lockdown with an end', { until: '2026-11-22T18:00:00Z' }, 'command'],
    ['may end a lockdown', { action: 'end-lockdown' }, 'command'],
    ['must not name a gateway', { gateway: 'lobby-1' }, 'wrong-topic gateway'],
    ['is for all doors', { door: 'front' }, 'wrong-topic door'],
    ...['unlock', 'block', 'hold-open', 'normal', 'reset-passback'].map(
      (action) => [`is no ${action}`, { action }, 'wrong-topic action'] as const,
    ),
    ['is of the site', { site: 'elsewhere' }, 'wrong-site site'],
  ] as const) {
    it(title, () => assert.equal(decoded({ ...toAll, ...fields }, false, TOPICS.siteCommand), expected));
  }

  it('is refused as a retained copy', () => {
    assert.equal(decoded(toAll, true, TOPICS.siteCommand), 'retained-not-allowed -');
  });
});
