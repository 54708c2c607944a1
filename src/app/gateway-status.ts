// The gateway's own account of itself: the retained status document (PROTOCOL.md, Status), its last will, and what needs attention.

import type { CalendarRecord } from '../domain/calendar.ts';
import { type DoorOrders, orderInEffect } from '../domain/door-mode.ts';
import type { DoorId, GatewayId, ReaderId } from '../domain/ids.ts';
import { digestOf } from '../domain/roster-digest.ts';
import type { UntrustedPolicy } from '../domain/schedule.ts';
import { formatInstant, type Instant, milliseconds } from '../domain/units.ts';
import type { Clock, Timer } from '../ports/clock.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import type { HrLink } from '../ports/hr-link.ts';
import type { StoreKeyRotation } from '../ports/store-key-rotation.ts';
import type { MessageSeal } from '../wire/message-envelope.ts';
import type { DoorStatus, LogStatus, ReaderStatus, StatusDocument } from '../wire/status.ts';
import type { Topics } from '../wire/topics.ts';
import type { AlarmRegister } from './alarm-register.ts';
import type { DiskWatch } from './disk-watch.ts';
import type { DoorController } from './door-controller.ts';
import type { DoorModeKeeper } from './door-mode-keeper.ts';
import { endText } from './order-events.ts';
import type { PassageBook } from './passage-book.ts';
import type { EventPublisher } from './publish-events.ts';
import type { RosterReconciler } from './reconcile-roster.ts';
import type { RosterFreshness } from './roster-freshness.ts';
import type { SerialWriter } from './serial-writer.ts';
import type { SiteRules } from './site-rules.ts';
import { UNTRUSTED_CONSEQUENCE } from './watch-clock.ts';

interface Dependencies {
  readonly gateway: GatewayId;
  readonly version: string;
  readonly startedAt: Instant;
  readonly lossyCardNumbers: boolean;
  readonly store: CredentialStore;
  readonly writer: SerialWriter;
  readonly outbox: Pick<EventPublisher, 'view' | 'alarms'>;
  readonly audit: { view(): LogStatus };
  readonly doors: ReadonlyMap<DoorId, DoorController>;
  readonly keeper: Pick<DoorModeKeeper, 'orders'>;
  readonly readers: ReadonlyMap<ReaderId, { view(): ReaderStatus }>;
  readonly passages: Pick<PassageBook, 'view'>;
  readonly rules: Pick<SiteRules, 'calendar' | 'alarms'>;
  readonly freshness: Pick<RosterFreshness, 'isStale' | 'isRestored' | 'isDenying'>;
  readonly reconciler: Pick<RosterReconciler, 'alarms'>;
  /** Retired cards that were held to readers. */
  readonly cardAlarms: Pick<AlarmRegister, 'lines'>;
  readonly disk: Pick<DiskWatch, 'alarms'>;
  /** Left out where the store has no keys. */
  readonly storeKeys?: Pick<StoreKeyRotation, 'view'>;
  /** Of the backups that the gateway makes by itself. */
  readonly backupAlarms: () => readonly string[];
  /** What is known of damage to the store. */
  readonly storeAlarms: () => readonly string[];
  /** What is wrong with the credentials for the broker. */
  readonly linkFault: () => string | undefined;
  readonly clock: Clock;
  readonly untrustedPolicy: UntrustedPolicy;
}

/** The status as of now. */
export const describeGateway = (deps: Dependencies): StatusDocument => {
  const roster = deps.store.roster();
  const doors = [...deps.doors].map(([door, controller]) => [door, controller.view()] as const);
  const readers = [...deps.readers].map(([reader, source]) => [reader, source.view()] as const);
  return {
    type: 'status',
    gateway: deps.gateway,
    online: true,
    version: deps.version,
    startedAt: formatInstant(deps.startedAt),
    time: formatInstant(deps.clock.now()),
    roster: {
      revision: roster.revision,
      cards: roster.cards,
      digest: digestOf(roster),
      epoch: roster.epoch ?? null,
      reconciledAt: roster.reconciledAt === undefined ? null : formatInstant(roster.reconciledAt),
    },
    calendar: calendarView(deps.rules.calendar),
    outbox: deps.outbox.view(),
    log: deps.audit.view(),
    doors: Object.fromEntries(
      doors.map(([door, { mode, position, strike }]) => [
        door,
        { mode, position, strike, ...orderStatus(deps.keeper.orders(door)) },
      ]),
    ),
    readers: Object.fromEntries(readers),
    zones: deps.passages.view(),
    clock: { synchronized: deps.clock.isSynchronized() },
    lossyCardNumbers: deps.lossyCardNumbers,
    alarms: [
      ...deps.cardAlarms.lines(),
      ...doors.flatMap(([door, { alarms }]) => alarms.map((alarm) => `door ${door}: ${alarm}`)),
      ...readers.flatMap(([reader, { state, detail }]) =>
        state === 'offline' ? [`reader ${reader}: offline: ${detail ?? ''}`] : [],
      ),
      ...deps.reconciler.alarms().map((alarm) => `roster: ${alarm}`),
      ...staleness(deps.freshness),
      ...deps.rules.alarms().map((alarm) => `calendar: ${alarm}`),
      ...[deps.linkFault()].flatMap((fault) => (fault === undefined ? [] : [`link: ${fault}`])),
      ...deps.outbox.alarms().map((alarm) => `outbox: ${alarm}`),
      ...(deps.clock.isSynchronized() ? [] : [`clock: not set, ${UNTRUSTED_CONSEQUENCE[deps.untrustedPolicy]}`]),
      ...(deps.writer.busyFor > SLOW_COMMIT ? ['store: the disk hangs, changes from HR wait'] : []),
      ...deps.storeAlarms().map((alarm) => `store: ${alarm}`),
      ...deps.disk.alarms().map((alarm) => `disk: ${alarm}`),
      ...deps.backupAlarms().map((alarm) => `backup: ${alarm}`),
      ...rotation(deps.storeKeys),
      ...(deps.writer.isFailing ? ['store: writes fail, changes from HR are not taken'] : []),
    ],
  };
};

