import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { GpiochipDoorIo } from '../../../src/drivers/gpio/gpiochip-door-io.ts';
import { RpiGpioDoorIo } from '../../../src/drivers/gpio/rpi-gpio-door-io.ts';
import { createGpioDoorIo, selectGpioBackend } from '../../../src/drivers/gpio/select-gpio-backend.ts';
import { CardeaError } from '../../../src/errors.ts';
import { CONTRACT_DOORS } from '../../contracts/door-io.doors.ts';
import { RecordingLog } from '../../fixtures/recording-log.ts';
import { FakeKernel } from './fake-kernel.ts';

const sysfs = (t: TestContext, base?: number): string => {
  const root = mkdtempSync(join(tmpdir(), 'cardea-sysfs-'));
  t.after(() => rmSync(root, { recursive: true }));
  if (base === undefined) return root;
  const chip = join(root, `gpiochip${base}`);
  mkdirSync(chip);
  writeFileSync(join(chip, 'label'), 'pinctrl-bcm2835\n');
  writeFileSync(join(chip, 'base'), `${base}\n`);
  writeFileSync(join(chip, 'ngpio'), '54\n');
  return root;
};

const oldKernel = (): FakeKernel => {
  const kernel = new FakeKernel();
  kernel.lacksV2 = true;
  return kernel;
};

describe('the GPIO backend under auto', () => {
  it('is the character device where there is a chip that fits, whatever sysfs says', async (t) => {
    const kernel = new FakeKernel();
    const choice = await selectGpioBackend({ driver: 'auto', kernel, sysfsRoot: sysfs(t, 0) });
    assert.equal(choice.backend, 'gpiochip');
    assert.equal(kernel.openDescriptors, 0);
  });

  it('is rpi-gpio on a kernel too old for line requests that numbers from 0', async (t) => {
    const kernel = oldKernel();
    const choice = await selectGpioBackend({ driver: 'auto', kernel, sysfsRoot: sysfs(t, 0) });
    assert.equal(choice.backend, 'rpi-gpio');
    assert.match(choice.reason, /older than 5\.10/);
    assert.equal(kernel.openDescriptors, 0);
  });

  it('is rpi-gpio where there is no character device at all', async (t) => {
    const choice = await selectGpioBackend({ driver: 'auto', kernel: new FakeKernel([]), sysfsRoot: sysfs(t, 0) });
    assert.equal(choice.backend, 'rpi-gpio');
  });

  for (const [place, base] of [
    ['without GPIO', undefined],
    ['whose sysfs is numbered from elsewhere', 512],
  ] as const) {
    it(`is an error that tells how to simulate on a machine ${place}`, async (t) => {
      const selection = { driver: 'auto', kernel: new FakeKernel([]), sysfsRoot: sysfs(t, base) } as const;
      await assert.rejects(selectGpioBackend(selection), (error) => {
        assert.ok(error instanceof CardeaError);
        assert.equal(error.code, 'gpio-unavailable');
        assert.match(error.message, /gpio\.driver: simulated/);
        return true;
      });
    });
  }
});

describe('a GPIO backend asked for by name', () => {
  it('is taken without a look at the machine', async () => {
    const kernel = new FakeKernel([]);
    const doors = CONTRACT_DOORS;
    assert.ok((await createGpioDoorIo({ driver: 'gpiochip', doors, kernel })) instanceof GpiochipDoorIo);
    assert.ok((await createGpioDoorIo({ driver: 'rpi-gpio', doors, kernel })) instanceof RpiGpioDoorIo);
  });

  it('is named in the log, with the reason', async () => {
    const log = new RecordingLog();
    await createGpioDoorIo({ driver: 'auto', doors: CONTRACT_DOORS, kernel: new FakeKernel(), log });
    const [record] = log.at('info');
    assert.equal(record?.message, 'gpio backend');
    assert.deepEqual(record?.fields, {
      driver: 'auto',
      backend: 'gpiochip',
      reason: 'the character device can be used',
    });
  });
});
