// Rules of doors that a schedule unlocks: a schedule that there is, and a first card that can come.

import { unknownSchedule } from './calendar-checks.ts';
import { unlockSchedule } from './door-schema.ts';
import { atKey, type Finding, type Findings } from './faults.ts';
import { readerRole } from './reader-schema.ts';
import type { YamlTree } from './yaml-tree.ts';

export const unlockSchedules = (tree: YamlTree): Findings => ({
  warnings: tree.keys(['doors']).flatMap((door): readonly Finding[] => {
    const block = ['doors', door, 'unlockSchedule'];
    const unlock = tree.read(block, unlockSchedule);
    if (unlock === undefined) return [];
    const unknown = unknownSchedule(tree, [...block, 'schedule'], unlock.schedule);
    if (!unlock.afterFirstCard || hasReader(tree, door)) return unknown;
    const message = 'waits for ever: there is no reader at this door where a card could be granted';
    return [...unknown, atKey([...block, 'afterFirstCard'], message)];
  }),
});

const hasReader = (tree: YamlTree, door: string): boolean =>
  tree.keys(['readers']).some((id) => {
    const block = ['readers', id];
    return tree.at([...block, 'door']) === door && tree.read([...block, 'role'], readerRole) !== 'enrolment';
  });
