// Refusals of those whom nobody knows: they could fill the audit log, so that it gets one record a minute of them, with their count.

import { seconds } from '../domain/units.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { AuditTrail } from './audit-trail.ts';
import type { DeskWriter } from './desk-writer.ts';

const NOT_SOONER_THAN = seconds(60);

export type StrangerCause = 'unknown names' | 'locked accounts' | 'unknown tokens' | 'too many at once';

export interface StrangerTallyDependencies {
  readonly writer: DeskWriter;
  readonly audit: AuditTrail;
  readonly clock: Clock;
}

export class StrangerTally {
  readonly #deps: StrangerTallyDependencies;
  #counts = new Map<StrangerCause, number>();
  /** Runs while no record may be written yet. */
  #timer: Timer | undefined;

  constructor(deps: StrangerTallyDependencies) {
    this.#deps = deps;
  }

  /** Fulfils when the record is durable, where one is due. Rejects with CardeaError `store-write-failed`. */
  async note(cause: StrangerCause): Promise<void> {
    this.#counts.set(cause, (this.#counts.get(cause) ?? 0) + 1);
    if (this.#timer === undefined) await this.#record();
  }

  /** Writes what is counted. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    if (this.#counts.size > 0) await this.#write();
  }

  async #record(): Promise<void> {
    this.#timer = this.#deps.clock.schedule(NOT_SOONER_THAN, () => {
      this.#timer = undefined;
      // A write that fails ends the desk; nobody waits for this one.
      if (this.#counts.size > 0) this.#record().catch(() => {});
    });
    await this.#write();
  }

  async #write(): Promise<void> {
    const { writer, audit, clock } = this.#deps;
    const detail = [...this.#counts].map(([cause, count]) => `${cause}: ${count}`).join(', ');
    this.#counts = new Map();
    const entry = {
      operator: 'unknown',
      action: 'sign-in',
      outcome: 'refused',
      code: 'not-signed-in',
      detail,
    } as const;
    await writer.write([audit.append(entry, clock.now())]);
  }
}
