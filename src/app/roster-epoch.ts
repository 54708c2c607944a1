// Which of HR's epochs the revisions count in (PROTOCOL.md, Roster digest, request, pages): who may begin a new one, and what that
// does to the records.
//
// 1. A new epoch begins by a digest that proves who sent it, or by an operator's consent; one that is over never comes back.
// 2. Nothing resurrects on the way into it: what is said with a revision below the one it began with is older than all of it.

import { CardeaError } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { RosterDigest } from '../wire/roster-messages.ts';
import type { SerialWriter } from './serial-writer.ts';

interface Dependencies {
  readonly store: Pick<CredentialStore, 'roster'>;
  readonly writer: SerialWriter;
  readonly clock: Clock;
  readonly log: Log;
  /** Whether a digest proves who sent it. Without that a new epoch waits for an operator's consent. */
  readonly trustsEpochs: () => boolean;
}

export class RosterEpoch {
  readonly #deps: Dependencies;
  /** A digest of an epoch that nobody has consented to. */
  #offered: RosterDigest | undefined;
  /** The epoch of the last digest, where that is over here. */
  #over: string | undefined;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** What needs attention, in words. */
  alarms(): string[] {
    const { epoch } = this.#deps.store.roster();
    const alarms: string[] = [];
    if (this.#offered !== undefined) {
      // The name is whatever somebody at the broker chose: not a part of a command that is copied into a shell.
      alarms.push(
        `HR was restored: its epoch is "${this.#offered.epoch}", ours is "${epoch}"; consent with: cardea roster accept-epoch EPOCH`,
      );
    }
    if (this.#over !== undefined) {
      alarms.push(
        `HR counts in the epoch "${this.#over}", which was over here when "${epoch}" began: it needs a new one`,
      );
    }
    return alarms;
  }

  /** Whether the roster may be compared with the digest; if not, the alarms tell why. */
  admits(digest: RosterDigest): boolean {
    const { store, trustsEpochs, log } = this.#deps;
    const { epoch, pastEpochs } = store.roster();
    const fields = { epoch, offered: digest.epoch };
    if (pastEpochs.includes(digest.epoch)) {
      if (this.#over !== digest.epoch) log.error(fields, 'digest of an epoch that is over is ignored');
      this.#over = digest.epoch;
      return false;
    }
    this.#over = undefined;
    if (epoch === undefined || epoch === digest.epoch || trustsEpochs()) {
      this.#offered = undefined;
      return true;
    }
    if (this.#offered?.epoch !== digest.epoch) log.error(fields, 'digest of another epoch waits for an operator');
    this.#offered = digest;
    return false;
  }

  /** The digest that waits for consent to its epoch. Throws CardeaError `unknown-epoch` when there is none of that epoch. */
  offered(epoch: string): RosterDigest {
    const offered = this.#offered;
    if (offered?.epoch === epoch) return offered;
    const what = offered === undefined ? 'HR offers no new epoch' : `HR offers the epoch ${offered.epoch}`;
    throw new CardeaError('unknown-epoch', `${what}; there is nothing else to accept`);
  }

  /** The first epoch there is, or another one than before. Rejects with CardeaError `store-write-failed`. */
  async enter({ epoch, revision }: RosterDigest, operator?: string): Promise<void> {
    const { writer, clock, log, store } = this.#deps;
    const before = store.roster();
    await writer.write((tx) => {
      tx.putEpoch(epoch, revision);
      if (before.epoch === undefined) return;
      tx.append({
        event: operator === undefined ? 'roster-divergence' : 'operator-action',
        at: clock.now(),
        clockSynchronized: clock.isSynchronized(),
        detail: {
          action: 'accept-epoch',
          epoch,
          revision,
          previousEpoch: before.epoch,
          previousRevision: before.revision,
          ...(operator !== undefined && { operator }),
        },
      });
    });
    this.#offered = undefined;
    log.warn({ epoch, previousEpoch: before.epoch ?? null }, 'HR counts in this epoch from now on');
  }
}
