// Inputs and signals in the configuration: no line serves two purposes or is left out where it is real, no press is missed.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { configOf, faultsOf, textWith, warningsOf } from './config-text.ts';

describe('lines of LEDs, buzzers and tamper switches', () => {
  it('serve one purpose each, across doors and readers', () => {
    const text = textWith({
      8: '    strike: { line: 17 }\n    tamper: { line: 5 }',
      11: '    door: front\n    feedback: { greenLed: { line: 5 }, redLed: { line: 17 }, buzzer: { line: 6 } }\n  front-out: { door: front, spi: /dev/spidev0.1, feedback: { buzzer: { line: 6 } } }',
    });
    assert.deepEqual(faultsOf(text), [
      '13:35 readers.front-in.feedback.greenLed.line: GPIO line 5 is used already by doors.front.tamper.line on line 9 of this file; allowed: a free line',
      '13:56 readers.front-in.feedback.redLed.line: GPIO line 17 is used already by doors.front.strike.line on line 8 of this file; allowed: a free line',
      '14:78 readers.front-out.feedback.buzzer.line: GPIO line 6 is used already by readers.front-in.feedback.buzzer.line on line 13 of this file; allowed: a free line',
    ]);
  });

  it('keep off the SPI bus', () => {
    const text = textWith({ 11: '    door: front\n    feedback: { buzzer: { line: 9 } }' });
    assert.match(faultsOf(text).join(), /GPIO line 9 belongs to the SPI bus of readers\.front-in/);
  });

  it('are asked for where the doors are real', () => {
    const text = textWith({
      8: '    strike: { line: 17 }\n    tamper: {}',
      11: '    door: front\n    feedback: { redLed: {} }',
    });
    const missing =
      'is missing; allowed: a whole number from 0 to 57, the BCM number (only gpio.driver: simulated does without)';
    assert.deepEqual(faultsOf(text), [
      `9:5 doors.front.tamper.line: ${missing}`,
      `13:17 readers.front-in.feedback.redLed.line: ${missing}`,
    ]);
  });

  it('are numbered where the doors are simulated, none twice', () => {
    const { doors, readers } = configOf(
      textWith({
        1: 'site: hq\ngpio: { driver: simulated }',
        8: '    strike: {}\n    tamper: {}',
        11: '    door: front\n    driver: simulated\n    feedback: { redLed: {}, buzzer: {} }',
      }),
    );
    const lines = [
      ...doors.flatMap(({ wiring: { strike, tamper } }) => [strike.line, tamper?.line]),
      ...readers.flatMap(({ feedback }) => feedback.map(({ line }) => line)),
    ];
    assert.equal(lines.length, 4);
    assert.equal(new Set(lines).size, 4);
    assert.ok(lines.every((line) => line !== undefined && line > 57));
  });

  it('that a reader has none of make feedback a key that does nothing', () => {
    assert.deepEqual(warningsOf(textWith({ 11: '    door: front\n    feedback: {}' })), [
      '12:5 readers.front-in.feedback: has no effect without greenLed, redLed or buzzer',
    ]);
  });

  it('of tamper inputs need a resistor outside with rpi-gpio', () => {
    const text = textWith({
      1: 'site: hq\ngpio: { driver: rpi-gpio }',
      8: '    strike: { line: 17 }\n    tamper: { line: 23 }',
    });
    assert.match(warningsOf(text).join(), /doors\.front\.tamper: needs a pull resistor outside the Pi/);
  });
});

describe('the debouncing of inputs', () => {
  it('is warned of where it hides a button pressed for 400 ms', () => {
    const withDebounce = (time: number): string => textWith({ 1: `site: hq\ngpio: { debounceMilliseconds: ${time} }` });
    assert.deepEqual(warningsOf(withDebounce(300)), []);
    assert.deepEqual(warningsOf(withDebounce(301)), [
      '2:31 gpio.debounceMilliseconds: a button pressed for 400 ms may be missed; with 300 or less it is not',
    ]);
  });
});
