// The admin socket: HTTP over a Unix socket, for whoever may open the file. Bounded in connections, size and time; a follower
// that does not read is dropped; no request, however malformed, has any effect beyond its refusal.

import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { milliseconds } from '../domain/units.ts';
import { CardeaError, type ErrorCode, errorMessage } from '../errors.ts';
import type { Log } from '../log.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import { readRequest } from './http-request.ts';
import { type AdminDependencies, AdminOperations } from './operations.ts';
import { type CallName, PROTOCOL_HEADER, PROTOCOL_VERSION, type Refusal, type StreamName } from './protocol.ts';
import {
  type Fields,
  parseAcceptEpoch,
  parseBackup,
  parseCard,
  parseCards,
  parseClearAlarms,
  parseDoorCommand,
  parseEvents,
  parseExplain,
  parseLine,
  parseLockdown,
  parseNothing,
  parseRecords,
  parseReport,
  parseResetPassback,
  parseRestoreBegin,
  parseRestoreEnd,
  parseRestorePage,
  parseSelection,
  parseTap,
  parseZone,
} from './requests.ts';
import { listenOnSocket } from './socket-file.ts';

export const MAX_CONNECTIONS = 32;
/** So many of the connections may be streams, as of those who follow events; the others are free for commands. */
export const MAX_FOLLOWERS = 8;
const MAX_HEADER_BYTES = 8 * 1024;
/** For a request to arrive, in milliseconds. */
const REQUEST_LIMIT = 10_000;
/** For an operation to answer; a disk may be slow, and the client waits a little longer than this. */
export const ANSWER_LIMIT = milliseconds(20_000);
/** For a follower to read what it was sent. */
export const FOLLOWER_LIMIT = milliseconds(30_000);

export interface RunningAdmin {
  /** To be called after each committed batch. */
  onCommitted(): void;
  /** Ends every connection and removes the socket. Idempotent. */
  close(): Promise<void>;
}

/** Rejects with CardeaError `socket-in-use` or `socket-unavailable`. */
export const startAdmin = async (options: {
  readonly socket: string;
  readonly operations: AdminDependencies;
}): Promise<RunningAdmin> => {
  const { clock, log } = options.operations;
  const operations = new AdminOperations(options.operations);
  const server = new AdminServer({ operations, clock, log });
  await server.listen(options.socket);
  return { onCommitted: () => operations.onCommitted(), close: () => server.close() };
};

const STREAMS: readonly string[] = [
  'events',
  'select-events',
  'records',
  'cards',
  'backup-records',
] satisfies readonly StreamName[];
const isStream = (call: CallName): call is StreamName => STREAMS.includes(call);

const STATUS_CODES: Partial<Record<ErrorCode, number>> = {
  'invalid-request': 400,
  'unknown-door': 404,
  'unknown-reader': 404,
  'unknown-line': 404,
  'unknown-zone': 404,
  'not-simulated': 409,
  'store-key-wrong': 409,
  'store-key-unusable': 409,
  'backup-invalid': 409,
  'request-too-large': 413,
  'store-write-failed': 503,
  'disk-full': 507,
  overloaded: 503,
  'timed-out': 504,
};

interface Dependencies {
  readonly operations: AdminOperations;
  readonly clock: Clock;
  readonly log: Log;
}

class AdminServer {
  readonly #deps: Dependencies;
  readonly #http: Server;
  /** Requests that have no answer yet; pipelined ones share a connection. */
  #open = 0;
  /** Streams that have not ended. */
  #followers = 0;

  constructor(deps: Dependencies) {
    this.#deps = deps;
    this.#http = createServer(
      {
        maxHeaderSize: MAX_HEADER_BYTES,
        headersTimeout: REQUEST_LIMIT,
        requestTimeout: REQUEST_LIMIT,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => void this.#serve(request, response),
    );
    this.#http.maxConnections = MAX_CONNECTIONS;
    this.#http.on('drop', () => deps.log.warn({ limit: MAX_CONNECTIONS }, 'too many connections to the admin socket'));
  }

