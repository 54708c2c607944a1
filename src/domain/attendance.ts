// From taps to days of attendance: when a person came and went, and for how long they were there. The rules, in the order of the log:
//
// 1. An out ends the last in at the same door, else the earliest in that is open: that is a stay. A stay within a stay (an inner
//    door) is not counted twice. An in or out without its other half counts no time and is told; nothing is guessed for it.
// 2. A stay belongs to the day on which it began, with all taps during it: a night belongs to its evening. Nobody stays longer than
//    LONGEST_STAY, and who comes in LONGEST_PAUSE after their last tap begins anew.
// 3. A grant that was not taken is no tap. Of two who pass together each has one.
// 4. Bounded: persons, doors and the days around the present one, however many events there are. Where the clock jumped by days, a day
//    that was over may come again with what is recorded of it later.

import { type AccessEvent, type Direction, memberOf } from './access-event.ts';
import type { JsonValue } from './canonical-json.ts';
import { dateText } from './local-text.ts';
import { type LocalClock, UTC } from './local-time.ts';
import { type Instant, instant } from './units.ts';

const HOUR = 3_600_000;
export const LONGEST_STAY = 16 * HOUR;
export const LONGEST_PAUSE = 10 * HOUR;
/** A second tap the same way at the same door this soon is the same passage, in milliseconds. */
export const REPEAT = 60_000;
/** A door tells within seconds that a grant was not taken; nobody has more grants than these under way. */
const UNDECIDED = 4;

const DAY = 24 * HOUR;
/** After so many taps in a row whose time is a guess there is no better one. */
const MOST_GUESSES = 1000;

/** One person on one day. */
export interface AttendanceDay {
  /** `YYYY-MM-DD` at the door. */
  readonly date: string;
  readonly cardholder: string;
  readonly firstIn: Passage | undefined;
  readonly lastOut: Passage | undefined;
  /** Milliseconds of all stays that begin on the day. */
  readonly present: number;
  readonly unmatchedIns: number;
  readonly unmatchedOuts: number;
  readonly taps: number;
  /** Those of the taps whose time is a guess. */
  readonly guessedTaps: number;
  /** In the order of their first use, as are cards and revisions. */
  readonly doors: readonly string[];
  readonly cards: readonly string[];
  readonly bindingRevisions: readonly number[];
}

/** As much of an event as attendance looks at. */
export type AttendanceEvent = Pick<AccessEvent, 'sequence' | 'time' | 'clockSynchronized' | 'direction' | 'detail'> & {
  readonly event: string;
  readonly door: string | null;
  readonly reader: string | null;
  readonly card: string | null;
  readonly cardholder: string | null;
  readonly bindingRevision: number | null;
};

/** Where and when. */
export interface Passage {
  readonly door: string;
  readonly at: Instant;
}

interface Tap extends Passage {
  readonly sequence: number;
  readonly date: string;
  readonly direction: Direction;
  readonly reader: string | null;
  readonly card: string;
  readonly bindingRevision: number | null;
  readonly isGuessed: boolean;
  /** Who passed on the same grant. */
  readonly companion: string | undefined;
}

type OpenDay = { -readonly [Key in keyof AttendanceDay]: AttendanceDay[Key] } & {
  readonly doors: string[];
  readonly cards: string[];
  readonly bindingRevisions: number[];
};

/** An in that waits for its out. */
interface OpenIn extends Passage {
  readonly day: OpenDay;
  /** Milliseconds of the stays within it. */
  inside: number;
}

interface Person {
  readonly undecided: Tap[];
  /** The outermost first. */
  readonly ins: OpenIn[];
  readonly days: Map<string, OpenDay>;
  last: Tap | undefined;
}

export class AttendanceLedger {
  readonly #clockOf: (door: string) => LocalClock;
  readonly #people = new Map<string, Person>();
  #today = '';
  /** Taps since the last one whose time is none. */
  #guesses = 0;

