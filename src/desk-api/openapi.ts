// The description of the API, made of the same schemas that requests and answers are checked with (OpenAPI 3.1).

import swagger, { type SwaggerTransform } from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { jsonSchemaTransform, jsonSchemaTransformObject } from 'fastify-type-provider-zod';
import { DESK_ACTIONS } from '../desk/permissions.ts';
import { VERSION } from '../version.ts';

const DESCRIPTION = `How programs and people work with the desk of a Cardea site: who has which card, what is to become of it, and
what the gateways at the doors have made of that. Errors are problem details (RFC 9457) whose code tells what is wrong. A request that
changes cards may carry an Idempotency-Key: sent again, it is not carried out again.`;

export const describeApi = async (app: FastifyInstance): Promise<void> => {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: { title: 'Cardea desk', description: DESCRIPTION, version: VERSION },
      components: { securitySchemes: { bearer: { type: 'http', scheme: 'bearer' } } },
      security: [{ bearer: [] }],
    },
    transform,
    transformObject: (document) => withoutUnused(withoutReadOnly(jsonSchemaTransformObject(document))),
  });
};

/** With who may, as the central check has it. */
const transform: SwaggerTransform = (document) => {
  const { schema, url } = jsonSchemaTransform(document);
  const { action } = document.route.config ?? {};
  const given = Object(schema);
  if (action === 'anyone') return { url, schema: { ...given, security: [] } };
  const who =
    action === undefined || action === 'signed-in' ? 'everybody who is signed in' : DESK_ACTIONS[action].join(', ');
  const description = [given.description, `Roles: ${who}.`].filter((text) => text !== undefined).join(' ');
  return { url, schema: { ...given, description } };
};

/** `readOnly` means to the schemas that nobody changes a value in place, and to OpenAPI that it is not to be sent. */
const withoutReadOnly = (document: object): Readonly<Record<string, unknown>> =>
  JSON.parse(
    JSON.stringify(document, (key, value) => (key === 'readOnly' && typeof value === 'boolean' ? undefined : value)),
  );

const REFERENCE = /"\$ref":"#\/components\/schemas\/([^"]+)"/g;

/** The library describes every schema that has a name for both directions, whether it goes there or not. */
const withoutUnused = (document: ReturnType<typeof withoutReadOnly>) => {
  const { schemas, ...components } = Object(document['components']);
  const used = new Set<string>();
  const look = (part: unknown): void => {
    for (const [, name = ''] of JSON.stringify(part).matchAll(REFERENCE)) {
      if (used.has(name)) continue;
      used.add(name);
      look(schemas[name]);
    }
  };
  look(document['paths']);
  const kept = Object.entries(Object(schemas)).filter(([name]) => used.has(name));
  return { ...document, components: { ...components, schemas: Object.fromEntries(kept) } };
};
