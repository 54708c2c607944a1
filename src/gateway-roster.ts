// The part of the gateway that follows HR: the way in for its messages, and the way back to its truth.

import { randomUUID } from 'node:crypto';
import { setImmediate as turnOfOthers } from 'node:timers/promises';
import type { AccessJudge } from './app/access-judge.ts';
import { CalendarHandler } from './app/apply-calendar.ts';
import { CommandHandler, type PassageResets } from './app/apply-command.ts';
import { ChangeHandler } from './app/apply-hr-message.ts';
import type { DiskWatch } from './app/disk-watch.ts';
import type { DoorCommands } from './app/door-commands.ts';
import type { DoorController } from './app/door-controller.ts';
import type { EventPublisher } from './app/publish-events.ts';
import { HrInbox } from './app/receive-hr-messages.ts';
import { RosterReconciler } from './app/reconcile-roster.ts';
import { RosterRepairer } from './app/repair-roster.ts';
import type { RosterFreshness } from './app/roster-freshness.ts';
import type { SerialWriter } from './app/serial-writer.ts';
import type { SiteRules } from './app/site-rules.ts';
import type { Config } from './config/config.ts';
import type { DoorId } from './domain/ids.ts';
import type { Log } from './log.ts';
import type { Clock } from './ports/clock.ts';
import type { CredentialStore } from './ports/credential-store.ts';
import type { HrLink } from './ports/hr-link.ts';
import type { MessageEnvelope } from './wire/message-envelope.ts';
import type { Topics } from './wire/topics.ts';

interface Dependencies {
  readonly config: Config;
  readonly topics: Topics;
  /** Asked for each message. */
  readonly envelope: () => MessageEnvelope;
  readonly judge: AccessJudge;
  readonly rules: SiteRules;
  /** Filled before the link starts. */
  readonly doors: ReadonlyMap<DoorId, DoorController>;
  readonly doorCommands: DoorCommands;
  readonly passages: PassageResets;
  readonly store: CredentialStore;
  readonly freshness: RosterFreshness;
  readonly writer: SerialWriter;
  readonly disk: Pick<DiskWatch, 'awaitRoom' | 'hasRoom'>;
  readonly outbox: Pick<EventPublisher, 'acknowledge'>;
  readonly link: HrLink;
  readonly clock: Clock;
  readonly log: Log;
  readonly onChange: () => void;
  /** Schedules may have changed. */
  readonly onRules: () => void;
}

export interface HrSide {
  readonly inbox: HrInbox;
  readonly reconciler: RosterReconciler;
}

export const createHrSide = (deps: Dependencies): HrSide => {
  const {
    config,
    topics,
    envelope,
    judge,
    rules,
    doors,
    doorCommands,
    passages,
    store,
    freshness,
    writer,
    disk,
    outbox,
    link,
    clock,
    log,
    onChange,
    onRules,
  } = deps;
  const { site, gateway } = config;
  const changes = new ChangeHandler({
    gateway,
    doors: config.doors.map(({ id }) => id),
    judge,
    store,
    writer,
    clock,
    log: log.child({ part: 'changes' }),
  });
  const calendars = new CalendarHandler({
    gateway,
    rules,
    writer,
    clock,
    log: log.child({ part: 'calendar' }),
    onRules,
  });
  const commands = new CommandHandler({
    gateway,
    doors,
    doorCommands,
    passages,
    store,
    writer,
    clock,
    log: log.child({ part: 'commands' }),
  });
  const reconciler = new RosterReconciler({
    gateway,
    store,
    writer,
    repairer: new RosterRepairer({ store, writer, clock, yieldToOthers: () => turnOfOthers() }),
    freshness,
    link,
    topics,
    clock,
    log: log.child({ part: 'roster' }),
    newRequestId: randomUUID,
    random: Math.random,
    trustsEpochs: () => config.trust.messages === 'signed',
    hasRoom: () => disk.hasRoom(),
    onChange,
  });
  const inbox = new HrInbox({
    settings: () => ({ site, gateway, topics, cardNumberFormat: config.cardNumber.format, envelope: envelope() }),
    changes,
    calendars,
    commands,
    reconciler,
    disk,
    outbox,
  });
  return { inbox, reconciler };
};
