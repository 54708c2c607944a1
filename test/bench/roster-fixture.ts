// A store filled with many bound cards, as a large site would have.

import { type CardNumber, cardNumberOfUid } from '../../src/domain/card-number.ts';
import type { Binding } from '../../src/domain/credential.ts';
import {
  type CardholderId,
  parseCardholderId,
  parseDoorId,
  parseMessageId,
  parseRevision,
} from '../../src/domain/ids.ts';
import { DIGEST_BYTES, emptyRoster, toggleCard } from '../../src/domain/roster-digest.ts';
import { ALWAYS } from '../../src/domain/schedule.ts';
import { instant } from '../../src/domain/units.ts';
import type { LevelStore } from '../../src/drivers/level/level-store.ts';

const FRONT = parseDoorId('front');
const BATCH = 1000;

const known = <T>(value: T | undefined): T => {
  if (value === undefined) throw new TypeError('a fixture id does not parse');
  return value;
};

/** A 7-byte UID, spread over the key space. */
export const cardAt = (index: number): CardNumber => {
  const uid = new Uint8Array(7);
  const mixed = Math.imul(index + 1, 0x9e3779b1) >>> 0;
  new DataView(uid.buffer).setUint32(1, mixed);
  uid[0] = 0x04;
  uid[5] = index & 0xff;
  uid[6] = (index >>> 8) & 0xff;
  return known(cardNumberOfUid(uid, 'hex'));
};

const holderAt = (index: number): CardholderId => known(parseCardholderId(`E${index}`));

export const bindingAt = (index: number): Binding => {
  const revision = known(parseRevision(index + 1));
  return {
    state: 'live',
    revision,
    fingerprint: 'f'.repeat(64),
    cardholder: holderAt(index),
    access: [{ doors: [known(FRONT)], schedule: ALWAYS }],
    kind: 'permanent',
    activation: 'active',
    origin: { revision, messageId: known(parseMessageId(`m-${index}`)), appliedAt: instant(1_790_000_000_000) },
  };
};

/** Binds `count` cards, numbered from 0, in an empty store. */
export const fillStore = async (store: LevelStore, count: number): Promise<void> => {
  const buckets = new Uint8Array(DIGEST_BYTES);
  for (let from = 0; from < count; from += BATCH) {
    const indices = Array.from({ length: Math.min(BATCH, count - from) }, (_, i) => from + i);
    for (const i of indices) toggleCard(buckets, cardAt(i), bindingAt(i).revision);
    const cards = from + indices.length;
    await store.commit({
      cards: new Map(indices.map((i) => [cardAt(i), bindingAt(i)])),
      cardholders: new Map(indices.map((i) => [holderAt(i), { cards: [cardAt(i)] }])),
      roster: { ...emptyRoster(), revision: known(parseRevision(cards)), cards, buckets: Uint8Array.from(buckets) },
      doorOrders: new Map(),
      commands: undefined,
      entries: [],
    });
  }
};
