// The composition root of the desk: what it consists of, and the order in which it starts and stops.
//
//   request  HTTP -> who asks -> check -> roster -> one batch of records (fsync) -> answer   desk-api/, desk/card-desk.ts
//                                                        \-> signature -> MQTT               desk/operation-sender.ts
//   answer   MQTT -> signature -> receipt, status or event -> records (fsync) -> acknowledge desk/confirmations.ts, desk/event-archive.ts
//
// Start: keys, records, accounts, API, ready; then the link: a desk without a network takes changes in. Stop, and a start that fails
// halfway: the other way round. After a write that failed the desk ends, and whoever started it starts it anew.

import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { brokerOptions } from './broker-options.ts';
import type { DeskConfig } from './config/desk-config.ts';
import { fileReason } from './config/file-reason.ts';
import { gatewayKeys } from './config/load-desk.ts';
import { type Accounts, openAccounts } from './desk/accounts.ts';
import { Desk } from './desk/desk.ts';
import { EventRetention } from './desk/event-retention.ts';
import { gatewayOpenerFor } from './desk/gateway-openers.ts';
import { LockdownDesk } from './desk/lockdown-desk.ts';
import { type DeskApiAddress, startDeskApi } from './desk-api/server.ts';
import { openDeskKeys, sealsOf } from './desk-keys.ts';
import { SetupCodeFile } from './desk-setup-code.ts';
import type { TrustedKey } from './domain/trusted-key.ts';
import { SystemClock } from './drivers/clock/system-clock.ts';
import { LevelDeskStore } from './drivers/desk-store/level-desk-store.ts';
import { MqttHrLink } from './drivers/mqtt/mqtt-hr-link.ts';
import { silentNotifier } from './drivers/systemd/systemd-notifier.ts';
import { CardeaError, errorMessage } from './errors.ts';
import { ClosingStack } from './gateway-ending.ts';
import { createLog, type Log } from './log.ts';
import type { HrLinkListener } from './ports/hr-link.ts';
import type { ServiceNotifier } from './ports/service-notifier.ts';
import { deskTopicsOf } from './wire/desk-topics.ts';

export interface RunningDesk {
  /** Where the API answers, such as `http://127.0.0.1:8470`. */
  readonly url: string;
  /** What gateways have to list under trust.keys; none where messages are unsigned. */
  readonly keys: readonly TrustedKey[];
  /** The file with the code that makes the first admin; undefined where there is one. */
  readonly setupCodeFile: string | undefined;
  /** Fulfils when everything is closed; `isFailure` when the desk stopped because it could not go on. */
  readonly stopped: Promise<{ readonly reason: string; readonly isFailure: boolean }>;
  /** Ends in order. Idempotent. */
  stop(reason: string): Promise<void>;
}

export interface StartDeskOptions {
  /** Who started the desk, where somebody wants to hear of it. */
  readonly notifier?: ServiceNotifier;
}

/** Starts the desk. Rejects with a CardeaError, after everything that had started was closed again. */
export const startDesk = async (
  config: DeskConfig,
  { notifier = silentNotifier }: StartDeskOptions = {},
): Promise<RunningDesk> => {
  const log = createLog(config.log.level).child({ desk: config.site });
  const closing = new ClosingStack(log);
  closing.add('notifier', () => notifier.close());
  const life = new Life(log, closing);
  try {
    const running = await start(config, { log, closing, life, notifier });
    if (life.failure !== undefined) throw life.failure;
    return running;
  } catch (error) {
    await life.stop(`the start failed: ${errorMessage(error)}`, true);
    // What was added while it was ending already.
    await closing.closeAll();
    throw error;
  }
};

interface Frame {
  readonly log: Log;
  readonly closing: ClosingStack;
  readonly life: Life;
  readonly notifier: ServiceNotifier;
}

