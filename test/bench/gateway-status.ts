// Asks running gateways through their admin sockets, as often as a measurement needs.

import { request } from 'node:http';
import type { StatusAnswer, TapAnswer } from '../../src/admin/protocol.ts';

type Status = StatusAnswer['status'];

const call = <Answer>(socketPath: string, path: string, body?: object): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, method: body === undefined ? 'GET' : 'POST' }, (answer) => {
      let text = '';
      answer.on('data', (chunk: Buffer) => {
        text += chunk.toString();
      });
      answer.on('end', () => resolve(JSON.parse(text)));
    });
    asked.on('error', reject);
    asked.end(body === undefined ? undefined : JSON.stringify(body));
  });

export const statusOf = async (socket: string): Promise<Status> => (await call<StatusAnswer>(socket, '/status')).status;

/** Holds a card to the reader `front-in`. */
export const tapAt = (socket: string, uid: string): Promise<TapAnswer> =>
  call(socket, '/tap', { reader: 'front-in', uid, operator: 'bench' });

/** Asks every `every` milliseconds until `isThere`; resolves with the time it took. */
export const untilStatus = async (
  socket: string,
  isThere: (status: Status) => boolean,
  every = 20,
): Promise<{ readonly milliseconds: number; readonly status: Status }> => {
  const start = performance.now();
  for (;;) {
    const status = await statusOf(socket);
    if (isThere(status)) return { milliseconds: performance.now() - start, status };
    await new Promise((resolve) => setTimeout(resolve, every));
  }
};

/** What the bundled gateway is configured with in all measurements. */
export const benchConfiguration = (port: number, folder: string, gateway = 'bench'): string => `
site: hq
gateway: ${gateway}
dataDir: ${folder}/data
mqtt: { url: 'mqtt://127.0.0.1:${port}' }
trust: { messages: unsigned }
clock: { trust: always }
gpio: { driver: simulated }
doors: { front: { strike: { releaseSeconds: 0.5 } } }
readers: { front-in: { door: front, driver: simulated } }
admin: { socket: ${socketIn(folder)} }
`;

export const socketIn = (folder: string): string => `${folder}/cardea.sock`;
