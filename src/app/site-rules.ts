// The schedules and access levels in force: the configuration's, and over them those that HR has pushed and the store holds.
//
// 1. In force is what is durable: a calendar counts from when the batch that holds it is committed.
// 2. A stored calendar that is unreadable counts as none: names that only it has defined are unknown, and open nothing.

import { type CalendarDefinition, type CalendarRecord, EMPTY_CALENDAR, mergeCalendars } from '../domain/calendar.ts';
import type { HeldCalendar } from '../domain/calendar-order.ts';
import type { DoorGrant } from '../domain/credential.ts';
import type { ScheduleId } from '../domain/ids.ts';
import type { LocalTime } from '../domain/local-time.ts';
import { compileRules } from '../domain/rule-book.ts';
import { type AccessRules, ALWAYS, unknownNames } from '../domain/schedule.ts';
import type { Log } from '../log.ts';
import type { CredentialStore } from '../ports/credential-store.ts';

interface Dependencies {
  /** That of the configuration. */
  readonly configured: CalendarDefinition;
  readonly store: Pick<CredentialStore, 'calendar'>;
  readonly log: Log;
}

export class SiteRules implements AccessRules {
  readonly #deps: Dependencies;
  #held: HeldCalendar;
  #rules: AccessRules;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#rules = compileRules(deps.configured);
    this.refresh();
  }

  holds(schedule: ScheduleId, at: LocalTime): boolean | undefined {
    return this.#rules.holds(schedule, at);
  }

  isKnownSchedule(schedule: ScheduleId): boolean {
    return this.#rules.isKnownSchedule(schedule);
  }

  level(name: string): readonly DoorGrant[] | undefined {
    return this.#rules.level(name);
  }

  /** HR's calendar as it is in force. */
  get calendar(): CalendarRecord | undefined {
    return this.#held === 'unreadable' ? undefined : this.#held;
  }

  /** Takes what the store holds now into force. */
  refresh(): void {
    const { configured, store, log } = this.#deps;
    const held = store.calendar();
    if (held === this.#held) return;
    this.#held = held;
    this.#rules = compileRules(mergeCalendars(configured, this.calendar?.definition ?? EMPTY_CALENDAR));
    const { revision, messageId } = this.calendar ?? {};
    if (this.calendar === undefined) log.error({}, 'the stored calendar cannot be used');
    else log.info({ revision, messageId }, 'calendar in force');
  }

  /** Names that access levels need, and nobody would define, if HR's calendar were this one. As receipts carry them. */
  unknownWith(definition: CalendarDefinition): readonly string[] {
    const merged = mergeCalendars(this.#deps.configured, definition);
    const isKnownSchedule = (name: string): boolean => name === ALWAYS || Object.hasOwn(merged.schedules, name);
    return unknownNames(Object.values(merged.levels).flat(), { isKnownSchedule, level: () => undefined });
  }

  /** In words; empty when nothing needs attention. */
  alarms(): readonly string[] {
    return this.#held === 'unreadable' ? [UNUSABLE] : [];
  }
}

const UNUSABLE =
  "the one from HR that is stored here cannot be used, and its names open nothing until HR's comes again";
