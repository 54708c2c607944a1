// Checkpoints of the log: at every start and stop, every so many hours, and after EVENTS_BETWEEN events one record says how far the
// log had come, under the gateway's signature. Kept elsewhere, it proves what was cut off or forged (cardea audit verify).
//
// A checkpoint vouches for exactly the records before it: it is made while nothing else may be recorded.

import type { NewEvent } from '../domain/access-event.ts';
import type { GatewayId, SiteId } from '../domain/ids.ts';
import { formatInstant, type Milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import type { Checkpoint, CheckpointSigner } from '../wire/checkpoint.ts';
import type { LogStatus } from '../wire/status.ts';
import type { SerialWriter } from './serial-writer.ts';

export const EVENTS_BETWEEN = 10_000;

/** Why a checkpoint was made; the `reason` of its event. */
export type CheckpointReason = 'start' | 'stop' | 'time' | 'count';

interface Dependencies {
  readonly site: SiteId;
  readonly gateway: GatewayId;
  readonly writer: Pick<SerialWriter, 'writeAlone'>;
  readonly eventLog: Pick<EventLog, 'tail'>;
  readonly signer: CheckpointSigner;
  /** Between two that time alone asks for. */
  readonly interval: Milliseconds;
  /** SHA-256 of the configuration file, where there is one: the next start compares its own. */
  readonly configuration: () => string | null;
  readonly clock: Clock;
  readonly log: Log;
}

type CheckpointView = LogStatus['checkpoint'];

export class CheckpointKeeper {
  readonly #deps: Dependencies;
  #last: CheckpointView = null;
  /** The end of the log when the last one was asked for: a store that fails is not asked again at once. */
  #askedAt: number | undefined;
  #timer: Timer | undefined;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** The last one of this process. */
  view(): CheckpointView {
    return this.#last;
  }

  /** To be called right after the start was recorded. */
  start(): void {
    void this.#record('start');
  }

  /** The log has grown. */
  onCommitted(): void {
    if (this.#isStopped || this.#askedAt === undefined) return;
    if (this.#deps.eventLog.tail().sequence - this.#askedAt >= EVENTS_BETWEEN) void this.#record('count');
  }

  /** To be called right after the end was recorded; the writer carries it out. */
  stop(): void {
    if (this.#isStopped) return;
    this.#isStopped = true;
    void this.#record('stop');
  }

  async #record(reason: CheckpointReason): Promise<void> {
    const { writer, eventLog, clock, interval, log } = this.#deps;
    this.#askedAt = eventLog.tail().sequence;
    this.#timer?.cancel();
    if (!this.#isStopped) this.#timer = clock.schedule(interval, () => void this.#record('time'));
    try {
      const made = await writer.writeAlone(async (tx) => {
        const checkpoint = this.#checkpointAt(tx.tail());
        const event = await this.#eventOf(checkpoint, reason);
        tx.append(event);
        return checkpoint;
      });
      this.#last = {
        sequence: made.sequence,
        hash: made.hash,
        time: made.time,
        kid: this.#deps.signer?.kid ?? null,
      };
    } catch (error) {
      log.warn({ err: errorMessage(error), reason }, 'checkpoint could not be recorded');
    }
  }

  #checkpointAt({ sequence, hash }: ReturnType<EventLog['tail']>): Checkpoint {
    const { site, gateway, clock } = this.#deps;
    return { type: 'checkpoint', site, gateway, sequence, hash, time: formatInstant(clock.now()) };
  }

  async #eventOf(checkpoint: Checkpoint, reason: CheckpointReason): Promise<NewEvent> {
    const { signer, clock, configuration } = this.#deps;
    const jws = signer === undefined ? null : await signer.sign(JSON.stringify(checkpoint));
    const { sequence: upTo, hash } = checkpoint;
    return {
      event: 'checkpoint',
      at: clock.now(),
      clockSynchronized: clock.isSynchronized(),
      reason,
      detail: { upTo, hash, kid: signer?.kid ?? null, jws, configuration: configuration() },
    };
  }
}
