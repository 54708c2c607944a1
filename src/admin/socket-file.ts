// The file of a Unix socket: made with mode 0660 from its first moment, taken over when nobody answers on it, never taken from
// somebody who does.

import { lstatSync, mkdirSync, unlinkSync } from 'node:fs';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { CardeaError, errorMessage } from '../errors.ts';

/** Everything but reading and writing for owner and group: whoever is in the group is a technician (unix(7)). */
const SOCKET_UMASK = 0o117;
const DIRECTORY_MODE = 0o750;
/** A live gateway accepts in well under this, in milliseconds. */
const PROBE_LIMIT = 1_000;

/**
 * Listens on `path`; its directory is made if it is missing. Rejects with CardeaError `socket-in-use` when somebody answers there,
 * `socket-unavailable` otherwise.
 */
export const listenOnSocket = async (server: Server, path: string): Promise<void> => {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: DIRECTORY_MODE });
    await clearStale(path);
    await bind(server, path);
  } catch (error) {
    throw error instanceof CardeaError ? error : unavailable(path, error);
  }
};

const clearStale = async (path: string): Promise<void> => {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new CardeaError(
      'socket-unavailable',
      `${path} is there already and is not a socket: remove it, or choose another admin.socket`,
    );
  }
  if (await isAnswered(path)) throw inUse(path);
  unlinkSync(path);
};

/** Rejects when it cannot be told, for example because the socket is somebody else's. */
const isAnswered = (path: string): Promise<boolean> =>
  new Promise((resolve, reject) => {
    const probe = connect(path);
    // Somebody holds the socket and is too busy to accept.
    probe.setTimeout(PROBE_LIMIT, () => probe.destroy(inUse(path)));
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', (error) => {
      const code = 'code' in error ? error.code : undefined;
      if (code === 'ECONNREFUSED' || code === 'ENOENT') resolve(false);
      else reject(error);
    });
  });

const bind = (server: Server, path: string): Promise<void> =>
  new Promise((resolve, reject) => {
    server.once('error', reject);
    // The file is made inside listen(); a chmod after it would leave a moment in which anybody may connect.
    const umask = process.umask(SOCKET_UMASK);
    try {
      server.listen(path, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });

const inUse = (path: string): CardeaError =>
  new CardeaError('socket-in-use', `another gateway answers on ${path}: stop it, or choose another admin.socket`);

const unavailable = (path: string, cause: unknown): CardeaError =>
  new CardeaError(
    'socket-unavailable',
    `the admin socket ${path} cannot be made: ${errorMessage(cause)}; see admin.socket in the configuration`,
    { cause },
  );
