// An MQTT broker inside the gateway's process, for demonstrations and for an HR program on the same machine: MQTT 3.1.1, on
// 127.0.0.1 only, without passwords, kept in memory. Bounded: connections, sessions, packet size, what is queued for a session.

import { createServer, type Server, type Socket } from 'node:net';
import { Aedes, type AuthenticateError, type Client } from 'aedes';
import { seconds } from '../../domain/units.ts';
import { CardeaError, errorMessage } from '../../errors.ts';
import type { Log } from '../../log.ts';
import { PacketGuard } from './packet-guard.ts';
import { limitQueues, type QueueLimits } from './queue-limits.ts';

export interface EmbeddedBrokerOptions {
  /** TCP port on 127.0.0.1; 0 lets the system choose. */
  readonly port: number;
  readonly log: Log;
  /** Default: 10,000 messages and 16 MiB for each session. */
  readonly queueLimits?: QueueLimits | undefined;
}

const HOST = '127.0.0.1';
const MAXIMUM_CONNECTIONS = 64;
/** Sessions that outlive their connection. */
const MAXIMUM_SESSIONS = 64;
/** Bytes after the fixed header; twice the largest message of the contract. */
const PACKET_LIMIT = 1024 * 1024;
const CONNECT_TIMEOUT = seconds(10);
const DEFAULT_QUEUE_LIMITS: QueueLimits = { messages: 10_000, bytes: 16 * 1024 * 1024 };
/** CONNACK return code "server unavailable" (MQTT 3.1.1, 3.2.2.3). */
const SERVER_UNAVAILABLE = 3;

interface Running {
  readonly aedes: Aedes;
  readonly server: Server;
  readonly sockets: Set<Socket>;
}

export class EmbeddedBroker {
  readonly #options: EmbeddedBrokerOptions;
  readonly #log: Log;
  #running: Running | undefined;

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
    this.#log = options.log;
  }

  /** Resolves with the port when clients can connect. Rejects with CardeaError `port-in-use`. */
  async start(): Promise<{ readonly port: number }> {
    const sockets = new Set<Socket>();
    const aedes = await this.#openBroker();
    const server = createServer((socket) => this.#accept(aedes, sockets, socket));
    server.maxConnections = MAXIMUM_CONNECTIONS;
    server.on('drop', () =>
      this.#log.warn({ limit: MAXIMUM_CONNECTIONS }, 'too many connections to the embedded broker'),
    );
    this.#running = { aedes, server, sockets };
    try {
      const port = await listen(server, this.#options.port);
      this.#log.info({ host: HOST, port }, 'embedded broker listening');
      return { port };
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Ends every connection and forgets every message. Idempotent. */
  async stop(): Promise<void> {
    const running = this.#running;
    this.#running = undefined;
    if (running === undefined) return;
    const { aedes, server, sockets } = running;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    await new Promise<void>((resolve) => aedes.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await closed;
  }

  async #openBroker(): Promise<Aedes> {
    const sessions = new Set<string>();
    const aedes = new Aedes({
      connectTimeout: CONNECT_TIMEOUT,
      authenticate: ({ id, clean }, _username, _password, done) => {
        if (!clean && !sessions.has(id) && sessions.size >= MAXIMUM_SESSIONS) {
          done(tooManySessions(), false);
          return;
        }
        if (clean) sessions.delete(id);
        else sessions.add(id);
        done(null, true);
      },
      // aedes delivers at the publisher's QoS in some cases; nobody here is to get QoS 2, which is acknowledged unread.
      authorizeForward: (_client, packet) => {
        if (packet.qos === 2) packet.qos = 1;
        return packet;
      },
    });
    aedes.on('clientError', (client, error) => this.#logClientError(client, error));
    aedes.on('connectionError', (client, error) => this.#logClientError(client, error));
    aedes.addListener('error', (error: unknown) =>
      this.#log.error({ reason: errorMessage(error) }, 'embedded broker failed'),
    );
    await aedes.listen();
    limitQueues(aedes, this.#options.queueLimits ?? DEFAULT_QUEUE_LIMITS, (clientId) => {
      this.#log.warn({ clientId }, 'queue of an absent session is full; dropping messages for it');
    });
    return aedes;
  }

  #accept(aedes: Aedes, sockets: Set<Socket>, socket: Socket): void {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.setNoDelay(true);
    const client = aedes.handle(socket);
    // After aedes has begun to read, so that these are the very chunks it is about to parse.
    const guard = new PacketGuard(PACKET_LIMIT);
    socket.on('data', (chunk: Buffer) => {
      if (!guard.isExceededBy(chunk)) return;
      this.#log.warn(
        { clientId: client.id, limit: PACKET_LIMIT },
        'client announced a packet that is too large; connection closed',
      );
      socket.destroy();
    });
  }

  #logClientError(client: Client, error: Error): void {
    this.#log.debug({ clientId: client.id, reason: errorMessage(error) }, 'client of the embedded broker failed');
  }
}

const tooManySessions = (): AuthenticateError =>
  Object.assign(new CardeaError('overloaded', `The embedded broker keeps ${MAXIMUM_SESSIONS} sessions at most.`), {
    returnCode: SERVER_UNAVAILABLE,
  });

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.on('error', (error) => reject(listenError(error, port)));
    server.listen(port, HOST, () => {
      const address = server.address();
      resolve(typeof address === 'object' && address !== null ? address.port : port);
    });
  });

const listenError = (error: Error, port: number): Error =>
  'code' in error && error.code === 'EADDRINUSE'
    ? new CardeaError(
        'port-in-use',
        `Port ${port} on ${HOST} is taken, perhaps by another MQTT broker or gateway. Stop it, or choose another port with mqtt.embedded.port.`,
        { cause: error, context: { port } },
      )
    : error;
