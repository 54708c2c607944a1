// What an answer looks like that is none: problem details (RFC 9457), for every refusal and every failure alike.
//
// 1. Of a failure of the desk itself nothing goes out but that there was one; whoever runs the desk hears the rest.

import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Outcome, Refusal, RefusalCode } from '../desk/refusal.ts';
import { CardeaError } from '../errors.ts';
import { type BatchFault, PROBLEM_TYPE, type Problem, type ProblemCode } from './contract.ts';

/** Called with what should not have happened, and where: the method and the pattern of the path, without what was in it. */
export type OnError = (error: unknown, where: string) => void;

const STATUS: Readonly<Record<ProblemCode, number>> = {
  'invalid-request': 400,
  'not-json': 400,
  'not-signed-in': 401,
  'wrong-credentials': 401,
  'not-permitted': 403,
  'not-found': 404,
  'unknown-card': 404,
  'unknown-employee': 404,
  'unknown-operator': 404,
  'unknown-token': 404,
  'unknown-operation': 404,
  'unknown-batch': 404,
  'unknown-gateway': 404,
  'card-in-use': 409,
  'card-was-lost': 409,
  'not-suspended': 409,
  'already-replaced': 409,
  'employee-exists': 409,
  'employee-left': 409,
  'employee-active': 409,
  'too-many-cards': 409,
  'request-conflict': 409,
  'operator-exists': 409,
  'last-admin': 409,
  'too-large': 413,
  'wrong-media-type': 415,
  'invalid-card-number': 422,
  'random-uid': 422,
  'same-card': 422,
  'no-card': 422,
  'ambiguous-card': 422,
  'not-their-card': 422,
  'date-in-past': 422,
  'invalid-window': 422,
  'unknown-door': 422,
  'weak-password': 422,
  'locked-out': 429,
  'internal-error': 500,
  overloaded: 503,
  'no-answer': 503,
  'store-unavailable': 503,
};

/** Seconds after which it is worth another try. */
const RETRY_AFTER: Partial<Record<ProblemCode, number>> = { 'locked-out': 60, overloaded: 1, 'store-unavailable': 5 };

/** Goes the way of errors through fastify, and is none: what the desk refuses. */
export class RefusedRequest extends Error {
  readonly problem: Problem;

  /** `status` where it is another than that of the code. */
  constructor({ faults, ...complaint }: (Refusal | Complaint) & FaultyLines, status = STATUS[complaint.code]) {
    super(complaint.detail);
    this.problem = { ...problemOf(complaint, status), ...(faults !== undefined && { faults: [...faults] }) };
  }
}

/** Of a batch. */
interface FaultyLines {
  readonly faults?: readonly BatchFault[];
}

interface Complaint {
  readonly code: ProblemCode;
  readonly detail: string;
  readonly path?: string | undefined;
}

const problemOf = ({ code, detail, path }: Complaint, status: number): Problem => ({
  type: `urn:cardea:desk:${code}`,
  title: titleOf(code),
  status,
  detail,
  code,
  ...(path !== undefined && { path }),
});

const titleOf = (code: string): string => `${code.charAt(0).toUpperCase()}${code.slice(1).replaceAll('-', ' ')}`;

/** What was done, or a RefusedRequest. */
export const resultOf = <Value>(outcome: Outcome<Value>): Value => {
  if (outcome.kind === 'refused') throw new RefusedRequest(outcome.refusal);
  return outcome.value;
};

/** What was found, or a RefusedRequest. */
export const found = <Value>(value: Value | undefined, code: RefusalCode, what: string): Value => {
  if (value === undefined) throw new RefusedRequest({ code, detail: `the desk does not know ${what}` });
  return value;
};

export interface ProblemListeners {
  readonly onError: OnError;
  /** Is waited for before the problem goes out. May reject with CardeaError `store-write-failed`, which is answered instead. */
  readonly onProblem: (request: FastifyRequest, problem: Problem) => Promise<void>;
}

export const answerProblems = (app: FastifyInstance, listeners: ProblemListeners): void => {
  app.setNotFoundHandler((request, reply) => {
    const detail = `there is no ${request.method} ${request.url.split('?')[0]}; GET /v1/openapi.json tells what there is`;
    return sendProblem(reply, problemOf({ code: 'not-found', detail }, STATUS['not-found']));
  });
  app.setErrorHandler(async (error: FastifyError, request, reply) => {
    const problem = problemFor(error, request, listeners.onError);
    const unheard = await listeners.onProblem(request, problem).then(
      () => undefined,
      (failure) => problemFor(failure, request, listeners.onError),
    );
    return sendProblem(reply, unheard ?? problem);
  });
};

const problemFor = (error: FastifyError, request: FastifyRequest, onError: OnError): Problem => {
  const complaint = error instanceof RefusedRequest ? undefined : complaintOf(error);
  if (complaint?.code === 'internal-error') onError(error, `${request.method} ${request.routeOptions.url ?? '?'}`);
  return error instanceof RefusedRequest
    ? error.problem
    : problemOf(complaint ?? INTERNAL, STATUS[complaint?.code ?? INTERNAL.code]);
};

const INTERNAL: Complaint = {
  code: 'internal-error',
  detail: 'the desk could not answer because of a fault of its own; its log tells more',
};

/** Of what neither the desk nor its API has refused on purpose. */
const complaintOf = (error: FastifyError | CardeaError): Complaint => {
  if (error instanceof CardeaError) return error.code === 'store-write-failed' ? STORE_FAILED : INTERNAL;
  const { code, statusCode = 500 } = error;
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE')
    return { code: 'too-large', detail: 'the body is larger than this request may have' };
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return { code: 'wrong-media-type', detail: 'the body has to be application/json' };
  }
  return statusCode < 500 ? { code: 'invalid-request', detail: 'the request does not read as HTTP' } : INTERNAL;
};

const STORE_FAILED: Complaint = {
  code: 'store-unavailable',
  detail: 'the desk cannot write its records any more and is being started anew; nothing was done',
};

const sendProblem = (reply: FastifyReply, problem: Problem) => {
  const retryAfter = Object.entries(RETRY_AFTER).find(([code]) => code === problem.code)?.[1];
  if (retryAfter !== undefined) reply.header('retry-after', retryAfter);
  if (problem.status === 401) reply.header('www-authenticate', 'Bearer realm="cardea desk"');
  return reply.code(problem.status).type(PROBLEM_TYPE).send(problem);
};

/** For URLs that no route is looked up for. */
export const answerBadUrl = (reply: FastifyReply): void => {
  const problem = problemOf({ code: 'invalid-request', detail: 'the URL does not read as one' }, 400);
  reply.code(400).type(PROBLEM_TYPE).send(JSON.stringify(problem));
};

/** For bytes that are no HTTP, to be written to the connection as they are. */
export const rawProblem = (isTimeout: boolean): string => {
  const detail = isTimeout ? 'the request took too long to arrive' : 'what arrived does not read as HTTP';
  const body = JSON.stringify(problemOf({ code: 'invalid-request', detail }, isTimeout ? 408 : 400));
  const status = isTimeout ? '408 Request Timeout' : '400 Bad Request';
  const head = [`HTTP/1.1 ${status}`, `Content-Type: ${PROBLEM_TYPE}`, `Content-Length: ${Buffer.byteLength(body)}`];
  return [...head, 'Connection: close', '', body].join('\r\n');
};
