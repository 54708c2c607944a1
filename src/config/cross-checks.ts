// Rules between keys. They look at each value that is right by itself, whatever else is wrong in the file, so that all
// faults are told at once. Those about GPIO and SPI stand in hardware-checks.ts, those about the broker in mqtt-checks.ts,
// those about signatures in trust-checks.ts, those about schedules in calendar-checks.ts, those about
// zones in zone-checks.ts, those about backups in backup-checks.ts, warnings of keys that do nothing in idle-keys.ts.

import { SLUG } from '../domain/ids.ts';
import { backups } from './backup-checks.ts';
import { calendar, idleClockPolicy, zonelessSchedules } from './calendar-checks.ts';
import { doorTimes } from './door-checks.ts';
import { atKey, atValue, type Finding, type Findings, showValue } from './faults.ts';
import { longDebounce, missingLines, mixedHardware, sharedLines, sharedSpi } from './hardware-checks.ts';
import { bareInputs, contactless, silentFeedback, wiredSimulation } from './idle-keys.ts';
import { mqttLink } from './mqtt-checks.ts';
import { didYouMean } from './nearest-key.ts';
import { readerDoor, readerRole } from './reader-schema.ts';
import { ID_RULE, MAX_DOORS, MAX_READERS, MAX_ZONES } from './schema-terms.ts';
import { trust } from './trust-checks.ts';
import { unlockSchedules } from './unlock-checks.ts';
import { isBlock, type YamlTree } from './yaml-tree.ts';
import { idleTwoPerson, zoneDoors, zones } from './zone-checks.ts';

export const crossCheck = (tree: YamlTree): Required<Findings> => {
  const checks = [
    mqttLink,
    trust,
    counts,
    ids,
    doorTimes,
    missingLines,
    sharedLines,
    sharedSpi,
    longDebounce,
    readerDoors,
    idleDoors,
    unlockSchedules,
    mixedHardware,
    contactless,
    wiredSimulation,
    bareInputs,
    silentFeedback,
    calendar,
    zonelessSchedules,
    idleClockPolicy,
    zones,
    zoneDoors,
    idleTwoPerson,
    backups,
  ];
  const all = checks.map((check) => check(tree));
  return { faults: all.flatMap(({ faults }) => faults ?? []), warnings: all.flatMap(({ warnings }) => warnings ?? []) };
};

const counts = (tree: YamlTree): Findings => {
  const doors = tree.keys(['doors']).length;
  const readers = tree.keys(['readers']).length;
  const zones = tree.keys(['zones']).length;
  const isDoorless = isBlock(tree.at(['doors'])) && doors === 0;
  return {
    faults: [
      ...(isDoorless || doors > MAX_DOORS
        ? [atKey(['doors'], `there are ${doors} doors; allowed: 1 to ${MAX_DOORS}`)]
        : []),
      ...(readers > MAX_READERS
        ? [atKey(['readers'], `there are ${readers} readers; allowed: at most ${MAX_READERS}`)]
        : []),
      ...(zones > MAX_ZONES ? [atKey(['zones'], `there are ${zones} zones; allowed: at most ${MAX_ZONES}`)] : []),
    ],
    warnings: readers === 0 ? [atKey(['readers'], 'there are no readers; cards open nothing here')] : [],
  };
};

/** Here rather than as the schema's key type, which would not look into a block whose key is wrong. */
const ids = (tree: YamlTree): Findings => {
  const blocks = ['zones', 'doors', 'readers'].flatMap((section) =>
    tree.keys([section]).map((key) => [section, key] as const),
  );
  const wrong = blocks.filter(([, key]) => !SLUG.test(key));
  return { faults: wrong.map(([section, key]) => atKey([section, key], `${showValue(key)} is not an id; ${ID_RULE}`)) };
};

const readerDoors = (tree: YamlTree): Findings => {
  const doors = tree.keys(['doors']);
  const faults = tree.keys(['readers']).flatMap((reader): readonly Finding[] => {
    const block = ['readers', reader];
    const path = [...block, 'door'];
    const role = tree.read([...block, 'role'], readerRole);
    if (isBlock(tree.at(block)) && tree.at(path) === undefined) {
      if (role === undefined || role === 'enrolment') return [];
      const message = `is missing; a reader with role ${role} needs one of the doors: ${doors.join(', ')}`;
      return [atValue(path, message)];
    }
    const door = tree.read(path, readerDoor);
    if (door === undefined || doors.includes(door)) return [];
    return [atValue(path, `there is no door ${door}; ${didYouMean(door, doors)}allowed: ${doors.join(', ')}`)];
  });
  return { faults };
};

/** What opens a door without a reader. */
const OPENED_BY = ['exitButton', 'unlockSchedule'];

const idleDoors = (tree: YamlTree): Findings => {
  const served = new Set(tree.keys(['readers']).map((reader) => tree.at(['readers', reader, 'door'])));
  const idle = tree
    .keys(['doors'])
    .filter((door) => !served.has(door))
    .filter((door) => OPENED_BY.every((key) => tree.at(['doors', door, key]) === undefined));
  return {
    warnings: idle.map((door) =>
      atKey(['doors', door], 'has neither a reader nor an exit button; only commands open it'),
    ),
  };
};
