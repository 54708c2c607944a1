// Rules of schedules, holidays and access levels: what no calendar may hold, and names that only HR's calendar can fill with a meaning.

import type { z } from 'zod';
import { calendarFaults } from '../domain/calendar-faults.ts';
import { ALWAYS } from '../domain/schedule.ts';
import { holidayList, level, schedule } from './calendar-schema.ts';
import { atKey, atValue, type Finding, type Findings } from './faults.ts';
import { didYouMean } from './nearest-key.ts';
import { clockTrust } from './schema.ts';
import type { YamlTree } from './yaml-tree.ts';

export const calendar = (tree: YamlTree): Findings => {
  const levels = readable(tree, 'levels', level);
  const faults = calendarFaults({
    schedules: readable(tree, 'schedules', schedule),
    holidays: readable(tree, 'holidays', holidayList),
    levels,
  });
  return {
    faults: faults.map(({ path, detail }) => (isNamed(path) ? atKey(path, detail) : atValue(path, detail))),
    warnings: Object.entries(levels).flatMap(([name, grants]) =>
      grants.flatMap(({ doors, schedule }, index) => {
        const grant = ['levels', name, String(index)];
        return [
          ...unknownSchedule(tree, [...grant, 'schedule'], schedule),
          ...doors.flatMap((door, at) => unknownDoor(tree, [...grant, 'doors', String(at)], door)),
        ];
      }),
    ),
  };
};

/** A section, or one schedule, list or level; what lies below stands in lists, which have no keys. */
const isNamed = (path: readonly string[]): boolean => path.length <= 2;

/** What is wrong by itself is told by the schema; its name is known all the same. */
const readable = <Entry>(
  tree: YamlTree,
  section: string,
  schema: z.ZodType<readonly Entry[]>,
): Record<string, readonly Entry[]> =>
  Object.fromEntries(tree.keys([section]).map((name) => [name, tree.read([section, name], schema) ?? []]));

/** A warning where only HR's calendar can give the name a meaning. */
export const unknownSchedule = (tree: YamlTree, path: readonly string[], name: string): readonly Finding[] => {
  const known = tree.keys(['schedules']);
  if (name === ALWAYS || known.includes(name)) return [];
  return [
    atValue(path, `there is no schedule ${name} here; ${didYouMean(name, known)}it opens nothing until HR pushes one`),
  ];
};

/** Sites may give all their gateways the same levels. */
const unknownDoor = (tree: YamlTree, path: readonly string[], door: string): readonly Finding[] => {
  const known = tree.keys(['doors']);
  if (door === '*' || known.includes(door)) return [];
  return [
    atValue(
      path,
      `there is no door ${door} here; ${didYouMean(door, known)}it is right only if another gateway has it`,
    ),
  ];
};

/** Doors that open at the hours of another zone are noticed late. */
export const zonelessSchedules = (tree: YamlTree): Findings => {
  const isZoneless =
    tree.keys(['schedules']).length > 0 &&
    tree.at(['timezone']) === undefined &&
    tree.keys(['doors']).some((door) => tree.at(['doors', door, 'timezone']) === undefined);
  const message = 'are meant in UTC, because there is no timezone; if that is right, write timezone: UTC';
  return { warnings: isZoneless ? [atKey(['schedules'], message)] : [] };
};

/** A clock that is always trusted never meets the policy for one that is not. */
export const idleClockPolicy = (tree: YamlTree): Findings => {
  const path = ['clock', 'untrustedPolicy'];
  const isIdle = tree.read(['clock', 'trust'], clockTrust) === 'always' && tree.at(path) !== undefined;
  return { warnings: isIdle ? [atKey(path, 'has no effect with clock.trust: always')] : [] };
};