  /** `clockOf` tells the time on the wall at a door. */
  constructor({ clockOf }: { readonly clockOf: (door: string) => LocalClock }) {
    this.#clockOf = clockOf;
  }

  /** Takes the next event of the log; those that are no taps say nothing. Returns the days that are over now. */
  add(event: AttendanceEvent): readonly AttendanceDay[] {
    const { door, card, cardholder, direction } = event;
    if (door === null || card === null || cardholder === null || direction === null) return [];
    const isGrant = event.event === 'access-granted';
    if (!isGrant && event.event !== 'access-not-taken') return [];
    const at = instant(Date.parse(event.time));
    const date = dateText(this.#clockOf(door)(at));
    this.#guesses = event.clockSynchronized ? 0 : this.#guesses + 1;
    // One tap before the clock was set must not end the day of everybody who is inside.
    const isBelieved = this.#guesses === 0 || this.#guesses > MOST_GUESSES;
    const over = isBelieved ? this.#turnTo(date, at) : [];
    const companion = companionOf(event.detail);
    if (!isGrant) {
      this.#cancel(event);
      return over;
    }
    const { sequence, reader, bindingRevision } = event;
    const tap = { sequence, at, date, door, direction, reader, isGuessed: !event.clockSynchronized };
    this.#take(cardholder, { ...tap, card, bindingRevision, companion: companion?.cardholder });
    if (companion === undefined) return over;
    this.#take(companion.cardholder, { ...tap, card: companion.card, bindingRevision: null, companion: undefined });
    return over;
  }

  /** The days that are left. */
  finish(): readonly AttendanceDay[] {
    return this.#close(() => true);
  }

  #turnTo(date: string, at: Instant): readonly AttendanceDay[] {
    if (date === this.#today) return [];
    this.#today = date;
    // Whatever the zone: yesterday, today and tomorrow are among these.
    const near = [-2, -1, 0, 1, 2].map((days) => dateText(UTC(instant(at + days * DAY))));
    return this.#close((day) => !near.includes(day));
  }

  #take(cardholder: string, tap: Tap): void {
    let person = this.#people.get(cardholder);
    if (person === undefined) {
      person = { undecided: [], ins: [], days: new Map(), last: undefined };
      this.#people.set(cardholder, person);
    }
    person.undecided.push(tap);
    const settled = person.undecided.length > UNDECIDED ? person.undecided.shift() : undefined;
    if (settled !== undefined) settle(person, cardholder, settled);
  }

  /** Takes back the grant that was not taken. */
  #cancel({ reader, card, cardholder }: AttendanceEvent): void {
    const cancelled = this.#withdraw(cardholder, (tap) => tap.reader === reader && tap.card === card);
    if (cancelled?.companion === undefined) return;
    this.#withdraw(cancelled.companion, ({ sequence }) => sequence === cancelled.sequence);
  }

  #withdraw(cardholder: string | null, isMeant: (tap: Tap) => boolean): Tap | undefined {
    const undecided = this.#people.get(cardholder ?? '')?.undecided ?? [];
    const index = undecided.findLastIndex(isMeant);
    return index < 0 ? undefined : undecided.splice(index, 1)[0];
  }

  #close(isOver: (date: string) => boolean): readonly AttendanceDay[] {
    const closed: OpenDay[] = [];
    for (const [cardholder, person] of this.#people) {
      for (let [tap] = person.undecided; tap !== undefined && isOver(tap.date); [tap] = person.undecided) {
        person.undecided.shift();
        settle(person, cardholder, tap);
      }
      for (const [date, day] of person.days) {
        if (!isOver(date)) continue;
        drop(
          person,
          person.ins.filter((open) => open.day === day),
        );
        person.days.delete(date);
        closed.push(day);
      }
      if (person.days.size === 0 && person.undecided.length === 0) this.#people.delete(cardholder);
    }
    return closed.sort((a, b) => compare(a.date, b.date) || compare(a.cardholder, b.cardholder));
  }
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

