import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { COMMAND, decode, TOPICS } from './messages.ts';

const decoded = (fields: object = {}, retained = false): string => {
  const outcome = decode({ ...COMMAND, ...fields }, { topic: TOPICS.command, retained });
  if (outcome.kind !== 'rejected') return outcome.kind;
  const { messageType, messageId, revision, code, path } = outcome.rejection;
  assert.deepEqual([messageType, messageId, revision], ['command', 'c-1', null]);
  return `${code} ${path ?? '-'}`;
};

describe('a command', () => {
  it('is understood with every field of PROTOCOL.md but until', () => {
    assert.deepEqual(decode(COMMAND, { topic: TOPICS.command }), {
      kind: 'command',
      command: {
        messageId: 'c-1',
        action: 'unlock',
        door: 'front',
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
    ['cannot be a lockdown yet', { action: 'lockdown' }, 'invalid-message action'],
    ['cannot end a lockdown yet', { action: 'end-lockdown' }, 'invalid-message action'],
    ['cannot end by itself yet', { until: '2026-11-22T02:00:00Z' }, 'invalid-message until'],
    ['is refused with a field that it does not have', { doors: ['front'] }, 'invalid-message doors'],
  ] as const) {
    it(title, () => assert.equal(decoded(fields), expected));
  }

  it('is refused as a retained copy, whatever else it says', () => {
    assert.equal(decoded({}, true), 'retained-not-allowed -');
    assert.equal(decoded({ action: 'lockdown' }, true), 'retained-not-allowed -');
  });

  it('is no message for the topics of HR', () => {
    const outcome = decode(COMMAND, { topic: TOPICS.cardBound });
    assert.equal(outcome.kind === 'rejected' && outcome.rejection.code, 'wrong-topic');
  });
});
