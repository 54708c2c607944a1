import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Command } from 'commander';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { createProgram } from '../../src/cli/program.ts';
import { CliSession } from '../../src/cli/session.ts';
import { environmentWith, FakeTerminal, run } from './cli-bench.ts';

const program = createProgram(new CliSession(environmentWith(new FakeTerminal())));

const pathsBelow = (command: Command, path: readonly string[] = []): string[][] =>
  command.commands.flatMap((child) => [[...path, child.name()], ...pathsBelow(child, [...path, child.name()])]);

const paths = pathsBelow(program);

describe('cardea --help', () => {
  it('names every command and every exit code', async () => {
    const { code, output, errors } = await run(['--help']);
    assert.equal(code, EXIT.ok);
    assert.equal(errors, '');
    for (const name of [
      'gateway',
      'status',
      'alarm',
      'card',
      'events',
      'door',
      'lockdown',
      'tap',
      'line',
      'explain',
      'zone',
      'passback',
      'report',
      'config',
      'contract',
      'desk',
    ]) {
      assert.match(output, new RegExp(`^ {2}${name} `, 'm'));
    }
    for (const code of Object.values(EXIT)) assert.match(output, new RegExp(`^ {2}${code} {2}\\S`, 'm'));
  });

  it('knows all the commands', () => {
    assert.equal(paths.length, 91);
  });

  for (const path of paths) {
    it(`explains ${path.join(' ')}`, async () => {
      const { code, output } = await run([...path, '--help']);
      assert.equal(code, EXIT.ok);
      assert.match(output, new RegExp(`^Usage: cardea ${path.join(' ')}`));
      for (const option of output.matchAll(/^ {2}(-.*)$/gm)) {
        assert.match(option[1] ?? '', /\S {2,}\S/, 'an option without a description');
      }
    });
  }
});

describe('a command line that is not understood', () => {
  const WRONG = [
    [],
    ['statsu'],
    ['status', '--colour'],
    ['status', 'now'],
    ['card'],
    ['card', 'show'],
    ['tap', 'front-in'],
    ['door', 'front'],
    ['config', 'check'],
    ['desk', 'bind', '04A2B3C4D5E680'],
    ['desk', 'bind', '--cardholder', 'E1'],
    ['desk', 'bind', '04A2B3C4D5E680', '--cardholder', 'E1', '--from-reader', 'enrol-1'],
    ['desk', 'bind', '04A2B3C4D5E680', '--cardholder', 'E1', '--gateway', 'reception'],
    ['desk', 'bind', '--cardholder', 'E1', '--from-reader', 'enrol-1', '--gateway', 'Not An Id'],
    ['desk', 'replace', 'E1', '--reason', 'bored'],
    ['desk', 'card', 'revoke', '04A2B3C4D5E680'],
    ['desk', 'operator', 'add', 'li'],
    ['desk', 'operator', 'add', 'li', '--role', 'owner'],
    ['desk', 'operator', 'change', 'li', '--enable', '--disable'],
    ['desk', 'confirm', 'op-1', '--timeout', 'soon'],
    ['desk', 'report', 'everything'],
    ['desk', 'batch'],
    ['desk', 'revoke'],
    ['desk', 'calendar'],
    ['desk', 'revoke', '04A2B3C4D5E680', '--cardholder', 'E1'],
    ['desk', 'revoke', '04A2B3C4D5E680', '--reason', 'bored'],
    ['desk', 'bind', '04A2B3C4D5E680', '--cardholder', 'E1', '--revision', '0'],
  ];
  for (const args of WRONG) {
    it(`exits 2 with a word on standard error: cardea ${args.join(' ')}`, async () => {
      const { code, output, errors } = await run(args);
      assert.equal(code, EXIT.usage);
      assert.equal(output, '');
      assert.notEqual(errors, '');
    });
  }

  it('is answered with the command that may have been meant', async () => {
    assert.match((await run(['statsu'])).errors, /Did you mean status\?/);
  });

  it('--version prints the version', async () => {
    assert.deepEqual(await run(['--version']), { code: EXIT.ok, output: '1.2.3\n', errors: '' });
  });
});
