// What the log says of the gateway's own life: every start, with how the life before it ended; every stop; every change of the
// configuration file, found at a start or brought by a reload.

import { type AccessEvent, memberOf, type NewEvent } from '../domain/access-event.ts';
import type { ConfigurationFile } from '../domain/configuration-file.ts';
import type { TrustedKey } from '../domain/trusted-key.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import { EVENTS_BETWEEN } from './checkpoints.ts';
import { readSlots } from './read-log.ts';
import type { SerialWriter } from './serial-writer.ts';

/** Records that are read in one go while looking for the life before. */
const PAGE = 200;
/** In so many records there is a checkpoint, unless the store failed when one was due. */
const LOOK_BACK = 2 * EVENTS_BETWEEN;

/** How the life before ended: in order, or in a crash or power cut; null where the log does not tell. */
export type PreviousLife = 'clean' | 'unclean' | null;

interface Dependencies {
  readonly writer: Pick<SerialWriter, 'record'>;
  readonly eventLog: Pick<EventLog, 'tail' | 'entriesAfter'>;
  readonly version: string;
  /** Undefined for a gateway that was started without a file. */
  readonly configuration: ConfigurationFile | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export class GatewayLife {
  readonly #deps: Dependencies;
  #configuration: ConfigurationFile | undefined;
  #previous: { readonly end: PreviousLife; readonly configuration: string | null } = { end: null, configuration: null };

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#configuration = deps.configuration;
  }

  /** Hash of the configuration in use; null where there is no file. */
  configuration(): string | null {
    return this.#configuration?.sha256 ?? null;
  }

  /** Reads what the life before has left. Never rejects: a log that cannot be read does not tell. */
  async lookBack(): Promise<void> {
    try {
      this.#previous = await this.#findPrevious();
    } catch (error) {
      this.#deps.log.warn({ err: errorMessage(error) }, 'how the gateway ended last could not be read');
    }
  }

  started(): void {
    const { version } = this.#deps;
    const { end, configuration: before } = this.#previous;
    const configuration = this.configuration();
    this.#record('gateway-started', { version, previous: end, configuration });
    if (this.#configuration !== undefined && before !== null && before !== configuration) {
      this.#record('configuration-changed', { from: before, to: configuration, file: this.#configuration.file });
    }
  }

  stopped(reason: string): void {
    const { version } = this.#deps;
    this.#record('gateway-stopped', { reason, version, configuration: this.configuration() });
  }

  /** Keys and certificates were read anew; recorded whether or not the file itself has changed. */
  reloaded(
    keys: { readonly before: readonly TrustedKey[]; readonly after: readonly TrustedKey[] },
    file?: ConfigurationFile,
  ): void {
    const from = this.configuration();
    this.#configuration = file ?? this.#configuration;
    this.#record('configuration-changed', {
      from,
      to: this.configuration(),
      file: this.#configuration?.file ?? null,
      keysAdded: without(keys.after, keys.before),
      keysRemoved: without(keys.before, keys.after),
    });
  }

  async #findPrevious(): Promise<{ readonly end: PreviousLife; readonly configuration: string | null }> {
    const { eventLog } = this.#deps;
    const tail = eventLog.tail().sequence;
    for (let end = tail; end > Math.max(0, tail - LOOK_BACK); end -= PAGE) {
      const after = Math.max(0, end - PAGE);
      const page = await readSlots(eventLog, after, end - after);
      const found = page.flatMap(({ entry }) => entry?.event ?? []).findLast(isOfLife);
      if (found !== undefined)
        return { end: endOf(found), configuration: textOf(memberOf(found.detail, 'configuration')) };
    }
    return { end: null, configuration: null };
  }

  #record(event: NewEvent['event'], detail: NewEvent['detail']): void {
    const { writer, clock } = this.#deps;
    writer.record({ event, at: clock.now(), clockSynchronized: clock.isSynchronized(), detail });
  }
}

const isOfLife = ({ event }: AccessEvent): boolean =>
  event === 'checkpoint' || event === 'gateway-started' || event === 'gateway-stopped';

/** The checkpoint of a stop comes after the stop; any other event of a life that follows it tells that there was none. */
const endOf = ({ event, reason }: AccessEvent): PreviousLife =>
  event === 'gateway-stopped' || (event === 'checkpoint' && reason === 'stop') ? 'clean' : 'unclean';

const textOf = (value: unknown): string | null => (typeof value === 'string' ? value : null);

/** Names of the keys that are not among the others; one with the same name and another key is not. */
const without = (keys: readonly TrustedKey[], others: readonly TrustedKey[]): readonly string[] =>
  keys
    .filter(({ kid, publicKey }) => !others.some((other) => other.kid === kid && other.publicKey === publicKey))
    .map(({ kid }) => kid);