const rotation = (keys: Dependencies['storeKeys']): string[] => {
  const view = keys?.view();
  if (view === undefined) return [];
  const { isUnderWay, sealedAnew, fault } = view;
  if (isUnderWay) return [`store: its keys are being replaced, ${sealedAnew} records are sealed anew so far`];
  return fault === null ? [] : [`store: its keys are not replaced everywhere: ${fault}`];
};

const calendarView = (calendar: CalendarRecord | undefined): StatusDocument['calendar'] =>
  calendar === undefined ? null : { revision: calendar.revision, messageId: calendar.messageId };

const orderStatus = (orders: DoorOrders): Omit<DoorStatus, 'mode' | 'position' | 'strike'> => {
  const order = orderInEffect(orders);
  return { orderedBy: order?.operator ?? null, reason: order?.reason ?? null, until: endText(order?.until) };
};

const staleness = (freshness: Dependencies['freshness']): string[] => {
  if (!freshness.isStale()) return [];
  const consequence = freshness.isDenying() ? 'every card is denied' : 'doors go on with what is held here';
  if (freshness.isRestored()) return [`roster: restored from a backup, not compared with HR yet; ${consequence}`];
  return [`roster: not compared with HR for longer than reconcile.maxAgeHours; ${consequence}`];
};

/** A batch that takes longer is worth a technician's look; health.ts gives up much later. */
const SLOW_COMMIT = milliseconds(10_000);

/** Changes that come together are published together. */
const SETTLE = milliseconds(200);
const REFRESH = milliseconds(60_000);

interface PublisherDependencies {
  readonly link: HrLink;
  readonly topics: Topics;
  readonly seal: MessageSeal;
  readonly clock: Clock;
  readonly describe: () => StatusDocument;
}

/** Keeps the retained status true: at every connect, soon after every change, and once a minute. */
export class StatusPublisher {
  readonly #deps: PublisherDependencies;
  #timer: Timer | undefined;
  #isSettling = false;
  #isStopped = false;
  /** One status after the other, however long each takes to seal. */
  #published: Promise<void> = Promise.resolve();

  constructor(deps: PublisherDependencies) {
    this.#deps = deps;
  }

  /** At connect: the birth message. */
  publishNow(): void {
    const { link, clock, describe } = this.#deps;
    if (this.#isStopped) return;
    this.#isSettling = false;
    this.#timer?.cancel();
    this.#timer = clock.schedule(REFRESH, () => this.publishNow());
    if (!link.isConnected()) return;
    const status = JSON.stringify(describe());
    this.#published = this.#published.then(() => this.#publish(status));
  }

  async #publish(status: string): Promise<void> {
    const { link, topics, seal } = this.#deps;
    try {
      const sealed = await seal(status);
      if (!this.#isStopped) link.publish(topics.status, sealed, { retain: true }).catch(() => {});
    } catch {
      // A status that cannot be sealed, as one that does not get through, is replaced by the next one.
    }
  }

  changed(): void {
    // The first change of a row sets the time: a stream of changes must not put the status off for ever.
    if (this.#isSettling || this.#isStopped) return;
    this.#isSettling = true;
    this.#timer?.cancel();
    this.#timer = this.#deps.clock.schedule(SETTLE, () => this.publishNow());
  }

  stop(): void {
    this.#isStopped = true;
    this.#timer?.cancel();
  }
}
