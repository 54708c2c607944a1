// The crash helper with stand-ins for the tools it calls and for sysfs; test/board/gpio runs it on a real kernel.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { fileURLToPath } from 'node:url';
import { formatSafeState } from '../../src/drivers/gpio/safe-state-file.ts';
import { CONTRACT_DOORS } from '../contracts/door-io.doors.ts';

const SAFE_STATE = fileURLToPath(new URL('../../systemd/safe-state', import.meta.url));

interface Machine {
  /** Puts a program of this name into PATH; `body` is sh. Each call notes its name and arguments. */
  tool(name: string, body: string): void;
  /** Writes the safe-state file and returns its path. */
  file(text: string): string;
  /** A chip in sysfs; exported lines get a direction file. */
  sysfsChip(label: string, base: number, exported?: readonly number[]): void;
  direction(number: number): string;
  calls(): readonly string[];
  run(...argv: string[]): { readonly status: number | null; readonly messages: string };
}

/** Nothing but the shell's own commands and what a test puts there. */
const machine = (t: TestContext): Machine => {
  const root = mkdtempSync(join(tmpdir(), 'cardea-safe-state-'));
  t.after(() => rmSync(root, { recursive: true }));
  const path = (name: string): string => join(root, name);
  for (const folder of ['bin', 'sysfs', 'run']) mkdirSync(path(folder));
  writeFileSync(path('calls'), '');
  return {
    tool: (name, body) => {
      writeFileSync(join(root, 'bin', name), `#!/bin/sh\necho "${name} $*" >> '${path('calls')}'\n${body}\n`);
      chmodSync(join(root, 'bin', name), 0o755);
    },
    file: (text) => {
      writeFileSync(join(root, 'run', 'safe-state'), text);
      return join(root, 'run', 'safe-state');
    },
    sysfsChip: (label, base, exported = []) => {
      const chip = join(root, 'sysfs', `gpiochip${base}`);
      mkdirSync(chip);
      writeFileSync(join(chip, 'label'), `${label}\n`);
      writeFileSync(join(chip, 'base'), `${base}\n`);
      for (const number of exported) {
        mkdirSync(join(root, 'sysfs', `gpio${number}`));
        writeFileSync(join(root, 'sysfs', `gpio${number}`, 'direction'), 'in\n');
      }
    },
    direction: (number) => readFileSync(join(root, 'sysfs', `gpio${number}`, 'direction'), 'utf8').trim(),
    calls: () => readFileSync(path('calls'), 'utf8').split('\n').filter(Boolean),
    run: (...argv) => {
      const { status, stderr } = spawnSync('/bin/sh', [SAFE_STATE, ...argv], {
        env: { PATH: path('bin'), RUNTIME_DIRECTORY: path('run'), SAFE_STATE_SYSFS: path('sysfs') },
        encoding: 'utf8',
      });
      return { status, messages: stderr };
    },
  };
};

const detect = 'echo "gpiochip0 [raspberrypi-exp-gpio] (8 lines)"; echo "gpiochip3 [pinctrl-rp1] (54 lines)"';
const versionTwo = '[ "$1" = --version ] && echo "gpioset (libgpiod) v2.1.3"; exit 0';
const versionOne = '[ "$1" = --version ] && echo "gpioset (libgpiod) v1.6.3"; exit 0';
const busy = 'echo "Device or resource busy" >&2; exit 1';

