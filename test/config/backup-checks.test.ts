import assert from 'node:assert/strict';
import { test } from 'node:test';
import { configOf, faultsOf, textWith, warningsOf } from './config-text.ts';

const RECIPIENT = 'age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p';

const withBackup = (section: string): string => textWith({ 1: `site: hq\nbackup: { ${section} }` });

test('backups that nobody could open are a fault', () => {
  const [fault, ...others] = faultsOf(withBackup('directory: /mnt/backup'));
  assert.match(fault ?? '', /backup\.recipients: backups are encrypted, and nobody could open these/);
  assert.deepEqual(others, []);
  assert.equal(faultsOf(withBackup('directory: /mnt/backup, recipients: []')).length, 1);
  const { backup } = configOf(withBackup(`directory: /mnt/backup, recipients: [${RECIPIENT}]`));
  assert.equal(backup.directory, '/mnt/backup');
});

test('an interval without a directory is warned of, recipients for cardea backup are fine', () => {
  assert.equal(warningsOf(withBackup('keep: 3')).length, 1);
  assert.deepEqual(warningsOf(withBackup(`recipients: [${RECIPIENT}]`)), []);
});
