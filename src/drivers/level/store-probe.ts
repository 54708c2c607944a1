// `store-probe DIRECTORY`: reads the database from one end to the other in a process of its own, which LevelDB may end. What it
// reads is nobody's concern here: only whether it lives to the end of it.

import { handlesOf } from './sublevels.ts';

const [, , directory = ''] = process.argv;
const { db } = handlesOf(directory);
try {
  await db.open({ createIfMissing: false });
  for await (const _ of db.iterator());
} catch {
  // Said and not died of: the gateway finds the same, and tells what it means.
} finally {
  await db.close();
}
