import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configOf, faultsOf, textWith, warningsOf } from './config-text.ts';

const SCHEDULES = 'schedules: { day: [{ days: [mon], from: "08:00", to: "18:00" }] }';
const withUnlock = (unlock: string, more = ''): string =>
  textWith({ 8: `    strike: { line: 17 }\n    unlockSchedule: ${unlock}${more}` }).concat(
    `\n${SCHEDULES}\ntimezone: UTC\n`,
  );

describe('the unlock schedule of a door', () => {
  it('is in the configuration, and by default waits for nobody', () => {
    const unlockOf = (unlock: string) => configOf(withUnlock(unlock)).doors[0]?.unlockSchedule;
    assert.deepEqual(unlockOf('{ schedule: day }'), { schedule: 'day', afterFirstCard: false });
    assert.deepEqual(unlockOf('{ schedule: always, afterFirstCard: true }'), {
      schedule: 'always',
      afterFirstCard: true,
    });
    assert.equal(configOf(textWith()).doors[0]?.unlockSchedule, undefined);
  });

  it('needs a schedule, and knows no other keys', () => {
    assert.equal(faultsOf(withUnlock('{}')).length, 1);
    assert.equal(faultsOf(withUnlock('{ schedule: day, from: "08:00" }')).length, 1);
  });

  it('is warned of where only HR can fill its schedule with a meaning', () => {
    assert.deepEqual(warningsOf(withUnlock('{ schedule: day }')), []);
    assert.deepEqual(warningsOf(withUnlock('{ schedule: days }')), [
      '9:33 doors.front.unlockSchedule.schedule: there is no schedule days here; did you mean day? it opens nothing until HR pushes one',
    ]);
  });

  it('is warned of where it waits for a card that no reader takes', () => {
    const lab = '\n  lab: { strike: { line: 22 }, unlockSchedule: { schedule: day, afterFirstCard: true } }';
    assert.deepEqual(warningsOf(withUnlock('{ schedule: day, afterFirstCard: true }', lab)), [
      '10:65 doors.lab.unlockSchedule.afterFirstCard: waits for ever: there is no reader at this door where a card could be granted',
    ]);
  });

  it('makes a door without a reader and an exit button useful', () => {
    const lab = '\n  lab: { strike: { line: 22 }, unlockSchedule: { schedule: day } }';
    assert.deepEqual(warningsOf(withUnlock('{ schedule: day }', lab)), []);
  });
});
