import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  type DoorOrders,
  isOver,
  isSameOrders,
  modeOf,
  NO_ORDERS,
  type OrderAction,
  orderInEffect,
  ordersAfter,
  ordersAfterRestart,
} from '../../src/domain/door-mode.ts';
import { time } from './samples.ts';

const ORDER = { operator: 'ada', reason: null, at: time('2026-01-05T08:00:00Z') };
const NEWER = { operator: 'guard.3', reason: 'alarm', at: time('2026-01-05T09:00:00Z') };
const BLOCKED = { ...ORDER, mode: 'blocked' } as const;
const HELD = { ...ORDER, mode: 'held-open' } as const;

/** Every combination of orders that there can be. */
const ORDERS: Readonly<Record<string, DoorOrders>> = {
  none: NO_ORDERS,
  blocked: { mode: BLOCKED },
  held: { mode: HELD },
  lockdown: { lockdown: ORDER },
  'lockdown over blocked': { lockdown: ORDER, mode: BLOCKED },
};

const nameOf = ({ lockdown, mode }: DoorOrders): string => {
  const beneath = mode === undefined ? 'none' : mode.mode === 'blocked' ? 'blocked' : 'held';
  if (lockdown === undefined) return beneath;
  return mode === undefined ? 'lockdown' : `lockdown over ${beneath}`;
};

describe('the mode of a door', () => {
  for (const [orders, locked, unlocked] of [
    ['none', 'normal', 'unlocked'],
    ['blocked', 'blocked', 'blocked'],
    ['held', 'held-open', 'held-open'],
    ['lockdown', 'lockdown', 'lockdown'],
    ['lockdown over blocked', 'lockdown', 'lockdown'],
  ] as const) {
    it(`with orders ${orders} is ${locked}, and ${unlocked} while the schedule unlocks`, () => {
      assert.equal(modeOf(ORDERS[orders] ?? NO_ORDERS, false), locked);
      assert.equal(modeOf(ORDERS[orders] ?? NO_ORDERS, true), unlocked);
    });
  }
});

describe('orders after one more', () => {
  const table: Readonly<Record<string, Readonly<Record<OrderAction, string>>>> = {
    none: { block: 'blocked', 'hold-open': 'held', normal: 'none', lockdown: 'lockdown', 'end-lockdown': 'none' },
    blocked: {
      block: 'blocked',
      'hold-open': 'held',
      normal: 'none',
      lockdown: 'lockdown over blocked',
      'end-lockdown': 'blocked',
    },
    held: { block: 'blocked', 'hold-open': 'held', normal: 'none', lockdown: 'lockdown', 'end-lockdown': 'held' },
    lockdown: {
      block: 'lockdown over blocked',
      'hold-open': 'lockdown over held',
      normal: 'lockdown',
      lockdown: 'lockdown',
      'end-lockdown': 'none',
    },
    'lockdown over blocked': {
      block: 'lockdown over blocked',
      'hold-open': 'lockdown over held',
      normal: 'lockdown',
      lockdown: 'lockdown over blocked',
      'end-lockdown': 'blocked',
    },
  };
  for (const [before, row] of Object.entries(table)) {
    for (const action of ['block', 'hold-open', 'normal', 'lockdown', 'end-lockdown'] as const) {
      it(`${before}, ${action}: ${row[action]}`, () => {
        assert.equal(nameOf(ordersAfter(ORDERS[before] ?? NO_ORDERS, action, NEWER)), row[action]);
      });
    }
  }

  it('are those of the last operator who gave that kind of order', () => {
    const orders = ordersAfter(ordersAfter(NO_ORDERS, 'block', ORDER), 'lockdown', NEWER);
    assert.equal(orderInEffect(orders), orders.lockdown);
    assert.deepEqual(orders, { mode: BLOCKED, lockdown: NEWER });
    assert.deepEqual(orderInEffect(ordersAfter(orders, 'end-lockdown', NEWER)), BLOCKED);
    assert.equal(orderInEffect(NO_ORDERS), undefined);
  });

  it('are those that lock after a restart', () => {
    for (const [name, orders] of Object.entries(ORDERS)) {
      assert.equal(nameOf(ordersAfterRestart(orders)), name === 'held' ? 'none' : name);
    }
  });
});

describe('an order with an end', () => {
  const until = time('2026-01-05T10:00:00Z');
  for (const [clock, isTimeUp, before, locking, opening] of [
    ['trusted', false, false, true, true],
    ['trusted', true, true, true, true],
    ['untrusted', false, false, false, true],
    ['untrusted', true, true, true, true],
  ] as const) {
    it(`by a clock that is ${clock}, ${isTimeUp ? 'after' : 'before'} its time is up`, () => {
      const at = (now: string) => ({ now: time(now), isTrusted: clock === 'trusted', isTimeUp });
      for (const order of [BLOCKED, ORDER, HELD]) {
        assert.equal(isOver({ ...order, until }, at('2026-01-05T09:59:59.999Z')), before);
        const expected = order === HELD ? opening : locking;
        assert.equal(isOver({ ...order, until }, at('2026-01-05T10:00:00Z')), expected);
      }
    });
  }

  it('is the only kind that is ever over', () => {
    const never = { now: time('2036-01-05T10:00:00Z'), isTrusted: true, isTimeUp: true };
    for (const order of [BLOCKED, ORDER, HELD]) assert.equal(isOver(order, never), false);
  });
});

describe('orders are the same', () => {
  it('when everything that they say is', () => {
    for (const a of Object.values(ORDERS)) {
      for (const b of Object.values(ORDERS)) assert.equal(isSameOrders(a, structuredClone(b)), a === b);
    }
    const until = time('2026-01-05T10:00:00Z');
    assert.ok(!isSameOrders({ lockdown: ORDER }, { lockdown: { ...ORDER, until } }));
    assert.ok(!isSameOrders({ lockdown: ORDER }, { lockdown: { ...ORDER, reason: 'alarm' } }));
  });
});
