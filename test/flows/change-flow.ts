// The change flow put together over a store: bytes in, records, events and receipts out. What the roster tests deliver into.

import assert from 'node:assert/strict';
import type { HrInbox } from '../../src/app/receive-hr-messages.ts';
import { SerialWriter } from '../../src/app/serial-writer.ts';
import { SiteRules } from '../../src/app/site-rules.ts';
import { isIntact } from '../../src/domain/access-event.ts';
import { EMPTY_CALENDAR } from '../../src/domain/calendar.ts';
import type { CardNumber, CardNumberFormat } from '../../src/domain/card-number.ts';
import { createLog } from '../../src/log.ts';
import type { CredentialStore } from '../../src/ports/credential-store.ts';
import type { EventLog, LogEntry } from '../../src/ports/event-log.ts';
import { unsignedEnvelope } from '../../src/wire/message-envelope.ts';
import { topicsOf } from '../../src/wire/topics.ts';
import { cardNumber, doorId, gatewayId, siteId } from '../domain/samples.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { makeInbox } from '../fixtures/hr-inbox.ts';
import type { ModelMessage } from './roster-model.ts';

export { digestFromScratch } from './roster-model.ts';

export const GATEWAY = gatewayId('lobby-1');
export const SITE = siteId('hq');
export const TOPICS = topicsOf(SITE, GATEWAY);
export const DOORS = [doorId('front'), doorId('lab')];
const LOG = createLog('silent');

export interface ChangeFlow {
  readonly store: CredentialStore & EventLog;
  readonly writer: SerialWriter;
  readonly clock: VirtualClock;
  readonly handler: HrInbox;
  /** No schedules and levels but those that are delivered. */
  readonly rules: SiteRules;
  /** Delivers without waiting, as a link that looks ahead does; fulfils when the message may be acknowledged. */
  deliver(topic: string, payload: string | Uint8Array, retained?: boolean): Promise<void>;
}

export const makeChangeFlow = (
  store: CredentialStore & EventLog,
  { cardNumberFormat = 'hex' }: { readonly cardNumberFormat?: CardNumberFormat } = {},
): ChangeFlow => {
  const clock = new VirtualClock();
  const writer = new SerialWriter({ store, gateway: GATEWAY, clock, log: LOG });
  const rules = new SiteRules({ configured: EMPTY_CALENDAR, store, log: LOG });
  const handler = makeInbox({
    site: SITE,
    gateway: GATEWAY,
    doors: DOORS,
    topics: TOPICS,
    cardNumberFormat,
    envelope: unsignedEnvelope,
    store,
    writer,
    clock,
    log: LOG,
    rules,
  });
  return {
    store,
    writer,
    clock,
    handler,
    rules,
    deliver: (topic, payload, retained = false) =>
      handler.handle({ topic, payload: typeof payload === 'string' ? Buffer.from(payload) : payload, retained }),
  };
};

/** What receipts say, as their readers see them. */
export interface ReadReceipt {
  readonly messageId: string | null;
  readonly messageType: string | null;
  readonly revision: number | null;
  readonly result: string;
  readonly card: string | null;
  readonly cardholder: string | null;
  readonly superseded: readonly string[];
  readonly doors: readonly string[];
  readonly code: string | null;
  readonly detail: string | null;
  readonly path: string | null;
  readonly payloadSha256: string | null;
  readonly warnings: readonly string[];
  readonly appliedAt: string;
  readonly clockSynchronized: boolean;
  readonly sequence: number;
  readonly roster: { readonly revision: number; readonly cards: number; readonly digest: string };
}

export const receiptIn = (entry: LogEntry | undefined): ReadReceipt => {
  assert.ok(entry?.receipt !== undefined, 'the entry carries no receipt');
  return JSON.parse(entry.receipt);
};

/** All entries of the log, after checking that it is one chain without a hole. */
export const wholeLog = async (log: EventLog): Promise<readonly LogEntry[]> => {
  const entries = await log.entriesAfter(0, Number.MAX_SAFE_INTEGER);
  let tail = { sequence: 0, hash: '0'.repeat(64) };
  for (const { event } of entries) {
    assert.ok(isIntact(event, tail), `event ${event.sequence} does not follow ${tail.sequence}`);
    tail = { sequence: event.sequence, hash: event.hash };
  }
  assert.deepEqual(log.tail(), tail);
  return entries;
};

const common = (type: string, revision: number) => ({
  type,
  site: SITE,
  messageId: `${type}-${revision}`,
  revision,
  issuedAt: '2026-01-05T09:00:00+08:00',
  operator: 'hr.desk-2',
});

/** A message of the model as HR would publish it. */
export const wireOf = (message: ModelMessage): { readonly topic: string; readonly payload: string } => {
  switch (message.kind) {
    case 'bind': {
      const { card, cardholder, supersedes, transferFrom } = message;
      const fields = { card, cardholder: { id: cardholder }, access: [{ doors: ['*'] }], supersedes, transferFrom };
      return {
        topic: TOPICS.cardBound,
        payload: JSON.stringify({ ...common('card-bound', message.revision), ...fields }),
      };
    }
    case 'revoke-card':
    case 'revoke-cardholder': {
      const target = message.kind === 'revoke-card' ? { card: message.card } : { cardholder: message.cardholder };
      const fields = { ...common('card-revoked', message.revision), ...target, reason: 'lost' };
      return { topic: TOPICS.cardRevoked, payload: JSON.stringify(fields) };
    }
  }
};

/** `card -> [cardholder, revision]` of what is live in the store. */
export const allowListOf = (
  store: CredentialStore,
  cards: readonly string[],
): Map<string, readonly [string, number]> => {
  const live = new Map<string, readonly [string, number]>();
  for (const card of cards.map((text): CardNumber => cardNumber(text))) {
    const found = store.findCard(card);
    if (found.kind === 'live') live.set(card, [found.binding.cardholder, found.binding.revision]);
  }
  return live;
};
