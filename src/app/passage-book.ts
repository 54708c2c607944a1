// The book of passages: who is held to be inside which zone. Anti-passback judges by it, occupancy and the roll call count it.
//
// 1. Nobody waits for it: a passage counts from the moment the door was opened, and goes to the disk behind the person's back.
// 2. What the disk refuses stays to be written and is tried again; one entry for each zone and person is all there ever is.
// 3. A reset is on disk before it counts, and nothing that was known before it is written after it.

import type { Direction } from '../domain/access-event.ts';
import {
  type AntiPassback,
  judgePassback,
  type KnownPlace,
  type PassbackVerdict,
  placeBehind,
} from '../domain/anti-passback.ts';
import type { CardholderId, DoorId, ZoneId } from '../domain/ids.ts';
import type { Passage, PassageEntry } from '../domain/passage.ts';
import { type Instant, type Milliseconds, type MonotonicTime, milliseconds } from '../domain/units.ts';
import { errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { ZoneStatus } from '../wire/status.ts';
import type { GrantedTap } from './door-controller.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { StoreTransaction } from './store-transaction.ts';

/** How soon passages that the store refused are written again. */
export const WRITE_AGAIN: Milliseconds = milliseconds(5_000);
/** Passages in one piece of work: what comes after it waits for so many records at most. */
const MOST_AT_ONCE = 100;

interface Dependencies {
  /** The zones of this gateway and how each is judged. */
  readonly zones: ReadonlyMap<ZoneId, AntiPassback>;
  /** Into which zone a door leads; doors that lead into none are not named. */
  readonly zoneOfDoor: ReadonlyMap<DoorId, ZoneId>;
  readonly store: Pick<CredentialStore, 'passages' | 'passageEra'>;
  readonly writer: Pick<SerialWriter, 'write'>;
  readonly clock: Clock;
  readonly log: Log;
  /** Something that status shows has changed. */
  readonly onChange: () => void;
}

/** Somebody going through a door. */
export interface Passing {
  readonly door: DoorId;
  readonly direction: Direction;
  readonly cardholder: CardholderId;
}

/** A person in the roll call of a zone. */
export interface Occupant {
  readonly cardholder: CardholderId;
  readonly since: Instant;
  /** The clock was not to be trusted then. */
  readonly isSinceGuessed: boolean;
}

interface Line {
  readonly entry: PassageEntry & { readonly passage: Passage };
  /** When this process heard of it. */
  readonly heardAt: MonotonicTime;
  /** It is of an earlier life of the gateway. */
  readonly isLoaded: boolean;
}

export class PassageBook {
  readonly #deps: Dependencies;
  /** By person and zone. */
  readonly #lines = new Map<CardholderId, Map<ZoneId, Line>>();
  /** What the disk does not have yet. */
  readonly #unwritten = new Set<Line>();
  /** Doors that let everybody pass. */
  readonly #openDoors = new Set<DoorId>();
  #isWriting = false;
  #retry: Timer | undefined;
  #isStopped = false;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** To be awaited before the first tap. */
  async load(): Promise<void> {
    const { store, clock } = this.#deps;
    for await (const { passage, ...entry } of store.passages()) {
      if (passage !== undefined)
        this.#put({ entry: { ...entry, passage }, heardAt: clock.monotonic(), isLoaded: true });
    }
  }

  /** Whether the person may go through the door; `noted` where it is to be recorded that it is a second time. */
  judge({ door, direction, cardholder }: Passing): PassbackVerdict {
    const { zones, zoneOfDoor, store } = this.#deps;
    const zone = zoneOfDoor.get(door);
    const rule = zone && zones.get(zone);
    if (zone === undefined || rule === undefined) return 'clear';
    const line = this.#lines.get(cardholder)?.get(zone);
    const isJudged = line !== undefined && isHeldAgainst(line.entry.passage, store.passageEra());
    return judgePassback(rule, direction, isJudged ? this.#placeOf(line) : undefined);
  }

  /** The door was opened on a grant: the person went through it, and so did who had come first where it takes two. */
  recordTaken(door: DoorId, { direction, cardholder, companion }: GrantedTap): void {
    if (companion !== undefined) this.record({ door, direction, cardholder: companion.cardholder });
    this.record({ door, direction, cardholder });
  }

  /** Somebody went through the door just now. */
  record({ door, direction, cardholder }: Passing): void {
    const { zoneOfDoor, store, clock, onChange } = this.#deps;
    const zone = zoneOfDoor.get(door);
    if (zone === undefined) return;
    const passage: Passage = {
      place: placeBehind(direction),
      at: clock.now(),
      ...(!clock.isSynchronized() && { isAtGuessed: true }),
      era: store.passageEra(),
      ...(this.#isOpenToAll(zone) && { isForgiven: true }),
    };
    this.#putToWrite({ entry: { zone, cardholder, passage }, heardAt: clock.monotonic(), isLoaded: false });
    void this.#write();
    onChange();
  }

  /**
   * Whether a door lets everybody pass. Who goes through it is not seen then: what is known of its zone is counted still, and held
   * against nobody; nor is what is heard of the zone until the door is locked again.
   */
  setOpenToAll(door: DoorId, isOpen: boolean): void {
    const { zones, zoneOfDoor } = this.#deps;
    const zone = zoneOfDoor.get(door);
    if (zone === undefined || zones.get(zone)?.mode === 'off') return;
    if (!isOpen) {
      this.#openDoors.delete(door);
      return;
    }
    this.#openDoors.add(door);
    for (const lines of this.#lines.values()) {
      const line = lines.get(zone);
      if (line === undefined || line.entry.passage.isForgiven === true) continue;
      const passage: Passage = { ...line.entry.passage, isForgiven: true };
      this.#putToWrite({ ...line, entry: { ...line.entry, passage } });
    }
    void this.#write();
  }

  /**
   * Forgets where the person is, in all zones, together with what `record` puts into the same batch. Fulfils when that is durable.
   * Rejects as SerialWriter.write does; then the person is where they were.
   */
  async resetPerson<T>(cardholder: CardholderId, record: (tx: StoreTransaction) => T): Promise<T> {
    const { writer, onChange } = this.#deps;
    const lines = [...(this.#lines.get(cardholder)?.values() ?? [])];
    for (const line of lines) this.#unwritten.delete(line);
    try {
      const result = await writer.write((tx) => {
        for (const { entry } of lines) tx.putPassage({ ...entry, passage: undefined });
        return record(tx);
      });
      for (const line of lines) this.#forget(line);
      onChange();
      return result;
    } catch (error) {
      // What was refused may be on the disk all the same.
      for (const line of lines) if (this.#isCurrent(line)) this.#unwritten.add(line);
      this.#writeLater();
      throw error;
    }
  }

  /** The zones of this gateway and how each is judged. */
  get zones(): ReadonlyMap<ZoneId, AntiPassback> {
    return this.#deps.zones;
  }

  /** The zones in which something is known of the person. */
  zonesOf(cardholder: CardholderId): readonly ZoneId[] {
    // In the store they lie in no order that means anything.
    return [...(this.#lines.get(cardholder)?.keys() ?? [])].sort();
  }

  /** The zones, as status shows them. */
  view(): Readonly<Record<ZoneId, ZoneStatus>> {
    const counts = new Map<ZoneId, number>();
    for (const { entry } of this.#inside()) counts.set(entry.zone, (counts.get(entry.zone) ?? 0) + 1);
    const zones = [...this.#deps.zones].map(
      ([zone, { mode }]) => [zone, { antiPassback: mode, occupancy: counts.get(zone) ?? 0 }] as const,
    );
    return Object.fromEntries(zones);
  }

  /** Who is inside, the longest first. */
  occupants(zone: ZoneId): readonly Occupant[] {
    const inside = [...this.#inside()].filter(({ entry }) => entry.zone === zone);
    return inside
      .map(({ entry: { cardholder, passage } }) => ({
        cardholder,
        since: passage.at,
        isSinceGuessed: passage.isAtGuessed === true,
      }))
      .sort((a, b) => a.since - b.since);
  }

  stop(): void {
    this.#isStopped = true;
    this.#retry?.cancel();
  }

  *#inside(): Generator<Line> {
    for (const lines of this.#lines.values()) {
      for (const line of lines.values()) if (line.entry.passage.place === 'inside') yield line;
    }
  }

  /**
   * For how long at least. In doubt less, which denies: within one life of the gateway the monotonic clock says it alone; before
   * that the wall clock does, if it is trusted now and was then, and otherwise the time counts from the start of the gateway.
   */
  #placeOf({ entry: { passage }, heardAt, isLoaded }: Line): KnownPlace {
    const { clock } = this.#deps;
    const since = clock.monotonic() - heardAt;
    const isDated = isLoaded && clock.isSynchronized() && passage.isAtGuessed !== true;
    const age = isDated ? Math.max(since, clock.now() - passage.at) : since;
    return { place: passage.place, age: milliseconds(age) };
  }

  #put(line: Line): void {
    const { cardholder, zone } = line.entry;
    const lines = this.#lines.get(cardholder) ?? new Map<ZoneId, Line>();
    const before = lines.get(zone);
    if (before !== undefined) this.#unwritten.delete(before);
    this.#lines.set(cardholder, lines.set(zone, line));
  }

  #isOpenToAll(zone: ZoneId): boolean {
    return [...this.#openDoors].some((door) => this.#deps.zoneOfDoor.get(door) === zone);
  }

  #putToWrite(line: Line): void {
    this.#put(line);
    this.#unwritten.add(line);
  }

  #isCurrent(line: Line): boolean {
    const { cardholder, zone } = line.entry;
    return this.#lines.get(cardholder)?.get(zone) === line;
  }

  #forget(line: Line): void {
    const { cardholder, zone } = line.entry;
    if (!this.#isCurrent(line)) return;
    const lines = this.#lines.get(cardholder);
    lines?.delete(zone);
    if (lines?.size === 0) this.#lines.delete(cardholder);
  }

  /** One write at a time, of what there is when its turn comes. */
  async #write(): Promise<void> {
    const { writer, log } = this.#deps;
    if (this.#isWriting) return;
    this.#isWriting = true;
    try {
      while (this.#unwritten.size > 0) {
        const written = await writer.write((tx) => this.#putUnwritten(tx));
        for (const line of written) this.#unwritten.delete(line);
      }
    } catch (error) {
      log.warn(
        { passages: this.#unwritten.size, err: errorMessage(error) },
        'passages could not be stored; trying again',
      );
      this.#writeLater();
    } finally {
      this.#isWriting = false;
    }
  }

  #putUnwritten(tx: StoreTransaction): readonly Line[] {
    const lines = [...this.#unwritten].slice(0, MOST_AT_ONCE);
    for (const { entry } of lines) tx.putPassage(entry);
    return lines;
  }

  #writeLater(): void {
    this.#retry?.cancel();
    if (this.#isStopped || this.#unwritten.size === 0) return;
    this.#retry = this.#deps.clock.schedule(WRITE_AGAIN, () => void this.#write());
  }
}

const isHeldAgainst = ({ era, isForgiven }: Passage, currentEra: number): boolean =>
  isForgiven !== true && era >= currentEra;
