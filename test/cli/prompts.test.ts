import assert from 'node:assert/strict';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import { terminalPrompts } from '../../src/cli/prompts.ts';
import { CardeaError } from '../../src/errors.ts';
import { waitFor } from '../fixtures/wait-for.ts';

const ENTER = '\r';
const CTRL_C = '\u0003';

/** A terminal, and somebody who types when they have read something. */
const seat = () => {
  const input = new PassThrough();
  const output = new PassThrough();
  let shown = '';
  output.on('data', (text: Buffer) => {
    shown += text.toString();
  });
  const type = async (whenRead: string, keys: string): Promise<void> => {
    await waitFor(() => shown.includes(whenRead), whenRead);
    input.write(keys);
  };
  return { prompts: terminalPrompts({ input, output }), type, shown: () => shown };
};

describe('questions at a terminal', () => {
  it('find a person while their name is typed', async () => {
    const { prompts, type } = seat();
    const people = [
      { value: 'E1', text: 'E1  王小明' },
      { value: 'E2', text: 'E2  陳\u001b[31m怡君' },
    ];
    const typed: string[] = [];
    const found = prompts.search('Who?', async (text) => {
      typed.push(text);
      return people.filter((person) => person.text.includes(text));
    });
    await type('王小明', '陳');
    await type('怡君', '');
    await waitFor(() => typed.includes('陳'), 'the search');
    await type('Who?', ENTER);
    assert.equal(await found, 'E2');
  });

  it('take the choice that the arrows lead to', async () => {
    const { prompts, type } = seat();
    const chosen = prompts.choose('Why?', [
      { value: 1, text: 'lost' },
      { value: 2, text: 'stolen' },
    ]);
    await type('stolen', `\u001b[B${ENTER}`);
    assert.equal(await chosen, 2);
  });

  it('say what is wrong with a text, and take a better one', async () => {
    const { prompts, type } = seat();
    const text = prompts.text('Name:', { check: (name) => (name === '' ? 'a name is needed' : undefined) });
    await type('Name:', ENTER);
    await type('a name is needed', ` Ada ${ENTER}`);
    assert.equal(await text, 'Ada');
  });

  it('take a yes', async () => {
    const { prompts, type } = seat();
    const confirmed = prompts.confirm('Sure?');
    await type('Sure?', `y${ENTER}`);
    assert.equal(await confirmed, true);
  });

  it('show nothing of a secret', async () => {
    const { prompts, type, shown } = seat();
    const secret = prompts.secret('Password:');
    await type('Password:', `hush-hush${ENTER}`);
    assert.equal(await secret, 'hush-hush');
    assert.doesNotMatch(shown(), /hush/);
  });

  it('are ended by Ctrl-C', async () => {
    const { prompts, type } = seat();
    const answer = prompts.confirm('Sure?');
    await Promise.all([
      assert.rejects(answer, (error) => error instanceof CardeaError && error.code === 'cancelled'),
      type('Sure?', CTRL_C),
    ]);
  });
});
