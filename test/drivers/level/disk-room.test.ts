import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Ballast } from '../../../src/drivers/level/ballast.ts';
import { StoreDisk } from '../../../src/drivers/level/disk-room.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

test('a ballast that cannot even be looked at is a fault of the disk that is told, and ends nothing', async (t) => {
  const directory = temporaryFolder(t);
  const file = join(directory, 'ballast');
  symlinkSync('ballast', file);
  const disk = new StoreDisk({ directory, ballast: new Ballast({ file, bytes: 1024 }) });
  await disk.restoreBallast(0);
  await assert.rejects(disk.look(), { code: 'ELOOP' });
});
