// Backups as a technician asks for them: taken out record by record, and merged in page by page. Who did it is in the log before
// anything is handed over, and with what was restored.

import { eventsAfter } from '../app/log-count.ts';
import type { BackupRestorer, RestoreOutcome, RestorePlan } from '../app/restore-backup.ts';
import type { SerialWriter } from '../app/serial-writer.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { BackupAnswer } from './protocol.ts';
import type { ParsedRestoreBegin, ParsedRestorePage } from './requests.ts';

/** What the gateway has for its backups. */
export interface Backups {
  /** Header, records, end, as of now. */
  readonly records: () => AsyncIterable<object>;
  readonly restorer: Pick<BackupRestorer, 'begin' | 'page' | 'end'>;
}

interface Dependencies {
  readonly backups: Backups;
  readonly store: Pick<CredentialStore, 'roster'> & EventLog;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
}

export class BackupOperations {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** Somebody is about to take the records. Rejects with CardeaError `store-write-failed`. */
  async announce({ operator }: { readonly operator: string }): Promise<BackupAnswer> {
    const { store, writer, clock, log } = this.#deps;
    const detail = { action: 'backup', operator };
    log.info(detail, 'operator takes a backup');
    await writer.write((tx) => {
      const time = { at: clock.now(), clockSynchronized: clock.isSynchronized() };
      tx.append({ event: 'operator-action', ...time, detail });
    });
    return { cards: store.roster().cards, events: eventsAfter(store, store.firstSequence() - 1) };
  }

  async *records(signal: AbortSignal): AsyncGenerator<object> {
    for await (const record of this.#deps.backups.records()) {
      if (signal.aborted) return;
      yield record;
    }
  }

  /** As BackupRestorer.begin. */
  begin(request: ParsedRestoreBegin): Promise<RestorePlan> {
    return this.#deps.backups.restorer.begin(request);
  }

  async page({ restore, records }: ParsedRestorePage): Promise<object> {
    await this.#deps.backups.restorer.page(restore, records);
    return {};
  }

  end({ restore }: { readonly restore: number }): Promise<RestoreOutcome> {
    return this.#deps.backups.restorer.end(restore);
  }
}