describe('safe-state', () => {
  it('sets every strike with gpioset of libgpiod 2, which would otherwise stay and hold the line', (t) => {
    const { tool, file, run, calls } = machine(t);
    tool('gpiodetect', detect);
    tool('gpioset', versionTwo);
    file(formatSafeState('pinctrl-rp1', CONTRACT_DOORS));
    const { status, messages } = run();
    assert.equal(status, 0, messages);
    assert.deepEqual(
      calls().filter((call) => call.startsWith('gpioset -t')),
      [
        'gpioset -t0 --bias=pull-down --chip=gpiochip3 17=0',
        'gpioset -t0 --bias=pull-up --chip=gpiochip3 23=1',
        'gpioset -t0 --bias=pull-up --chip=gpiochip3 25=1',
      ],
    );
    assert.match(messages, /door front: line 17 of pinctrl-rp1 at 0 \(gpioset\)/);
  });

  it('sets every strike with gpioset of libgpiod 1', (t) => {
    const { tool, file, run, calls } = machine(t);
    tool('gpiodetect', detect);
    tool('gpioset', versionOne);
    file('pinctrl-rp1 17 0 front\n');
    assert.equal(run().status, 0);
    assert.equal(calls().at(-1), 'gpioset --mode=exit --bias=pull-down gpiochip3 17=0');
  });

  it('does without a pull where the kernel or the tool knows none', (t) => {
    const { tool, file, run, calls } = machine(t);
    tool('gpiodetect', detect);
    tool('gpioset', `case "$*" in *--bias*) exit 1 ;; esac; ${versionOne}`);
    file('pinctrl-rp1 17 0 front\n');
    assert.equal(run().status, 0);
    assert.equal(calls().at(-1), 'gpioset --mode=exit gpiochip3 17=0');
  });

  it('drives a line that is exported in sysfs there, by its number, and leaves it exported', (t) => {
    const { tool, file, run, calls, sysfsChip, direction } = machine(t);
    tool('gpiodetect', detect);
    tool('gpioset', versionOne);
    sysfsChip('other', 0, [17, 23]);
    sysfsChip('pinctrl-rp1', 571, [588, 594]);
    file('pinctrl-rp1 17 0 front\npinctrl-rp1 23 1 back\n');
    assert.equal(run().status, 0);
    assert.equal(direction(588), 'low');
    assert.equal(direction(594), 'high');
    assert.equal(direction(17), 'in');
    assert.deepEqual(calls(), []);
  });

  it('falls back on the register tools of Raspberry Pi OS', (t) => {
    for (const name of ['pinctrl', 'raspi-gpio']) {
      const { tool, file, run, calls } = machine(t);
      tool('gpiodetect', detect);
      tool('gpioset', busy);
      tool(name, 'exit 0');
      file('pinctrl-rp1 17 0 front\npinctrl-rp1 23 1 back\n');
      assert.equal(run().status, 0);
      assert.deepEqual(
        calls().filter((call) => call.startsWith(name)),
        [`${name} set 17 op dl`, `${name} set 23 op dh`],
      );
    }
  });

  it('does not believe pinctrl when it complains and ends well', (t) => {
    const { tool, file, run } = machine(t);
    tool('pinctrl', 'echo "Unknown GPIO chip"');
    file('pinctrl-rp1 17 0 front\n');
    const { status, messages } = run();
    assert.equal(status, 1);
    assert.match(messages, /Unknown GPIO chip/);
  });

  it('goes on after a line that cannot be driven, and says which, why and what to do', (t) => {
    const { tool, file, run, calls } = machine(t);
    tool('gpiodetect', detect);
    tool('gpioset', `case "$*" in *17=0*) ${busy} ;; esac; ${versionTwo}`);
    file('pinctrl-rp1 17 0 front\npinctrl-rp1 23 1 back\n');
    const { status, messages } = run();
    assert.equal(status, 1);
    assert.match(
      messages,
      /door front: line 17 .* could not be driven to 0; cut the strike's supply.*Device or resource busy/,
    );
    assert.match(calls().at(-1) ?? '', /23=1$/);
  });

  it('says what to install where there is no tool at all', (t) => {
    const { file, run } = machine(t);
    file('pinctrl-rp1 17 0 front\n');
    const { status, messages } = run();
    assert.equal(status, 1);
    assert.match(messages, /gpioset is not installed \(package gpiod\)/);
  });

  it('drives nothing for a line of the file that makes no sense, and says so', (t) => {
    for (const text of ['pinctrl-rp1 17 2 front', 'pinctrl-rp1 x 0 front', 'pinctrl-rp1', 'pinctrl-rp1 -17 0 front']) {
      const { tool, file, run, calls } = machine(t);
      tool('gpiodetect', detect);
      tool('gpioset', versionTwo);
      file(`${text}\n`);
      const { status, messages } = run();
      assert.equal(status, 1, text);
      assert.match(messages, /makes no sense/);
      assert.deepEqual(calls(), []);
    }
  });

  it('takes the last line also without its newline', (t) => {
    const { tool, file, run, calls } = machine(t);
    tool('gpiodetect', detect);
    tool('gpioset', versionTwo);
    file('pinctrl-rp1 17 0 front');
    assert.equal(run().status, 0);
    assert.match(calls().at(-1) ?? '', /17=0$/);
  });

  it('has nothing to do when the gateway had not claimed a line', (t) => {
    const { run } = machine(t);
    const { status, messages } = run();
    assert.equal(status, 0);
    assert.match(messages, /claimed no line/);
  });

  it('fails when a file was named that is not there', (t) => {
    const { run } = machine(t);
    assert.equal(run('/nonexistent/safe-state').status, 2);
    assert.equal(run('one', 'two').status, 2);
  });

  it('is executable', () => {
    assert.ok(existsSync(SAFE_STATE));
    assert.equal(spawnSync(SAFE_STATE, ['/nonexistent']).status, 2);
  });
});
