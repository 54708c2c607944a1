import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  isActive,
  type LineLevel,
  levelOf,
  safeStrikeLevel,
  safeStrikeState,
  strikeLevel,
} from '../../../src/drivers/gpio/strike-level.ts';

describe('strike level', () => {
  const table: readonly (readonly ['secure' | 'safe', boolean, LineLevel, LineLevel, LineLevel])[] = [
    // fail mode, active low, locked, unlocked, without power
    ['secure', false, 0, 1, 0],
    ['secure', true, 1, 0, 1],
    ['safe', false, 1, 0, 0],
    ['safe', true, 0, 1, 1],
  ];
  for (const [failMode, activeLow, locked, unlocked, safe] of table) {
    it(`of a fail-${failMode} strike on an active-${activeLow ? 'low' : 'high'} relay is ${locked} locked, ${unlocked} unlocked, ${safe} without power`, () => {
      const strike = { line: 17, activeLow, failMode };
      assert.equal(strikeLevel(strike, 'locked'), locked);
      assert.equal(strikeLevel(strike, 'unlocked'), unlocked);
      assert.equal(safeStrikeLevel(strike), safe);
      assert.equal(strikeLevel(strike, safeStrikeState(strike)), safe);
    });
  }

  it('and line polarity are each other’s inverse', () => {
    for (const activeLow of [true, false]) {
      for (const active of [true, false]) assert.equal(isActive({ activeLow }, levelOf({ activeLow }, active)), active);
    }
  });
});
