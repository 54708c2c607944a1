// The days that a report is about. A day is that of the wall clock at the door where something happened, unless one time zone is
// named for all.

import { dateText, localText, parseDate } from '../domain/local-text.ts';
import { type LocalClock, localClock, UTC } from '../domain/local-time.ts';
import { formatInstant, type Instant, instant } from '../domain/units.ts';
import { CardeaError } from '../errors.ts';

const DAY = 86_400_000;
/** No time zone is further from UTC. */
const FURTHEST_ZONE = 14 * 3_600_000;

/** The first and last day; each may be open. */
export interface DateRange {
  readonly from: string | undefined;
  readonly to: string | undefined;
}

/** Throws CardeaError `invalid-request` for what are no dates, or in the wrong order. */
export const parseDates = ({ from, to }: { readonly from?: string; readonly to?: string }): DateRange => {
  for (const date of [from, to]) {
    if (date === undefined || parseDate(date) !== undefined) continue;
    throw new CardeaError('invalid-request', `"${date.slice(0, 40)}" is not a date, such as 2026-11-01`);
  }
  if (from !== undefined && to !== undefined && to < from) {
    throw new CardeaError('invalid-request', `--to ${to} is before --from ${from}`);
  }
  return { from, to };
};

export const isWithin = (date: string, { from, to }: DateRange): boolean =>
  (from === undefined || date >= from) && (to === undefined || date <= to);

/** The instants at which these days may be anywhere on earth, and `daysAround` more, for asking the gateway. */
export const instantsOf = (
  { from, to }: DateRange,
  daysAround: number,
): { readonly from?: string; readonly to?: string } => {
  const at = (date: string, days: number, zone: number): string =>
    formatInstant(instant(Date.parse(`${date}T00:00:00Z`) + days * DAY + zone));
  return {
    ...(from !== undefined && { from: at(from, -daysAround, -FURTHEST_ZONE) }),
    ...(to !== undefined && { to: at(to, daysAround + 1, FURTHEST_ZONE) }),
  };
};

/** Tells the time on the wall at the doors of a gateway. */
export class DoorClocks {
  readonly #zoneOf: (door: string | null) => string;
  readonly #clocks = new Map<string, LocalClock>([['UTC', UTC]]);

  /** Throws CardeaError `invalid-request` for a zone that this computer does not know. */
  constructor(timeZones: Readonly<Record<string, string>>, everywhere: string | undefined) {
    const [first = 'UTC'] = Object.values(timeZones);
    this.#zoneOf = (door) => everywhere ?? timeZones[door ?? ''] ?? first;
    this.of(null);
  }

  /** Of a door that is not here any more, and of no door: as at the first one. */
  of(door: string | null): LocalClock {
    const zone = this.#zoneOf(door);
    const clock = this.#clocks.get(zone) ?? clockOf(zone);
    this.#clocks.set(zone, clock);
    return clock;
  }

  date(at: Instant, door: string | null): string {
    return dateText(this.of(door)(at));
  }

  /** With the offset of the zone. */
  text(at: Instant, door: string | null): string {
    return localText(at, this.of(door));
  }
}

const clockOf = (zone: string): LocalClock => {
  try {
    return localClock(zone);
  } catch {
    throw new CardeaError('invalid-request', `"${zone.slice(0, 40)}" is not a time zone, such as Europe/Berlin`);
  }
};
