// `store-probe DIRECTORY PARENT read|repair`: reads the database from one end to the other, repaired if it is a copy, in a process of its
// own, which LevelDB may end. What it reads is nobody's concern here: only whether it lives to the end of it.
//
// 1. It ends with the process PARENT that asked: the next start may be at work in the same directory.

import { repair } from './repair-database.ts';
import { handlesOf } from './sublevels.ts';

const [, , directory = '', parent, task] = process.argv;
const end = (): void => {
  process.kill(process.pid, 'SIGKILL');
};
if (String(process.ppid) !== parent) end();
process.stdin.on('end', end).resume();
process.stdin.unref();

try {
  // Ahead of the database, which opens as soon as it is made.
  if (task === 'repair') await repair(directory);
  const { db } = handlesOf(directory);
  await db.open({ createIfMissing: false });
  for await (const _ of db.iterator());
  await db.close();
} catch {
  // Said and not died of: the gateway finds the same, and tells what it means.
}
