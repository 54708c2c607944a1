// The part of the gateway that gets the log to HR: the outbox, its limit, and what is removed when HR has it.

import { EventRetention } from './app/event-retention.ts';
import { OutboxLimit } from './app/outbox-limit.ts';
import { EventPublisher, type OutboxView } from './app/publish-events.ts';
import type { SerialWriter } from './app/serial-writer.ts';
import type { Config } from './config/config.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';
import type { EventLog } from './ports/event-log.ts';
import type { HrLink } from './ports/hr-link.ts';
import type { MessageSeal } from './wire/message-envelope.ts';
import type { Topics } from './wire/topics.ts';

interface Dependencies {
  readonly config: Pick<Config, 'events'>;
  readonly store: EventLog;
  readonly writer: SerialWriter;
  readonly link: HrLink;
  readonly topics: Topics;
  readonly seal: MessageSeal;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Outbox {
  onConnect(): void;
  /** The log has grown. */
  onCommitted(): void;
  /** Room on the disk is short: history that is not kept any longer goes now. */
  removeOldEvents(): void;
  /** HR has stored everything up to `upTo`. */
  acknowledge(upTo: number): Promise<void>;
  /** Whether cards are denied for want of room. */
  isFull(): boolean;
  view(): OutboxView;
  alarms(): readonly string[];
  stop(): Promise<void>;
}

export const createOutbox = ({
  config,
  store: eventLog,
  writer,
  link,
  topics,
  seal,
  clock,
  ...deps
}: Dependencies): Outbox => {
  const { acknowledgement, resendAfter, maxPending, whenFull, retention } = config.events;
  const log = deps.log.child({ part: 'outbox' });
  const publisher = new EventPublisher({
    eventLog,
    link,
    topics,
    seal,
    resendAfter: acknowledgement === 'application' ? resendAfter : undefined,
    clock,
    log,
  });
  publisher.onUnreadable = ({ from, to }) =>
    writer.record({
      event: 'events-dropped',
      at: clock.now(),
      clockSynchronized: clock.isSynchronized(),
      detail: { from, to, reason: 'unreadable' },
    });
  const limit = new OutboxLimit({ eventLog, writer, maxPending, whenFull, clock, log });
  const history = new EventRetention({ eventLog, ...retention, clock, log });
  history.start();
  return {
    onConnect: () => publisher.onConnect(),
    onCommitted: () => {
      limit.onCommitted();
      publisher.wake();
    },
    removeOldEvents: () => history.lookNow(),
    acknowledge: (upTo) => publisher.acknowledge(upTo),
    isFull: () => limit.isDenying(),
    view: () => publisher.view(),
    alarms: () => [...publisher.alarms(), ...limit.alarms()],
    stop: async () => {
      await Promise.all([history.stop(), limit.stop(), publisher.stop()]);
    },
  };
};
