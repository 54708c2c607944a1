// Rules of zones and of doors that nobody enters alone: names that have to exist, and rules that the readers at the doors make idle.

import { doorZone } from './door-schema.ts';
import { atKey, atValue, type Finding, type Findings } from './faults.ts';
import { didYouMean } from './nearest-key.ts';
import { reader } from './reader-schema.ts';
import type { YamlTree } from './yaml-tree.ts';
import { antiPassback } from './zone-schema.ts';

/** A door leads into a zone that there is. */
export const zoneDoors = (tree: YamlTree): Findings => {
  const known = tree.keys(['zones']);
  const faults = tree.keys(['doors']).flatMap((door): readonly Finding[] => {
    const path = ['doors', door, 'zone'];
    const zone = tree.read(path, doorZone);
    if (zone === undefined || known.includes(zone)) return [];
    const allowed = known.length === 0 ? 'describe it under zones' : `allowed: ${known.join(', ')}`;
    return [atValue(path, `there is no zone ${zone}; ${didYouMean(zone, known)}${allowed}`)];
  });
  return { faults };
};

/** Nobody is inside a zone that nobody is seen to enter, and everybody stays in one that nobody is seen to leave. */
export const zones = (tree: YamlTree): Findings => {
  const warnings = tree.keys(['zones']).flatMap((zone): readonly Finding[] => {
    const block = ['zones', zone];
    const mode = tree.read([...block, 'antiPassback'], antiPassback);
    const idleMinutes =
      tree.at([...block, 'timedMinutes']) !== undefined && mode !== undefined && mode !== 'timed'
        ? [atKey([...block, 'timedMinutes'], 'has no effect without antiPassback: timed')]
        : [];
    return [...idleMinutes, ...unseen(tree, zone, mode)];
  });
  return { warnings };
};

const unseen = (tree: YamlTree, zone: string, mode: string | undefined): readonly Finding[] => {
  const block = ['zones', zone];
  const doors = tree.keys(['doors']).filter((door) => tree.at(['doors', door, 'zone']) === zone);
  if (doors.length === 0) return [atKey(block, 'no door leads into it; name it in doors.<id>.zone')];
  const ways = new Set(doors.flatMap((door) => waysThrough(tree, door)));
  if (!ways.has('in')) {
    return [atKey(block, 'no reader with direction in leads into it: nobody is ever inside')];
  }
  if (ways.has('out') || mode === 'timed') return [];
  const consequence =
    mode === 'hard'
      ? 'whoever has entered is denied ever after, until reset'
      : 'whoever has entered counts as inside ever after';
  return [atKey(block, `no reader with direction out leads out of it: ${consequence}`)];
};

/** Which ways people go who tap at a door's readers. */
const waysThrough = (tree: YamlTree, door: string): readonly ('in' | 'out')[] =>
  tree.keys(['readers']).flatMap((id) => {
    const block = ['readers', id];
    if (tree.at([...block, 'door']) !== door) return [];
    const { role, direction } = reader.shape;
    if (tree.read([...block, 'role'], role) === 'enrolment') return [];
    const way = tree.read([...block, 'direction'], direction);
    return way === undefined ? [] : [way];
  });

/** The rule is for those who enter. */
export const idleTwoPerson = (tree: YamlTree): Findings => {
  const paths = tree
    .keys(['doors'])
    .filter((door) => tree.at(['doors', door, 'twoPerson']) !== undefined && !waysThrough(tree, door).includes('in'))
    .map((door) => ['doors', door, 'twoPerson']);
  return {
    warnings: paths.map((path) => atKey(path, 'has no effect without a reader with direction in at this door')),
  };
};
