// Makes of what is left of a database one that opens. May bring back what was replaced or removed long ago: for copies only.

import { Level } from 'level';

/** Rejects as LevelDB does. */
export const repair = async (directory: string): Promise<void> => {
  // The package's types are those of what it is in a browser, too.
  const database: object = Level;
  if (hasRepair(database)) await database.repair(directory);
};

const hasRepair = (database: object): database is { readonly repair: (directory: string) => Promise<void> } =>
  'repair' in database;
