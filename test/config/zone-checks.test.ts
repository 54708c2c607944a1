// Zones and doors that nobody enters alone: names that have to exist, and rules that do nothing.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configOf, faultsOf, textWith, warningsOf } from './config-text.ts';

const OUT = '  front-out: { door: front, direction: out, spi: /dev/spidev0.1 }';

/** One zone behind the front door, and further readers. */
const withZone = (zone: string, ...readers: readonly string[]): string =>
  textWith({
    1: `site: hq\nzones: { building: ${zone} }`,
    8: '    strike: { line: 17 }\n    zone: building',
    11: ['    door: front', ...readers].join('\n'),
  });

describe('zones', () => {
  it('are read with what they forbid', () => {
    const { zones, doors } = configOf(withZone('{ antiPassback: timed, timedMinutes: 45 }'));
    assert.deepEqual(zones, [{ id: 'building', antiPassback: { mode: 'timed', within: 45 * 60_000 } }]);
    assert.equal(doors[0]?.zone, 'building');
  });

  it('forbid nothing unless they are told to', () => {
    assert.deepEqual(configOf(withZone('{}', OUT)).zones, [{ id: 'building', antiPassback: { mode: 'off' } }]);
    assert.deepEqual(warningsOf(withZone('{}', OUT)), []);
  });

  it('may be off, which is a word and not a truth value', () => {
    assert.deepEqual(configOf(withZone('{ antiPassback: off }', OUT)).zones[0]?.antiPassback, { mode: 'off' });
  });

  it('have to exist where a door names them', () => {
    assert.deepEqual(faultsOf(textWith({ 8: '    strike: { line: 17 }\n    zone: building' })), [
      '9:11 doors.front.zone: there is no zone building; describe it under zones',
    ]);
    const misspelt = withZone('{}', OUT).replace('zone: building', 'zone: bulding');
    assert.deepEqual(faultsOf(misspelt), [
      '10:11 doors.front.zone: there is no zone bulding; did you mean building? allowed: building',
    ]);
  });

  it('have ids, and there are at most 64', () => {
    assert.match(faultsOf(textWith({ 1: 'site: hq\nzones: { Building: {} }' })).join(), /"Building" is not an id/);
    const many = Array.from({ length: 65 }, (_, i) => `z${i}: {}`).join(', ');
    assert.match(
      faultsOf(textWith({ 1: `site: hq\nzones: { ${many} }` })).join(),
      /there are 65 zones; allowed: at most 64/,
    );
  });

  it('that no door leads into are warned of', () => {
    assert.deepEqual(warningsOf(textWith({ 1: 'site: hq\nzones: { building: {} }' })), [
      '2:10 zones.building: no door leads into it; name it in doors.<id>.zone',
    ]);
  });

  it('that nobody is seen to leave are warned of, unless time forgives', () => {
    assert.deepEqual(warningsOf(withZone('{ antiPassback: hard }')), [
      '2:10 zones.building: no reader with direction out leads out of it: whoever has entered is denied ever after, until reset',
    ]);
    for (const mode of ['off', 'soft']) {
      assert.deepEqual(warningsOf(withZone(`{ antiPassback: ${mode} }`)), [
        '2:10 zones.building: no reader with direction out leads out of it: whoever has entered counts as inside ever after',
      ]);
    }
    assert.deepEqual(warningsOf(withZone('{ antiPassback: timed }')), []);
    assert.deepEqual(warningsOf(withZone('{ antiPassback: hard }', OUT)), []);
  });

  it('that nobody is seen to enter are warned of; a reader for enrolment sees nobody pass', () => {
    const outOnly = withZone('{ antiPassback: hard }').replace(
      '    door: front',
      '    door: front\n    direction: out',
    );
    assert.deepEqual(warningsOf(outOnly), [
      '2:10 zones.building: no reader with direction in leads into it: nobody is ever inside',
    ]);
    const enrolment = withZone('{ antiPassback: hard }', OUT.replace('spi:', 'role: enrolment, spi:'));
    assert.match(warningsOf(enrolment).join(), /no reader with direction out/);
  });

  it('that do not look at the time have no use for minutes', () => {
    assert.deepEqual(warningsOf(withZone('{ antiPassback: hard, timedMinutes: 5 }', OUT)), [
      '2:42 zones.building.timedMinutes: has no effect without antiPassback: timed',
    ]);
  });
});

describe('doors that nobody enters alone', () => {
  const withPair = (direction: string): string =>
    textWith({ 8: '    strike: { line: 17 }\n    twoPerson: {}', 11: `    door: front\n    direction: ${direction}` });

  it('wait 15 seconds for the second card unless they are told otherwise', () => {
    assert.deepEqual(configOf(withPair('in')).doors[0]?.twoPerson, { within: 15_000 });
    const longer = withPair('in').replace('{}', '{ withinSeconds: 30 }');
    assert.deepEqual(configOf(longer).doors[0]?.twoPerson, { within: 30_000 });
    assert.deepEqual(warningsOf(withPair('in')), []);
  });

  it('need a reader on the outside', () => {
    assert.deepEqual(warningsOf(withPair('out')), [
      '9:5 doors.front.twoPerson: has no effect without a reader with direction in at this door',
    ]);
  });
});
