// From an HTTP request to the name of a call and its fields. Bounded in size; refuses with CardeaError `invalid-request` or
// `request-too-large`.

import type { IncomingMessage } from 'node:http';
import { CardeaError } from '../errors.ts';
import { CALL_METHODS, CALL_NAMES, type CallName, MAX_PAGE_BYTES } from './protocol.ts';
import type { Fields } from './requests.ts';

/** Far more than any request needs. */
export const MAX_BODY_BYTES = 16 * 1024;

/** Rejects when the request is no call of the protocol, is too large, or breaks off. */
export const readRequest = async (
  request: IncomingMessage,
): Promise<{ readonly call: CallName; readonly fields: Fields }> => {
  const url = parseUrl(request.url ?? '');
  const call = CALL_NAMES.find((name) => url.pathname === `/${name}`);
  if (call === undefined) throw refused(`there is no such call; the calls are ${CALL_NAMES.join(', ')}`);
  if (request.method !== CALL_METHODS[call]) throw refused(`${call} is called with ${CALL_METHODS[call]}`);
  if (request.method === 'GET') return { call, fields: queryFields(url) };
  const limit = call === 'restore-page' ? MAX_PAGE_BYTES : MAX_BODY_BYTES;
  return { call, fields: bodyFields(await readBody(request, limit)) };
};

const refused = (message: string): CardeaError => new CardeaError('invalid-request', message);

const parseUrl = (text: string): URL => {
  if (!text.startsWith('/') || !URL.canParse(`http://gateway${text}`)) throw refused('the path does not parse');
  return new URL(`http://gateway${text}`);
};

const queryFields = (url: URL): Fields => {
  const fields = new Map<string, unknown>();
  for (const [name, value] of url.searchParams) {
    if (fields.has(name)) throw refused('a parameter is given twice');
    fields.set(name, value);
  }
  return fields;
};

const bodyFields = (body: Uint8Array): Fields => {
  const content = parseJson(body);
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw refused('the body of the request is not a JSON object');
  }
  return new Map(Object.entries(content));
};

const parseJson = (bytes: Uint8Array): unknown => {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    throw refused('the body of the request is not JSON in UTF-8');
  }
};

const readBody = (request: IncomingMessage, limit: number): Promise<Uint8Array> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    request.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size <= limit) {
        chunks.push(chunk);
        return;
      }
      // Not destroyed: the refusal still has to go out on the same connection.
      request.pause();
      reject(new CardeaError('request-too-large', `a request may have ${limit} bytes`));
    });
    request.once('end', () => resolve(Buffer.concat(chunks)));
    request.once('close', () => reject(refused('the request broke off')));
    request.once('error', () => reject(refused('the request broke off')));
  });
