// Backups that the gateway makes by itself: one every so many hours, the last few kept.
//
// 1. An old backup is removed only after a newer one is complete, and never a file with another name or of another gateway.
// 2. A backup that fails is an alarm until one succeeds; it is tried again, less and less often. Doors do not notice either.
// 3. None is begun that would take from the store the room that it needs; that is a failure as any other.
// 4. A clock that is not set delays nothing for ever: without it the time since the start counts.

import { backoffDelay } from '../domain/backoff.ts';
import type { GatewayId, SiteId } from '../domain/ids.ts';
import { formatInstant, type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { BackupFolder } from '../ports/backup-files.ts';
import type { Clock } from '../ports/clock.ts';
import type { EventLog } from '../ports/event-log.ts';
import { LaterWork } from './later-work.ts';

/** How often it is looked whether one is due; the first time so long after the start, when there is less to do. */
const LOOK_EVERY = milliseconds(60_000);
const RETRY = { minimum: LOOK_EVERY, maximum: milliseconds(3_600_000) };

interface Dependencies {
  readonly site: SiteId;
  readonly gateway: GatewayId;
  readonly folder: BackupFolder;
  /** At least one. */
  readonly recipients: readonly string[];
  readonly interval: Milliseconds;
  readonly keep: number;
  /** Header, records, end, as of now. */
  readonly records: () => AsyncIterable<object>;
  readonly eventLog: Pick<EventLog, 'tail'>;
  /** Whether a backup of so many bytes leaves the store the room that it needs. */
  readonly hasRoom: (bytes: number) => boolean;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

/** A backup of this gateway, as its name tells of it. */
interface Made {
  readonly name: string;
  /** By the clock of the gateway, which may have been a guess. */
  readonly at: number;
  readonly sequence: number;
}

export class BackupSchedule {
  readonly #deps: Dependencies;
  readonly #startedAt: MonotonicTime;
  readonly #prefix: string;
  #madeAt: MonotonicTime | undefined;
  #failures = 0;
  #fault: string | undefined;
  readonly #later: LaterWork;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#later = new LaterWork(deps.clock);
    this.#startedAt = deps.clock.monotonic();
    // No id has a dot in it.
    this.#prefix = `cardea.${deps.site}.${deps.gateway}.`;
  }

  start(): void {
    this.#lookIn(LOOK_EVERY);
  }

  /** Fulfils when nothing is under way; a backup that is gets no further. */
  stop(): Promise<void> {
    return this.#later.stop();
  }

  alarms(): readonly string[] {
    return this.#fault === undefined ? [] : [this.#fault];
  }

  #lookIn(delay: Milliseconds): void {
    this.#later.schedule(delay, () => this.#look());
  }

  async #look(): Promise<void> {
    const { log, onChange } = this.#deps;
    try {
      const made = await this.#made();
      const newest = made.at(-1);
      if (this.#isDue(newest)) {
        await this.#checkRoom(newest);
        await this.#make();
      }
      this.#failures = 0;
      if (this.#fault !== undefined) onChange();
      this.#fault = undefined;
      this.#lookIn(LOOK_EVERY);
    } catch (error) {
      if (this.#later.isStopped) return;
      this.#fault = errorMessage(error);
      log.error({ err: this.#fault }, 'no backup could be made; trying again');
      this.#lookIn(backoffDelay(RETRY, this.#failures, 1));
      this.#failures += 1;
      onChange();
    }
  }

  /** The next one will be about as large as the one before. */
  async #checkRoom(newest: Made | undefined): Promise<void> {
    const { folder, hasRoom } = this.#deps;
    if (hasRoom(newest === undefined ? 0 : await folder.sizeOf(newest.name))) return;
    throw new CardeaError('disk-full', 'none is made while the disk, which is that of the store, is nearly full');
  }

  #isDue(newest: Made | undefined): boolean {
    const { clock, interval } = this.#deps;
    if (newest === undefined) return true;
    const age = clock.now() - newest.at;
    // Where the time of the last one is still to come, so is that of all: they say nothing.
    if (this.#madeAt === undefined && clock.isSynchronized()) return age < 0 || age >= interval;
    return clock.monotonic() - (this.#madeAt ?? this.#startedAt) >= interval;
  }

  async #make(): Promise<void> {
    const { folder, recipients, eventLog, clock, log } = this.#deps;
    // The first thing that a full disk needs.
    await this.#remove((await folder.names()).filter((name) => this.#isLeftover(name)));
    const time = formatInstant(clock.now()).replaceAll(/[-:]|\.\d+/g, '');
    const name = `${this.#prefix}${time}.${eventLog.tail().sequence}.age`;
    const { bytes } = await folder.write(name, this.#lines(), { kind: 'recipients', recipients });
    this.#madeAt = clock.monotonic();
    log.info({ file: name, bytes }, 'backup made');
    await this.#removeOld(name);
  }

  async *#lines(): AsyncGenerator<string> {
    for await (const record of this.#deps.records()) {
      if (this.#later.isStopped) throw new CardeaError('backup-failed', 'the gateway stops');
      yield JSON.stringify(record);
    }
  }

  /** The one that was just made stays, whatever the clock has said. */
  async #removeOld(justMade: string): Promise<void> {
    const made = (await this.#made()).filter(({ name }) => name !== justMade);
    const old = made.slice(0, Math.max(0, made.length - this.#deps.keep + 1));
    await this.#remove(old.map(({ name }) => name));
  }

  async #remove(names: readonly string[]): Promise<void> {
    const { folder, log } = this.#deps;
    for (const name of names) {
      await folder.remove(name);
      log.info({ file: name }, 'old backup removed');
    }
  }

  /** What a crash has left of one that was being written. */
  #isLeftover(name: string): boolean {
    return name.startsWith(this.#prefix) && /\.age\.[0-9a-f]{8}\.new$/.test(name);
  }

  /** Oldest first; those whose time is still to come, by a clock that is set, were made when it was not, and go before all others. */
  async #made(): Promise<readonly Made[]> {
    const { clock, folder } = this.#deps;
    const names = await folder.names();
    const now = clock.isSynchronized() ? clock.now() : Number.POSITIVE_INFINITY;
    const isToCome = ({ at }: Made): number => (at > now ? 1 : 0);
    const made = names.flatMap((name): readonly Made[] => {
      const fields = name.startsWith(this.#prefix) ? NAME.exec(name.slice(this.#prefix.length)) : null;
      if (fields === null) return [];
      const [, year, month, day, hour, minute, second, sequence] = fields;
      return [
        { name, at: Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`), sequence: Number(sequence) },
      ];
    });
    return made.sort((a, b) => isToCome(b) - isToCome(a) || a.at - b.at || a.sequence - b.sequence);
  }
}

const NAME = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z\.(\d+)\.age$/;
