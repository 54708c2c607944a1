// Speaks to the desk service over HTTP. What goes wrong becomes a CardeaError that tells a person what to do; what is not an answer
// of the desk's contract is none.
//
// 1. A token goes to its desk alone: no redirect is followed, and nothing is sent in the clear over a network.

import type * as z from 'zod';
import { type Problem, problem } from '../desk-api/contract.ts';
import { CardeaError, type ErrorCode, errorMessage } from '../errors.ts';

/** Beyond what the desk was asked to wait for, in milliseconds. An import of a hundred thousand people takes a while. */
const ANSWER_LIMIT = 120_000;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;

export interface DeskRequest {
  /** Default: GET. */
  readonly method?: 'GET' | 'POST' | 'PATCH' | 'DELETE';
  /** As `pathOf` makes it. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  readonly body?: object;
  /** The request is carried out once, however often it comes. */
  readonly requestId?: string | undefined;
  /** How many seconds the desk was asked to wait. */
  readonly wait?: number;
  readonly signal?: AbortSignal;
}

export interface DeskAddress {
  readonly url: URL;
  readonly token: string | undefined;
}

/** `pathOf`/v1/employees/${id}``: with what is put in as one segment each. */
export const pathOf = (parts: TemplateStringsArray, ...segments: readonly string[]): string =>
  String.raw({ raw: parts }, ...segments.map(encodeURIComponent));

/** Throws CardeaError `invalid-request` for an address that no token may be sent to. */
export const parseDeskUrl = (text: string): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new CardeaError(
      'invalid-request',
      `"${text.slice(0, 100)}" is no address of a desk, such as https://desk:8470`,
    );
  }
  if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname)) {
    const message = `${url.host} is another machine: what goes there in the clear can be read on the way; name https://${url.host}`;
    throw new CardeaError('invalid-request', message);
  }
  if (url.username !== '' || url.password !== '') {
    throw new CardeaError('invalid-request', 'an address with a password in it can be read by others; sign in instead');
  }
  return url;
};

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

export class DeskClient {
  readonly url: string;
  readonly #token: string | undefined;

  constructor({ url, token }: DeskAddress) {
    this.url = `${url.origin}${url.pathname}`.replace(/\/+$/, '');
    this.#token = token;
  }

  /** Rejects with CardeaError `desk-unreachable`, or `desk-refused` or `invalid-request` with what the desk says. */
  async ask<Schema extends z.ZodType>(schema: Schema, request: DeskRequest): Promise<z.output<Schema>> {
    const text = await this.text(request);
    const answer = schema.safeParse(parseJson(text));
    if (answer.success) return answer.data;
    const [issue] = answer.error.issues;
    const where = `${request.path}: ${issue?.path.join('.') ?? ''} ${issue?.message ?? ''}`;
    throw this.#unreachable(`what answers there is no desk of this version (${where})`);
  }

  /** The answer as it stands, empty where there is none. Rejects as `ask`. */
  async text(request: DeskRequest): Promise<string> {
    const response = await this.#fetch(request);
    const text = await this.#read(response, request);
    if (response.ok) return text;
    const refusal = problem.safeParse(parseJson(text));
    if (!refusal.success) throw this.#unreachable(`what answers there is no desk (status ${response.status})`);
    throw refusalError(refusal.data);
  }

  async #fetch({
    method = 'GET',
    path,
    query = {},
    body,
    requestId,
    wait = 0,
    signal,
  }: DeskRequest): Promise<Response> {
    const limit = AbortSignal.timeout(ANSWER_LIMIT + wait * 1000);
    try {
      return await fetch(`${this.url}${path}${queryText(query)}`, {
        method,
        redirect: 'error',
        headers: {
          ...(this.#token !== undefined && { authorization: `Bearer ${this.#token}` }),
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(requestId !== undefined && { 'idempotency-key': requestId }),
        },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        signal: signal === undefined ? limit : AbortSignal.any([signal, limit]),
      });
    } catch (error) {
      throw this.#unreachable(error, requestId);
    }
  }

  async #read(response: Response, { requestId }: DeskRequest): Promise<string> {
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    try {
      for await (const chunk of response.body ?? []) {
        bytes += chunk.byteLength;
        if (bytes > MAX_ANSWER_BYTES) throw this.#unreachable('its answer is too long');
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.#unreachable(error, requestId);
    }
    return Buffer.concat(chunks).toString();
  }

  #unreachable(cause: unknown, requestId?: string): CardeaError {
    if (cause instanceof CardeaError) return cause;
    const { reason, wasSent } = typeof cause === 'string' ? { reason: cause, wasSent: true } : reasonOf(cause);
    const doubt =
      requestId !== undefined && wasSent
        ? `; whether it was done is not known: the same again with --request-id ${requestId} does it once`
        : '';
    return new CardeaError('desk-unreachable', `no desk answers at ${this.url}: ${reason}${doubt}`, { cause });
  }
}

/** The desk's own code for why it refused; undefined for another failure. */
export const refusalCodeOf = (error: unknown): string | undefined => contextOf(error, 'refusal');

/** Where in the request the desk found the fault. */
export const refusalPathOf = (error: unknown): string | undefined => contextOf(error, 'path');

const contextOf = (error: unknown, name: string): string | undefined => {
  const value = error instanceof CardeaError ? error.context[name] : undefined;
  return typeof value === 'string' ? value : undefined;
};

const refusalError = ({ code, detail, path }: Problem): CardeaError => {
  const where = path === undefined ? '' : `${path}: `;
  const text = code === 'not-signed-in' ? SIGN_IN : detail;
  return new CardeaError(errorCodeOf(code), `${where}${text} (${code})`, { context: { refusal: code, path } });
};

export const SIGN_IN = 'the desk does not know who you are, or not any more; sign in with: cardea desk login';

const errorCodeOf = (code: string): ErrorCode => (code === 'invalid-request' ? 'invalid-request' : 'desk-refused');

const queryText = (query: NonNullable<DeskRequest['query']>): string => {
  const given = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) given.set(name, String(value));
  return given.size === 0 ? '' : `?${given}`;
};

const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
};

/** `wasSent`: the desk may have the request. */
const reasonOf = (error: unknown): { readonly reason: string; readonly wasSent: boolean } => {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return { reason: 'it accepts but does not answer; is it stuck?', wasSent: true };
  }
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  switch (code) {
    case 'ECONNREFUSED':
      return { reason: 'is it running? start it with: cardea desk serve', wasSent: false };
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return { reason: 'no machine of that name is known', wasSent: false };
    case 'UND_ERR_SOCKET':
    case 'ECONNRESET':
    case 'EPIPE':
      return { reason: 'it has ended the connection', wasSent: true };
    default:
      if (/CERT|SIGNATURE|ALTNAME/.test(code)) return { reason: certificateText(cause), wasSent: false };
      return { reason: errorMessage(cause), wasSent: true };
  }
};

const certificateText = (cause: unknown): string =>
  `${errorMessage(cause)}; where an authority of your own has signed it, name its PEM file in $NODE_EXTRA_CA_CERTS`;