  listen(path: string): Promise<void> {
    return listenOnSocket(this.#http, path);
  }

  async close(): Promise<void> {
    if (!this.#http.listening) return;
    const closed = new Promise<void>((resolve) => this.#http.close(() => resolve()));
    this.#http.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.setHeader(PROTOCOL_HEADER, PROTOCOL_VERSION);
    response.on('error', () => response.destroy());
    this.#open += 1;
    try {
      if (this.#open > MAX_CONNECTIONS) {
        throw new CardeaError('overloaded', `${MAX_CONNECTIONS} requests wait for an answer already`);
      }
      const { call, fields } = await readRequest(request);
      if (isStream(call)) await this.#stream(response, call, fields);
      else this.#send(response, 200, await this.#inTime(this.#answer(call, fields)));
    } catch (error) {
      this.#refuse(response, error);
    } finally {
      this.#open -= 1;
    }
  }

  async #answer(call: Exclude<CallName, StreamName>, fields: Fields): Promise<object> {
    const { operations } = this.#deps;
    switch (call) {
      case 'status':
        parseNothing(fields);
        return operations.status();
      case 'card':
        return operations.card(parseCard(fields));
      case 'explain':
        return operations.explain(parseExplain(fields));
      case 'door-command':
        return operations.commandDoor(parseDoorCommand(fields));
      case 'lockdown':
        return operations.lockdown(parseLockdown(fields));
      case 'accept-epoch':
        return operations.acceptEpoch(parseAcceptEpoch(fields));
      case 'clear-alarms':
        return operations.clearAlarms(parseClearAlarms(fields));
      case 'rotate-store':
        return operations.rotateStore(parseClearAlarms(fields));
      case 'store-rotation':
        parseNothing(fields);
        return operations.storeRotation();
      case 'zone':
        return operations.zone(parseZone(fields));
      case 'reset-passback':
        return operations.resetPassback(parseResetPassback(fields));
      case 'tap':
        return operations.tap(parseTap(fields));
      case 'line':
        return operations.setLine(parseLine(fields));
      case 'report':
        return operations.report(parseReport(fields));
      case 'backup':
        return operations.backups.announce(parseBackup(fields));
      case 'restore-begin':
        return operations.backups.begin(parseRestoreBegin(fields));
      case 'restore-page':
        return operations.backups.page(parseRestorePage(fields));
      case 'restore-end':
        return operations.backups.end(parseRestoreEnd(fields));
    }
  }

  /** Throws CardeaError `invalid-request`. */
  #lines(call: StreamName, fields: Fields, signal: AbortSignal): AsyncIterable<object> {
    const { operations } = this.#deps;
    switch (call) {
      case 'events':
        return operations.events(parseEvents(fields), signal);
      case 'records':
        return operations.records(parseRecords(fields), signal);
      case 'select-events':
        return operations.selectEvents(parseSelection(fields), signal);
      case 'cards':
        return operations.cards(parseCards(fields), signal);
      case 'backup-records':
        parseNothing(fields);
        return operations.backups.records(signal);
    }
  }

  async #stream(response: ServerResponse, call: StreamName, fields: Fields): Promise<void> {
    const gone = new AbortController();
    response.on('close', () => gone.abort());
    const lines = this.#lines(call, fields, gone.signal);
    if (this.#followers >= MAX_FOLLOWERS) {
      throw new CardeaError('overloaded', `${MAX_FOLLOWERS} others read along already; end one of them first`);
    }
    this.#followers += 1;
    try {
      await this.#write(response, lines, gone.signal);
    } finally {
      this.#followers -= 1;
    }
  }

  async #write(response: ServerResponse, lines: AsyncIterable<object>, signal: AbortSignal): Promise<void> {
    response.setHeader('content-type', 'application/x-ndjson');
    response.flushHeaders();
    for await (const line of lines) {
      if (!response.write(`${JSON.stringify(line)}\n`) && !(await this.#isDrained(response, signal))) return;
    }
    if (!signal.aborted) response.end();
  }

  /** Waits until the follower has read; false when it is gone, or was dropped because it does not read. */
  async #isDrained(response: ServerResponse, signal: AbortSignal): Promise<boolean> {
    const { clock, log } = this.#deps;
    if (signal.aborted) return false;
    return await new Promise<boolean>((resolve) => {
      const finish = (isDrained: boolean): void => {
        timer.cancel();
        response.off('drain', onDrain);
        signal.removeEventListener('abort', onAbort);
        resolve(isDrained);
      };
      const onDrain = (): void => finish(true);
      const onAbort = (): void => finish(false);
      const timer = clock.schedule(FOLLOWER_LIMIT, () => {
        log.warn({}, 'stream dropped: its reader does not read');
        response.destroy();
        finish(false);
      });
      response.once('drain', onDrain);
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  async #inTime<T>(answer: Promise<T>): Promise<T> {
    let timer: Timer | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = this.#deps.clock.schedule(ANSWER_LIMIT, () =>
        reject(
          new CardeaError(
            'timed-out',
            'there was no answer in 20 seconds; a command may have taken effect all the same',
          ),
        ),
      );
    });
    try {
      return await Promise.race([answer, late]);
    } finally {
      timer?.cancel();
    }
  }

  #refuse(response: ServerResponse, error: unknown): void {
    const refusal = this.#refusalOf(error);
    if (response.headersSent) {
      response.end(`${JSON.stringify(refusal)}\n`);
      return;
    }
    // What was not read of the request would be taken for the next one.
    response.setHeader('connection', 'close');
    const status = error instanceof CardeaError ? (STATUS_CODES[error.code] ?? 500) : 500;
    this.#send(response, status, refusal);
  }

  #refusalOf(error: unknown): Refusal {
    if (error instanceof CardeaError) return { type: 'refusal', code: error.code, message: error.message };
    this.#deps.log.error({ err: errorMessage(error) }, 'admin request failed');
    return { type: 'refusal', code: 'internal-error', message: 'the gateway failed over this request; see its log' };
  }

  #send(response: ServerResponse, status: number, body: object): void {
    if (response.destroyed) return;
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  }
}
