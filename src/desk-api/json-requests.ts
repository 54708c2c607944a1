// Requests come as JSON and nothing else, and as strictly as messages over MQTT: UTF-8, no name twice, no member that is not in the
// contract.

import type { FastifyInstance, FastifySchemaCompiler } from 'fastify';
import type * as z from 'zod';
import { firstObjection, parseJsonObject, pathText } from '../wire/message-json.ts';
import { RefusedRequest } from './problems.ts';

export const readJson = (app: FastifyInstance): void => {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, async (_request: unknown, body: Buffer) => {
    if (body.length === 0) return undefined;
    const parsed = parseJsonObject(body);
    if ('content' in parsed) return parsed.content;
    const { detail, path } = parsed.fault;
    throw new RefusedRequest({ code: 'not-json', detail: detail.replace('the message', 'the body'), path });
  });
};

/** Tells the first fault, and where it is. */
export const checkRequests: FastifySchemaCompiler<z.ZodType> =
  ({ schema, httpPart }) =>
  (data: unknown) => {
    const result = schema.safeParse(data ?? undefined);
    if (result.success) return { value: result.data };
    const { path = [], message = 'does not read' } = firstObjection(result.error) ?? {};
    const where = pathText(path);
    const what = httpPart === 'body' || httpPart === undefined ? 'the body' : `the ${PARTS[httpPart] ?? httpPart}`;
    const detail = where === '' ? `${what}: ${message}` : `${where} in ${what}: ${message}`;
    return { error: new RefusedRequest({ code: 'invalid-request', detail, path: where === '' ? undefined : where }) };
  };

const PARTS: Readonly<Record<string, string>> = { querystring: 'query', params: 'path', headers: 'headers' };