const companionOf = (detail: JsonValue): { readonly cardholder: string; readonly card: string } | undefined => {
  const companion = memberOf(detail, 'with') ?? null;
  const [cardholder, card] = [memberOf(companion, 'cardholder'), memberOf(companion, 'card')];
  return typeof cardholder === 'string' && typeof card === 'string' ? { cardholder, card } : undefined;
};

const settle = (person: Person, cardholder: string, tap: Tap): void => {
  const { last } = person;
  drop(
    person,
    person.ins.filter(({ at }) => tap.at - at > LONGEST_STAY),
  );
  if (tap.direction === 'in' && last !== undefined && tap.at - last.at > LONGEST_PAUSE) drop(person, person.ins);
  person.last = tap;
  const dayOf = (): OpenDay => person.ins[0]?.day ?? openDay(person, cardholder, tap.date);
  if (last !== undefined && isRepeated(tap, last)) return count(dayOf(), tap);
  if (tap.direction === 'in') {
    const again = person.ins.findIndex(({ door }) => door === tap.door);
    if (again >= 0) drop(person, person.ins.slice(again));
    const day = dayOf();
    count(day, tap);
    const { door, at } = tap;
    day.firstIn ??= { door, at };
    person.ins.push({ door, at, day, inside: 0 });
    return;
  }
  const day = dayOf();
  count(day, tap);
  day.lastOut = { door: tap.door, at: tap.at };
  leave(person, tap, day);
};

/** A tap out: the stay that it ends, if any, is counted. */
const leave = (person: Person, { door, at }: Tap, day: OpenDay): void => {
  const same = person.ins.findLastIndex((open) => open.door === door);
  const index = same >= 0 ? same : 0;
  const begun = person.ins[index];
  if (begun === undefined || at < begun.at) {
    day.unmatchedOuts += 1;
    if (begun !== undefined) drop(person, person.ins.slice(index));
    return;
  }
  const [, ...within] = person.ins.splice(index);
  // Their stays lie within the one that ends now.
  for (const open of within) open.day.unmatchedIns += 1;
  credit(person, index, begun.day, at - begun.at);
};

/** Gives up ins for which no out came; the stays within them count all the same. */
const drop = (person: Person, given: readonly OpenIn[]): void => {
  // The innermost first, so that its stays are handed outwards.
  for (const open of [...given].reverse()) {
    const index = person.ins.indexOf(open);
    person.ins.splice(index, 1);
    open.day.unmatchedIns += 1;
    credit(person, index, open.day, open.inside);
  }
};

/** Time of a stay: it counts for the day, unless the one around it (before `index`) turns out to be a stay itself. */
const credit = ({ ins }: Person, index: number, day: OpenDay, time: number): void => {
  const around = ins[index - 1];
  if (around === undefined) day.present += time;
  else around.inside += time;
};

const isRepeated = (tap: Tap, last: Tap): boolean =>
  tap.door === last.door && tap.direction === last.direction && Math.abs(tap.at - last.at) <= REPEAT;

const openDay = ({ days }: Person, cardholder: string, date: string): OpenDay => {
  const known = days.get(date);
  if (known !== undefined) return known;
  const day: OpenDay = {
    date,
    cardholder,
    firstIn: undefined,
    lastOut: undefined,
    present: 0,
    unmatchedIns: 0,
    unmatchedOuts: 0,
    taps: 0,
    guessedTaps: 0,
    doors: [],
    cards: [],
    bindingRevisions: [],
  };
  days.set(date, day);
  return day;
};

const count = (day: OpenDay, { door, card, bindingRevision, isGuessed }: Tap): void => {
  day.taps += 1;
  if (isGuessed) day.guessedTaps += 1;
  addOnce(day.doors, door);
  addOnce(day.cards, card);
  if (bindingRevision !== null) addOnce(day.bindingRevisions, bindingRevision);
};

const addOnce = <T>(list: T[], member: T): void => {
  if (!list.includes(member)) list.push(member);
};
