// Rules between the times of a door: what is meant to be longer is longer.

import { extendedReleaseSeconds, heldOpenSeconds, heldOpenWarningSeconds, releaseSeconds } from './door-schema.ts';
import { atValue, type Finding, type Findings } from './faults.ts';
import type { YamlTree } from './yaml-tree.ts';

export const doorTimes = (tree: YamlTree): Findings => ({
  faults: tree.keys(['doors']).flatMap((door) => [...extendedRelease(tree, door), ...heldOpenWarning(tree, door)]),
});

const extendedRelease = (tree: YamlTree, door: string): readonly Finding[] => {
  const path = ['doors', door, 'strike', 'extendedReleaseSeconds'];
  const extended = tree.read(path, extendedReleaseSeconds);
  const usual = tree.read(['doors', door, 'strike', 'releaseSeconds'], releaseSeconds);
  if (extended === undefined || usual === undefined || extended >= usual) return [];
  return [atValue(path, `${extended} is less than releaseSeconds; allowed: ${usual} or more`)];
};

const heldOpenWarning = (tree: YamlTree, door: string): readonly Finding[] => {
  const path = ['doors', door, 'heldOpenWarningSeconds'];
  const warning = tree.read(path, heldOpenWarningSeconds);
  const limit = tree.read(['doors', door, 'heldOpenSeconds'], heldOpenSeconds);
  if (warning === undefined || limit === undefined || warning < limit) return [];
  return [atValue(path, `${warning} is not before the ${limit} seconds of heldOpenSeconds; allowed: less than those`)];
};
