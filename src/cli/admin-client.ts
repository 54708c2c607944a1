// Speaks to a running gateway over its admin socket. What goes wrong becomes a CardeaError that tells a person what to do.

import { type IncomingMessage, request } from 'node:http';
import {
  CALL_METHODS,
  type CallName,
  type Calls,
  type EventsRequest,
  PROTOCOL_HEADER,
  PROTOCOL_VERSION,
  type Refusal,
  type StreamName,
  type Streams,
} from '../admin/protocol.ts';
import type { AccessEvent } from '../domain/access-event.ts';
import { CardeaError, ERROR_CODES, type ErrorCode, errorMessage } from '../errors.ts';

/** A little longer than the gateway gives itself, in milliseconds. */
const CALL_LIMIT = 25_000;
const MAX_ANSWER_CHARACTERS = 4 * 1024 * 1024;

type Parameters = Readonly<Record<string, unknown>>;

export class AdminClient {
  readonly #socket: string;

  constructor({ socket }: { readonly socket: string }) {
    this.#socket = socket;
  }

  /** Rejects with CardeaError `admin-unreachable`, or with the code under which the gateway refused. */
  async call<Name extends keyof Calls>(name: Name, parameters: Calls[Name]['request']): Promise<Calls[Name]['answer']> {
    const response = await this.#open(name, { ...parameters });
    let text = '';
    for await (const chunk of this.#chunks(response)) {
      text += chunk;
      if (text.length > MAX_ANSWER_CHARACTERS) throw this.#unreachable('its answer is too long');
    }
    const answer = this.#parse(text);
    if (response.statusCode !== 200) throw refusalError(answer);
    // The protocol version of the answer was compared in #open.
    return answer as Calls[Name]['answer'];
  }

  /** Events as they come. Ends when the gateway has sent all; rejects when it breaks off. */
  events(parameters: EventsRequest): AsyncGenerator<AccessEvent> {
    return this.stream('events', parameters);
  }

  /** Lines as they come. Ends when the gateway has sent all; rejects when it breaks off, or `signal` is aborted. */
  async *stream<Name extends StreamName>(
    name: Name,
    parameters: Streams[Name]['request'],
    signal?: AbortSignal,
  ): AsyncGenerator<Streams[Name]['line']> {
    const response = await this.#open(name, { ...parameters }, signal);
    if (response.statusCode !== 200) {
      let text = '';
      for await (const chunk of this.#chunks(response)) text += chunk;
      throw refusalError(this.#parse(text));
    }
    let rest = '';
    for await (const chunk of this.#chunks(response)) {
      const lines = `${rest}${chunk}`.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        // As in call().
        const parsed = this.#parse(line) as Streams[Name]['line'] | Refusal;
        if ('type' in parsed && parsed.type === 'refusal') throw refusalError(parsed);
        yield parsed as Streams[Name]['line'];
      }
    }
  }

  #open(name: CallName, parameters: Parameters, signal?: AbortSignal): Promise<IncomingMessage> {
    const method = CALL_METHODS[name];
    const query = method === 'GET' ? `?${queryOf(parameters)}` : '';
    return new Promise((resolve, reject) => {
      const call = request({
        socketPath: this.#socket,
        path: `/${name}${query}`,
        method,
        agent: false,
        ...(signal !== undefined && { signal }),
      });
      call.once('error', (error) => reject(this.#unreachable(error)));
      call.once('response', (response) => {
        call.setTimeout(0);
        const version = response.headers[PROTOCOL_HEADER];
        if (version === PROTOCOL_VERSION) return resolve(response);
        response.destroy();
        reject(this.#unreachable('what answers there is no gateway of this version; restart it after an upgrade'));
      });
      call.setTimeout(CALL_LIMIT, () =>
        call.destroy(this.#unreachable('it accepts but does not answer; is it stuck?')),
      );
      call.end(method === 'POST' ? JSON.stringify(parameters) : undefined);
    });
  }

  async *#chunks(response: IncomingMessage): AsyncGenerator<string> {
    response.setEncoding('utf8');
    try {
      for await (const chunk of response) yield String(chunk);
    } catch {
      throw this.#unreachable('it has ended the connection');
    }
  }

  #parse(text: string): object {
    try {
      const value: unknown = JSON.parse(text);
      if (typeof value === 'object' && value !== null) return value;
    } catch {
      // Told below.
    }
    throw this.#unreachable('what it says is not JSON');
  }

  #unreachable(cause: Error | string): CardeaError {
    if (cause instanceof CardeaError) return cause;
    const message = `no gateway answers on ${this.#socket}: ${typeof cause === 'string' ? cause : reasonOf(cause)}`;
    return new CardeaError('admin-unreachable', message, { cause });
  }
}

const queryOf = (parameters: Parameters): URLSearchParams =>
  new URLSearchParams(Object.entries(parameters).map(([name, value]): [string, string] => [name, String(value)]));

const HINT = 'is it running? start it with: cardea gateway (or: systemctl start cardea)';

const reasonOf = (error: Error): string => {
  const code = 'code' in error ? error.code : undefined;
  switch (code) {
    case 'ENOENT':
    case 'ECONNREFUSED':
      return HINT;
    case 'EACCES':
    case 'EPERM':
      return 'this user may not open the socket; join its group, or use sudo';
    case 'ECONNRESET':
    case 'EPIPE':
      return 'it has ended the connection; it may be stopping, or have too many connections';
    default:
      return errorMessage(error);
  }
};

const isErrorCode = (code: string): code is ErrorCode => Object.hasOwn(ERROR_CODES, code);

const refusalError = (answer: object): CardeaError => {
  // As in call(): every answer that is no success is a refusal.
  const { code, message } = answer as Refusal;
  return new CardeaError(isErrorCode(code) ? code : 'admin-refused', message);
};
