import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { NO_PROGRESS, startProgress } from '../../src/cli/progress.ts';

const CLEARED_LINE = '\u001b[2K';

/** What a terminal of this process would be asked to show. */
const terminalOf = () => {
  const errorTerminal = Object.assign(new PassThrough(), { isTTY: true });
  return { errorTerminal, drawn: () => String(errorTerminal.read() ?? '') };
};

describe('the progress of a long command', () => {
  it('is drawn on the terminal, and gone when the command has ended', async () => {
    const { errorTerminal, drawn } = terminalOf();
    const progress = await startProgress({ errorTerminal }, { label: 'events', total: 200 });
    progress.update(100);
    progress.stop();
    progress.stop();
    const text = drawn();
    assert.match(text, /events \[=+-+\] 50% \| 100\/200 /);
    assert.ok(text.lastIndexOf(CLEARED_LINE) > text.lastIndexOf('events'));
  });

  it('does not go beyond its end, nor stumble over an empty one', async () => {
    const { errorTerminal, drawn } = terminalOf();
    const progress = await startProgress({ errorTerminal }, { label: 'cards', total: 0 });
    progress.update(7);
    progress.stop();
    assert.match(drawn(), / 100% \| 1\/1 /);
  });

  it('is not drawn where standard error is no terminal', async () => {
    assert.equal(await startProgress({ errorTerminal: undefined }, { label: 'events', total: 9 }), NO_PROGRESS);
  });
});
