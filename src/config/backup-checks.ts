// Rules of the `backup` section: what nobody could open is not written.

import { atKey, atValue, type Findings } from './faults.ts';
import type { YamlTree } from './yaml-tree.ts';

const RECIPIENTS = ['backup', 'recipients'];

export const backups = (tree: YamlTree): Findings => {
  const recipients = tree.at(RECIPIENTS);
  const hasRecipients = Array.isArray(recipients) && recipients.length > 0;
  const isScheduled = tree.at(['backup', 'directory']) !== undefined;
  const idle = ['everyHours', 'keep'].map((key) => ['backup', key]).filter((path) => tree.at(path) !== undefined);
  return {
    faults: isScheduled && !hasRecipients ? [atValue(RECIPIENTS, NEEDS_RECIPIENTS)] : [],
    warnings: isScheduled ? [] : idle.map((path) => atKey(path, 'has no effect without backup.directory')),
  };
};

const NEEDS_RECIPIENTS =
  'backups are encrypted, and nobody could open these: name at least one age recipient (age1..., made with age-keygen)';
