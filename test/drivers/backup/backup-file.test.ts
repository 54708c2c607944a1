import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { generateX25519Identity, identityToRecipient } from 'age-encryption';
import { backupFiles } from '../../../src/drivers/backup/backup-file.ts';
import { temporaryFolder } from '../../fixtures/temporary-folder.ts';

const fileWith = async (t: TestContext, lines: readonly string[]) => {
  const folder = temporaryFolder(t);
  const path = join(folder, 'backup.age');
  const identity = await generateX25519Identity();
  const lock = { kind: 'recipients', recipients: [await identityToRecipient(identity)] } as const;
  const write = () => backupFiles.write(path, streamOf(lines), { lock, mayReplace: false });
  await write();
  return {
    folder,
    write,
    read: async () => {
      const found: string[] = [];
      for await (const line of backupFiles.read(path, { kind: 'identities', identities: [identity] })) found.push(line);
      return found;
    },
  };
};

async function* streamOf(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines;
}

test('what was written is read, whatever the names of people are made of', async (t) => {
  const lines = ['{"name":"a\u2028b\u2029c\u0085d"}', '{"name":"Zoë 😀"}', '', '"\\r\\n"'];
  const { read } = await fileWith(t, lines);
  assert.deepEqual(await read(), lines);
});

test('a line that no record has is refused, not taken into memory', async (t) => {
  const { read } = await fileWith(t, ['{}', 'x'.repeat(3 * 1024 * 1024)]);
  await assert.rejects(read(), { code: 'backup-invalid', message: /longer than any record/ });
});

test('a file of the name is not replaced unasked, and nothing is left of the attempt', async (t) => {
  const { folder, write } = await fileWith(t, ['{}']);
  await assert.rejects(write(), { code: 'backup-failed', message: /is there already/ });
  assert.deepEqual(readdirSync(folder), ['backup.age']);
});
