import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { columns, widthOf } from '../../src/cli/columns.ts';
import { jsonLine, plain, plainLines } from '../../src/cli/terminal.ts';

describe('columns', () => {
  it('are as wide as their widest cell, without blanks at the end of a line', () => {
    assert.equal(
      columns(
        [
          ['a', 'bb', ''],
          ['ccc', 'd', 'e'],
        ],
        '  ',
      ),
      '  a    bb\n  ccc  d   e\n',
    );
  });

  it('count what is seen', () => {
    assert.equal(widthOf('abc'), 3);
    assert.equal(widthOf('王小明'), 6);
    assert.equal(widthOf('한글'), 4);
    assert.equal(widthOf('é'), 1);
    assert.equal(widthOf('🚪'), 2);
    assert.equal(widthOf('👩‍🔧'), 2);
    assert.equal(
      columns([
        ['王', 'x'],
        ['ab', 'y'],
      ]),
      '王  x\nab  y\n',
    );
  });
});

describe('text for a terminal', () => {
  it('keeps its letters and loses what a terminal acts upon', () => {
    assert.equal(plain('Zoë 王 🚪'), 'Zoë 王 🚪');
    assert.doesNotMatch(plain('a\u001b[31m\r\n\t\u0007\u007f\u009b\u202e\u2066b'), /\p{Cc}|\p{Bidi_Control}/u);
  });

  it('keeps its lines, where it has several', () => {
    assert.equal(plainLines('a\r\nb\u001b\n\rc'), 'a\r\nb\uFFFD\n\uFFFDc');
  });

  it('as JSON is the same value on one line', () => {
    const value = { text: 'a\u001b\u007f\u009b\u2028\nb"\\' };
    const line = jsonLine(value);
    assert.deepEqual(JSON.parse(line), value);
    assert.doesNotMatch(line.trimEnd(), /\p{Cc}|\u2028/u);
  });
});
