// What the routes have in common: what they are given, who asks, and how one is written.
//
// A file of routes exports a RouteGroup and stands in the list of server.ts. Every route says in `config.action` what it takes: an
// action of permissions.ts, `signed-in` or `anyone`. One that does not is refused when the server starts.

import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyRequest,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import * as z from 'zod';
import type { Accounts } from '../desk/accounts.ts';
import type { Actor } from '../desk/card-requests.ts';
import type { Desk } from '../desk/desk.ts';
import type { LockdownDesk } from '../desk/lockdown-desk.ts';
import type { DeskAction } from '../desk/permissions.ts';
import type { Identity } from '../desk/sign-in.ts';
import type { Clock } from '../ports/clock.ts';
import type { DeskStore } from '../ports/desk-store.ts';
import { PROBLEM_TYPE, problem } from './contract.ts';
import type { LongPolls } from './long-polls.ts';
import { RefusedRequest } from './problems.ts';

export interface RouteContext {
  readonly desk: Desk;
  readonly accounts: Accounts;
  readonly lockdowns: Pick<LockdownDesk, 'order'>;
  /** To be read from; what is written goes through the desk. */
  readonly store: Pick<DeskStore, 'read' | 'entries' | 'keys'>;
  readonly clock: Clock;
  /** To the broker. */
  readonly isConnected: () => boolean;
  readonly longPolls: LongPolls;
}

export type DeskApp = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;

export type RouteGroup = (app: DeskApp, context: RouteContext) => void;

declare module 'fastify' {
  interface FastifyContextConfig {
    /** What a request takes. */
    readonly action?: DeskAction | 'signed-in' | 'anyone';
    /** Whoever has the setup code may, too. */
    readonly isForSetup?: true;
  }

  interface FastifyRequest {
    /** Who asks; null where everybody may. */
    identity: Identity | null;
    /** All of it is there, and reads as a request of its route. */
    isRead: boolean;
  }
}

export type IdentifiedRequest = Pick<FastifyRequest, 'identity'>;

/** Who asks. */
export const knownIdentity = ({ identity }: IdentifiedRequest): Extract<Identity, { kind: 'known' }> => {
  if (identity?.kind === 'known') return identity;
  throw new RefusedRequest({ code: 'not-signed-in', detail: 'sign in first: POST /v1/sessions' });
};

export const actorOf = (request: IdentifiedRequest): Actor => knownIdentity(request).actor;

const problemAnswer = (description: string) => ({
  description,
  content: { [PROBLEM_TYPE]: { schema: problem } },
});

/** Answers that every route may give. */
export const PROBLEMS = {
  '4xx': problemAnswer('The request is refused.'),
  '5xx': problemAnswer('The desk cannot do it now.'),
} as const;

/** With the name of the request, under which it is carried out once. */
export const namedHeaders = z.looseObject({
  'idempotency-key': z
    .string()
    .regex(/^[\x21-\x7e]{1,128}$/, { error: 'must be 1 to 128 printable characters without spaces' })
    .optional()
    .describe('The same request under the same key is carried out once, and answered with the same operation.'),
});

export const nothing = z.undefined().describe('Done.');
