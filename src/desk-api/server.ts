// The desk over HTTP: the routes, what is done before and after each of them, and the limits.
//
// 1. Bounded: connections, the time that a request may take to arrive, its size, and how many may wait for an answer.
// 2. No answer is kept by anybody on the way, and no other page is told anything (no CORS).
// 3. While the desk cannot write, nothing is answered but that; and nobody is told of what is not on the disk yet.

import { type FastifyInstance, type FastifyServerOptions, fastify } from 'fastify';
import { serializerCompiler, type ZodTypeProvider } from 'fastify-type-provider-zod';
import { seconds } from '../domain/units.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import { auditRoutes } from './audit-routes.ts';
import { auditUnread, authenticate } from './authenticate.ts';
import { batchRoutes } from './batch-routes.ts';
import { cardRoutes } from './card-routes.ts';
import { changeRoutes } from './change-routes.ts';
import { LONGEST_WAIT, MOST_BYTES } from './contract.ts';
import { employeeRoutes } from './employee-routes.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import { historyRoutes } from './history-routes.ts';
import { checkRequests, readJson } from './json-requests.ts';
import { LongPolls } from './long-polls.ts';
import { describeApi } from './openapi.ts';
import { operationRoutes } from './operation-routes.ts';
import { operatorRoutes } from './operator-routes.ts';
import { answerBadUrl, answerProblems, type OnError, rawProblem } from './problems.ts';
import { reportRoutes } from './report-routes.ts';
import type { RouteContext, RouteGroup } from './route-context.ts';
import { sessionRoutes } from './session-routes.ts';
import { statusRoutes } from './status-routes.ts';
import { tokenRoutes } from './token-routes.ts';

const GROUPS: readonly RouteGroup[] = [
  statusRoutes,
  sessionRoutes,
  employeeRoutes,
  cardRoutes,
  changeRoutes,
  operationRoutes,
  batchRoutes,
  reportRoutes,
  historyRoutes,
  gatewayRoutes,
  auditRoutes,
  operatorRoutes,
  tokenRoutes,
];

export interface DeskApiDependencies extends Omit<RouteContext, 'longPolls'> {
  readonly onError: OnError;
}

export interface DeskApiAddress {
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  /** PEM. */
  readonly tls?: { readonly cert: string | Buffer; readonly key: string | Buffer } | undefined;
}

export interface RunningDeskApi {
  /** Such as `http://127.0.0.1:8470`. */
  readonly url: string;
  /** Answers whoever waits, and ends when all are answered, or soon after. */
  close(): Promise<void>;
}

/** In milliseconds; longer than anybody may wait for an answer. */
const SILENCE = (LONGEST_WAIT + 30) * 1000;
const MOST_CONNECTIONS = 1_000;
/** How long a server that ends waits for what is being answered, and for connections that nothing comes from. */
const LAST_WORDS = seconds(3);

const OPTIONS = {
  bodyLimit: MOST_BYTES,
  requestTimeout: 60_000,
  connectionTimeout: SILENCE,
  keepAliveTimeout: 10_000,
  exposeHeadRoutes: false,
  // Requests that come while the server closes are answered like the others.
  return503OnClosing: false,
  // A name of 64 characters takes up to 768 in a URL.
  routerOptions: { maxParamLength: 1_000 },
  frameworkErrors: (_error, _request, reply) => answerBadUrl(reply),
  clientErrorHandler: ({ code }, socket) => {
    if (code === 'ECONNRESET' || !socket.writable) return void socket.destroy();
    socket.end(rawProblem(code === 'ERR_HTTP_REQUEST_TIMEOUT'));
  },
} satisfies FastifyServerOptions;

/** Ready for `inject`; not listening. */
export const buildDeskApi = async (
  deps: DeskApiDependencies,
  tls?: DeskApiAddress['tls'],
): Promise<FastifyInstance> => {
  const app: FastifyInstance = tls === undefined ? fastify(OPTIONS) : fastify({ ...OPTIONS, https: tls });
  const { desk, clock, accounts, onError } = deps;
  app.server.maxConnections = MOST_CONNECTIONS;
  app.setValidatorCompiler(checkRequests);
  app.setSerializerCompiler(serializerCompiler);
  readJson(app);
  const auditing = { clock, writer: desk.writer, audit: desk.audit };
  answerProblems(app, { onError, onProblem: (request, problem) => auditUnread(request, problem, auditing) });
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('cache-control', 'no-store').header('x-content-type-options', 'nosniff');
  });
  app.addHook('onSend', async ({ routeOptions }, { statusCode }, payload) => {
    // Invariant 3.
    if (statusCode < 400 && routeOptions.config.action !== 'anyone') await desk.writer.write([]);
    return payload;
  });
  const longPolls = new LongPolls(clock);
  app.addHook('preClose', async () => longPolls.close());
  await describeApi(app);
  authenticate(app, { ...auditing, accounts });
  await app.register(async (routes) => {
    for (const group of GROUPS) group(routes.withTypeProvider<ZodTypeProvider>(), { ...deps, longPolls });
  });
  await app.ready();
  return app;
};

/** Rejects with CardeaError `port-in-use`, or `config-invalid` for a certificate that is none. */
export const startDeskApi = async (
  deps: DeskApiDependencies,
  { host, port, tls }: DeskApiAddress,
): Promise<RunningDeskApi> => {
  const app = await buildDeskApi(deps, tls).catch((error: unknown) => {
    throw tls === undefined ? error : unusable(error);
  });
  try {
    await app.listen({ host, port });
  } catch (error) {
    await app.close();
    throw new CardeaError('port-in-use', `the desk cannot answer at ${host}:${port}: ${errorMessage(error)}`, {
      cause: error,
    });
  }
  const address = app.server.address();
  const actualPort = typeof address === 'object' && address !== null ? address.port : port;
  const name = host.includes(':') ? `[${host}]` : host;
  return {
    url: `${tls === undefined ? 'http' : 'https'}://${name}:${actualPort}`,
    close: async () => {
      const end = deps.clock.schedule(LAST_WORDS, () => app.server.closeAllConnections());
      await app.close();
      end.cancel();
    },
  };
};

const unusable = (error: unknown): CardeaError =>
  new CardeaError('config-invalid', `the certificate or the key for HTTPS cannot be used: ${errorMessage(error)}`, {
    cause: error,
  });