const start = async (config: DeskConfig, { log, closing, life, notifier }: Frame): Promise<RunningDesk> => {
  const { site, trust, dataDir } = config;
  const isSigned = trust.messages === 'signed';
  makeDataDir(dataDir);
  const keys = isSigned ? openDeskKeys(dataDir) : [];
  const open = gatewayOpenerFor(gatewayKeys(config));
  const seals = sealsOf(keys);
  const rules = { areSignaturesNeeded: isSigned };
  const clock = new SystemClock({ trust: 'always' });
  const onError = (error: unknown, where: string): void =>
    log.error({ err: error instanceof Error ? error.stack : String(error), where }, 'a request has failed');
  const onFault = (reason: string): void => log.warn({ reason }, 'something is amiss; the desk goes on');

  const store = await LevelDeskStore.open(join(dataDir, 'store'));
  closing.add('store', () => store.close());
  notifier.starting('the records are being read');
  const link = createLink(config, log);
  let accounts: Accounts | undefined;
  const desk = await Desk.open({
    site,
    cardNumberFormat: config.cardNumber.format,
    newEpoch: `desk-${randomUUID()}`,
    store,
    link,
    clock,
    seals,
    open,
    rules,
    expectedGateways: config.gateways.map(({ gateway }) => gateway),
    confirmWithin: config.operations.confirmWithin,
    defaultAccess: config.employees.access,
    rolesOf: (name) => accounts?.rolesOf(name),
    newMessageId: randomUUID,
    onFailure: (error) => life.fail(error),
    onFault,
  });
  closing.add('desk', () => desk.close());
  closing.add('link', () => link.stop());
  const { writer, audit, state } = desk;
  const lockdowns = new LockdownDesk({
    ...{ state, writer, audit, link, clock, open, rules, newMessageId: randomUUID },
    seal: seals.security,
  });
  const retention = createRetention(config, { desk, store, clock, onFault });
  closing.add('event retention', () => retention?.stop());
  const setupCode = new SetupCodeFile(join(dataDir, 'setup-code'));
  const sessionLength = config.sessions.lifetime;
  accounts = await openAccounts({ store, writer, audit, clock, sessionLength, setupCode, onFault });
  const { operators } = accounts;
  closing.add('accounts', () => accounts?.close());
  if (!operators.hasAdmin) setupCode.make();

  // Before anybody can begin another one.
  await desk.batches.resume();
  const api = await startDeskApi(
    { desk, accounts, lockdowns, store, clock, isConnected: () => link.isConnected(), onError },
    addressOf(config),
  );
  closing.add('api', () => api.close());
  // An answer to a request may be waiting for it.
  closing.add('lockdowns', () => lockdowns.stop());
  if (life.failure !== undefined) throw life.failure;
  notifier.ready(`answering at ${api.url}`);
  closing.add('readiness', () => notifier.stopping());
  link.start(listenerOf(desk, lockdowns));
  retention?.start();
  for (const { trusted } of keys) log.info({ ...trusted }, 'gateways have to know this key');
  if (!operators.hasAdmin) log.info({ code: setupCode.file }, 'there is no admin yet');
  log.info({ url: api.url, employees: state.people.size, cards: state.roster.size }, 'desk ready');
  return {
    url: api.url,
    keys: keys.map(({ trusted }) => trusted),
    get setupCodeFile() {
      return operators.hasAdmin ? undefined : setupCode.file;
    },
    stopped: life.ended,
    stop: (reason) => life.stop(reason),
  };
};

/** For its owner alone: who reads it can sign in, and who writes to it can sign. */
const makeDataDir = (folder: string): void => {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new CardeaError('store-open-failed', `dataDir cannot be made: ${fileReason(error, folder)}`, {
      cause: error,
    });
  }
};

const addressOf = ({ http: { host, port, tls } }: DeskConfig): DeskApiAddress => {
  try {
    return {
      host,
      port,
      ...(tls !== undefined && { tls: { cert: readFileSync(tls.cert), key: readFileSync(tls.key) } }),
    };
  } catch (error) {
    throw new CardeaError('config-invalid', `http.tls cannot be read: ${errorMessage(error)}`, { cause: error });
  }
};

const createLink = ({ site, mqtt }: DeskConfig, log: Log): MqttHrLink => {
  const { receipts, statuses, events, rosterRequests } = deskTopicsOf(site);
  return new MqttHrLink({
    url: mqtt.url,
    ...brokerOptions(mqtt),
    // One desk of a site at a time: its session holds what comes while it is away.
    clientId: `cardea-desk-${site}`,
    subscriptions: [receipts, statuses, events, rosterRequests],
    log: log.child({ part: 'link' }),
  });
};

const createRetention = (
  { events: { retention } }: DeskConfig,
  {
    desk,
    ...deps
  }: {
    readonly desk: Desk;
    readonly store: LevelDeskStore;
    readonly clock: SystemClock;
    readonly onFault: (text: string) => void;
  },
): EventRetention | undefined => {
  if (retention === undefined) return undefined;
  const gateways = (): readonly string[] => desk.archive.gateways().map(({ gateway }) => gateway);
  return new EventRetention({ ...deps, writer: desk.writer, maxAge: retention, gateways });
};

const listenerOf = (desk: Desk, lockdowns: LockdownDesk): HrLinkListener => ({
  onConnect: () => desk.onConnect(),
  onDisconnect: () => desk.onDisconnect(),
  onMessage: async (message) => {
    await Promise.all([desk.onMessage(message), lockdowns.onMessage(message)]);
  },
});

/** One end, however many ask for it. */
class Life {
  readonly ended: Promise<{ readonly reason: string; readonly isFailure: boolean }>;
  /** What keeps the desk from going on. */
  failure: unknown;
  readonly #log: Log;
  readonly #closing: ClosingStack;
  #resolve: (end: { readonly reason: string; readonly isFailure: boolean }) => void = () => {};
  #isEnding = false;

  constructor(log: Log, closing: ClosingStack) {
    this.#log = log;
    this.#closing = closing;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  fail(error: unknown): void {
    this.failure ??= error;
    void this.stop(errorMessage(error), true);
  }

  async stop(reason: string, isFailure = false): Promise<void> {
    if (!this.#isEnding) {
      this.#isEnding = true;
      this.#log[isFailure ? 'error' : 'info']({ reason }, 'desk stopping');
      await this.#closing.closeAll();
      this.#resolve({ reason, isFailure });
    }
    await this.ended;
  }
}
