// Who asks, and whether they may: looked at before anything of the body is read, and once more when it is there, which may take a
// while.
//
// 1. Bearer tokens in the header and nothing else: no page in a browser sends one by itself.
// 2. A refusal is in the audit log, also of what does not read as a request; those of whom nobody knows are counted (StrangerTally).

import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { Accounts } from '../desk/accounts.ts';
import { type Auditing, auditedRefusal, notPermitted, shortened } from '../desk/audited-refusal.ts';
import type { Identity } from '../desk/sign-in.ts';
import { CardeaError } from '../errors.ts';
import type { Problem } from './contract.ts';
import { RefusedRequest } from './problems.ts';

const BEARER = /^Bearer +([\x21-\x7e]{1,256}) *$/i;

export interface AuthenticationDependencies extends Auditing {
  readonly accounts: Accounts;
}

export const authenticate = (app: FastifyInstance, deps: AuthenticationDependencies): void => {
  app.decorateRequest('identity', null);
  app.decorateRequest('isRead', false);
  app.addHook('onRoute', ({ method, url, config }) => {
    if (config?.action !== undefined) return;
    throw new CardeaError('internal-error', `the route ${method} ${url} does not say what it takes`);
  });
  const identify = async (request: FastifyRequest): Promise<void> => {
    const { action } = request.routeOptions.config;
    if (action === undefined || action === 'anyone') return;
    deps.writer.requireSound();
    request.identity = await identityOf(request, deps);
  };
  app.addHook('onRequest', identify);
  app.addHook('preHandler', async (request) => {
    request.isRead = true;
    await identify(request);
  });
};

/** Of somebody who is known, whose request does not read as one. Rejects with CardeaError `store-write-failed`. */
export const auditUnread = async (
  request: FastifyRequest,
  { code, detail }: Pick<Problem, 'code' | 'detail'>,
  { writer, audit, clock }: Auditing,
): Promise<void> => {
  const { identity, isRead, routeOptions } = request;
  const { action } = routeOptions.config;
  if (isRead || identity?.kind !== 'known' || action === undefined) return;
  const subject = subjectOf(request);
  const entry = {
    operator: identity.actor.name,
    action,
    outcome: 'refused',
    subject: subject === null ? null : shortened(subject),
    code,
    detail: shortened(detail),
  } as const;
  await writer.write([audit.append(entry, clock.now())]);
};

const identityOf = async (request: FastifyRequest, deps: AuthenticationDependencies): Promise<Identity> => {
  const { signIn, strangers } = deps.accounts;
  const { action, isForSetup } = request.routeOptions.config;
  const [, token] = BEARER.exec(request.headers.authorization ?? '') ?? [];
  if (token === undefined) throw new RefusedRequest(NO_TOKEN);
  const identity = signIn.identify(token);
  if (identity === undefined || (identity.kind === 'setup' && isForSetup !== true)) {
    await strangers.note('unknown tokens');
    throw new RefusedRequest(identity === undefined ? NOT_A_TOKEN : ONLY_SETUP);
  }
  if (identity.kind === 'setup' || action === undefined || action === 'anyone' || action === 'signed-in')
    return identity;
  const refusal = notPermitted(identity.actor, action);
  if (refusal === undefined) return identity;
  const attempt = { operator: identity.actor.name, action, subject: subjectOf(request) };
  throw new RefusedRequest((await auditedRefusal(deps, attempt, refusal)).refusal);
};

/** What the path names, such as the person. */
const subjectOf = ({ params }: FastifyRequest): string | null => {
  const [subject] = Object.values(Object(params));
  return typeof subject === 'string' ? subject : null;
};

const NO_TOKEN = {
  code: 'not-signed-in',
  detail: 'this takes a bearer token: sign in with POST /v1/sessions',
} as const;
const NOT_A_TOKEN = { code: 'not-signed-in', detail: 'the token is none, or not any more; sign in again' } as const;
const ONLY_SETUP = {
  code: 'not-signed-in',
  detail: 'the setup code makes the first admin and is good for nothing else',
} as const;
