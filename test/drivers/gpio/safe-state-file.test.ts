import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { GpiochipDoorIo } from '../../../src/drivers/gpio/gpiochip-door-io.ts';
import { removeSafeStateFile, safeStatePath, writeSafeStateFile } from '../../../src/drivers/gpio/safe-state-file.ts';
import { CardeaError } from '../../../src/errors.ts';
import { CONTRACT_DOORS } from '../../contracts/door-io.doors.ts';
import { FakeKernel } from './fake-kernel.ts';

const folder = (t: TestContext): string => {
  const path = mkdtempSync(join(tmpdir(), 'cardea-safe-state-'));
  t.after(() => rmSync(path, { recursive: true }));
  return path;
};

const listener = { onInput: () => {}, onFailure: assert.ifError };

describe('the safe-state file', () => {
  it('names chip, line, level without power and door of each strike', (t) => {
    const path = join(folder(t), 'run', 'safe-state');
    writeSafeStateFile(path, 'pinctrl-bcm2711', CONTRACT_DOORS);
    const lines = readFileSync(path, 'utf8').split('\n');
    assert.match(lines[0] ?? '', /^#/);
    assert.deepEqual(lines.slice(1), [
      'pinctrl-bcm2711 17 0 front',
      'pinctrl-bcm2711 23 1 back',
      'pinctrl-bcm2711 25 1 gate',
      '',
    ]);
    removeSafeStateFile(path);
    removeSafeStateFile(path);
    assert.equal(existsSync(path), false);
  });

  it('is refused with a reason where it cannot be written', (t) => {
    const file = join(folder(t), 'file');
    writeFileSync(file, '');
    assert.throws(
      () => writeSafeStateFile(join(file, 'safe-state'), 'pinctrl-bcm2711', CONTRACT_DOORS),
      (error) => error instanceof CardeaError && error.code === 'gpio-unavailable',
    );
  });

  it('is there before the first strike is driven, and gone once all are safe', async (t) => {
    const path = join(folder(t), 'safe-state');
    class WatchingKernel extends FakeKernel {
      override ioctl(descriptor: number, request: number, argument: Buffer): string | undefined {
        const driven = this.driven.length;
        const failure = super.ioctl(descriptor, request, argument);
        if (this.driven.length > driven) assert.ok(existsSync(path));
        return failure;
      }
    }
    const kernel = new WatchingKernel();
    const io = new GpiochipDoorIo({ doors: CONTRACT_DOORS, kernel, safeStatePath: path });
    await io.open(listener);
    assert.match(readFileSync(path, 'utf8'), /^pinctrl-bcm2711 17 0 front$/m);
    await io.close();
    assert.equal(existsSync(path), false);
  });

  it('stays when a strike could not be made safe, so that the helper tries again', async (t) => {
    const path = join(folder(t), 'safe-state');
    const kernel = new FakeKernel();
    const io = new GpiochipDoorIo({ doors: CONTRACT_DOORS, kernel, safeStatePath: path });
    await io.open(listener);
    kernel.writeFailure = 'EIO';
    await assert.rejects(io.close());
    assert.ok(existsSync(path));
  });

  it('keeps strikes from being claimed when it cannot be written', async (t) => {
    const file = join(folder(t), 'file');
    writeFileSync(file, '');
    const kernel = new FakeKernel();
    const io = new GpiochipDoorIo({ doors: CONTRACT_DOORS, kernel, safeStatePath: join(file, 'safe-state') });
    await assert.rejects(
      io.open(listener),
      (error) => error instanceof CardeaError && error.code === 'gpio-unavailable',
    );
    assert.deepEqual(kernel.driven, []);
    assert.equal(kernel.openDescriptors, 0);
  });

  it('stands in the runtime directory of the service, and nowhere without one', () => {
    assert.equal(safeStatePath({ RUNTIME_DIRECTORY: '/run/cardea' }), '/run/cardea/safe-state');
    assert.equal(safeStatePath({ RUNTIME_DIRECTORY: '/run/cardea:/run/other' }), '/run/cardea/safe-state');
    assert.equal(safeStatePath({}), undefined);
    assert.equal(safeStatePath({ RUNTIME_DIRECTORY: '' }), undefined);
  });
});
