// A backup as a row of records, from a snapshot of the store: taps and changes go on meanwhile, and are in the next one.
//
// 1. Whole or not at all: the last one counts the records, and is there only when all of them are.

import type { CardNumberFormat } from '../domain/card-number.ts';
import type { GatewayId, SiteId } from '../domain/ids.ts';
import { formatInstant } from '../domain/units.ts';
import type { Clock } from '../ports/clock.ts';
import type { SnapshotRecord, SnapshotSource, StoreSnapshot } from '../ports/store-snapshot.ts';
import { BACKUP_VERSION, type BackupEnd, type BackupHeader } from '../wire/backup-format.ts';

export interface BackupIdentity {
  readonly site: SiteId;
  readonly gateway: GatewayId;
  readonly cardNumberFormat: CardNumberFormat;
}

interface Dependencies {
  readonly identity: BackupIdentity;
  readonly store: SnapshotSource;
  readonly clock: Clock;
  /** Of this program. */
  readonly version: string;
}

/** Header, records, end: each is a line of the file. Throws CardeaError `store-record-unreadable` before the first one. */
export async function* backupRecords(deps: Dependencies): AsyncGenerator<BackupHeader | SnapshotRecord | BackupEnd> {
  const snapshot = await deps.store.snapshot();
  try {
    yield headerOf(snapshot, deps);
    let records = 0;
    let unreadable = 0;
    for await (const record of snapshot.records()) {
      if (record === undefined) unreadable += 1;
      else {
        records += 1;
        yield record;
      }
    }
    yield { kind: 'end', records, unreadable };
  } finally {
    await snapshot.close();
  }
}

const headerOf = ({ roster, tail, acknowledgedUpTo }: StoreSnapshot, deps: Dependencies): BackupHeader => ({
  cardea: 'backup',
  version: BACKUP_VERSION,
  program: deps.version,
  ...deps.identity,
  createdAt: formatInstant(deps.clock.now()),
  roster: {
    revision: roster.revision,
    cards: roster.cards,
    epoch: roster.epoch ?? null,
    pastEpochs: [...roster.pastEpochs],
    reconciled: roster.reconciled,
  },
  log: { sequence: tail.sequence, hash: tail.hash, acknowledgedUpTo },
});
