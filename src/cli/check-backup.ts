// Reads a backup from its first line to its last, before anything is done with it: whole, counted, and its log one chain.

import { isIntact } from '../domain/access-event.ts';
import { CardeaError } from '../errors.ts';
import {
  type BackupHeader,
  eventInRecord,
  parseBackupEnd,
  parseBackupHeader,
  parseBackupLine,
} from '../wire/backup-format.ts';

export interface CheckedBackup {
  readonly header: BackupHeader;
  readonly records: number;
  readonly oldest: { readonly sequence: number; readonly hash: string } | null;
}

/** `isRecord` tells what the gateway will take. Rejects with CardeaError `backup-invalid`. */
export const checkBackup = async (
  lines: AsyncIterable<string>,
  isRecord: (value: unknown) => boolean,
): Promise<CheckedBackup> => {
  let header: BackupHeader | undefined;
  let end: ReturnType<typeof parseBackupEnd>;
  const chain = new Chain();
  let records = 0;
  for await (const line of lines) {
    const value = parseBackupLine(line);
    if (header === undefined) {
      header = parseBackupHeader(value);
      chain.beginWith(header.log);
      continue;
    }
    if (end !== undefined) throw invalid('something stands behind its end');
    end = parseBackupEnd(value);
    if (end !== undefined) continue;
    records += 1;
    if (!isRecord(value)) throw invalid(`its record ${records} is not what one has to be`);
    chain.add(value);
  }
  if (header === undefined || end?.records !== records) throw invalid('it is not whole');
  // Each record that the store could not read leaves at most one gap.
  if (chain.gaps > end.unreadable) throw invalid('its log is no unbroken chain');
  return { header, records, oldest: chain.oldest };
};

/** The newest comes first. */
class Chain {
  oldest: CheckedBackup['oldest'] = null;
  gaps = 0;
  #expected = '';
  /** The highest number that the next one may have. */
  #most = 0;

  beginWith({ sequence, hash }: BackupHeader['log']): void {
    this.#expected = hash;
    this.#most = sequence;
  }

  add(record: object): void {
    const event = eventInRecord(record);
    if (event === undefined) return;
    if (!isIntact(event)) throw invalid(`its event ${event.sequence} is not what was recorded`);
    if (event.sequence > this.#most) throw invalid(`its event ${event.sequence} stands where none of that number can`);
    if (event.hash !== this.#expected) this.gaps += 1;
    this.#most = event.sequence - 1;
    this.#expected = event.previousHash;
    this.oldest = { sequence: event.sequence, hash: event.hash };
  }
}

const invalid = (reason: string): CardeaError =>
  new CardeaError('backup-invalid', `the backup cannot be restored: ${reason}`);
