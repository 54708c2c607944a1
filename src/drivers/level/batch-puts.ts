// What a batch changes in the database, as sealed records under their whole keys.

import { BUCKET_BYTES, BUCKETS, digestOf, isSameBucket, type RosterSummary } from '../../domain/roster-digest.ts';
import type { StoreBatch } from '../../ports/credential-store.ts';
import type { LogEntry } from '../../ports/event-log.ts';
import type { LogBounds } from './log-bounds.ts';
import { bucketKey, eventKey, ordersKey } from './plain-keys.ts';
import type { RecordNames } from './record-names.ts';
import * as records from './records.ts';
import type { SealedRecords } from './sealed-records.ts';
import type { StoreContents } from './store-contents.ts';
import { differingParts } from './store-state.ts';
import type { Sublevel } from './sublevels.ts';

/** Whole keys, with the prefix of the sublevel: going through a sublevel costs more than the database itself. No value: it goes. */
type Put = readonly [key: string, value: Buffer | undefined];

interface Ground {
  readonly sealed: SealedRecords;
  readonly before: StoreContents;
  readonly after: StoreContents;
  readonly bounds: Pick<LogBounds, 'beginningAfter'>;
}

/** Each record is sealed when it is asked for. */
export function* putsOf(batch: StoreBatch, { sealed, before, after, bounds }: Ground): Generator<Put> {
  const { meta } = sealed.handles;
  yield* namedPuts(batch, sealed);
  for (const [key, text] of metaTexts(batch, before, after)) yield sealed.sealAs(meta, key, text);
  if (batch.history !== undefined) {
    const { entries, trimmed, replacing } = batch.history;
    yield* eventPuts(entries, sealed);
    const beginning = bounds.beginningAfter(trimmed, replacing?.gap);
    yield sealed.sealAs(meta, 'trimmed', records.encodeTrimmed(beginning));
    if (replacing !== undefined) yield sealed.sealAs(meta, 'sent', String(replacing.acknowledgedUpTo));
  }
  yield* eventPuts(batch.entries, sealed);
  if (batch.roster !== undefined) yield* rosterPuts(batch.roster, before.roster, sealed);
}

/** Records that have names under the keys; what lies under a former name goes. */
function* namedPuts(batch: StoreBatch, sealed: SealedRecords): Generator<Put> {
  const { card, cardholder, passage } = sealed.handles;
  const { names, formerNames } = sealed.keys;
  function* renamed(sublevel: Sublevel, nameIn: (names: RecordNames) => string, text: string): Generator<Put> {
    yield sealed.sealAs(sublevel, nameIn(names), text);
    for (const former of formerNames) yield [sublevel.prefix + nameIn(former), undefined];
  }
  for (const [number, record] of batch.cards) {
    yield* renamed(card, (each) => each.card(number), records.encodeCard({ number, record }));
  }
  for (const [id, record] of batch.cardholders) {
    yield* renamed(cardholder, (each) => each.cardholder(id), records.encodeCardholder({ id, record }));
  }
  for (const entry of batch.passages ?? []) {
    const place = `${entry.zone}/${entry.cardholder}`;
    yield* renamed(passage, (each) => each.passage(place), records.encodePassage(entry));
  }
}

function* metaTexts(
  batch: StoreBatch,
  before: StoreContents,
  { state }: StoreContents,
): Generator<readonly [key: string, text: string]> {
  for (const [door, orders] of batch.doorOrders) yield [ordersKey(door), records.encodeOrders(orders)];
  if (batch.calendar !== undefined) yield ['calendar', records.encodeCalendar(batch.calendar)];
  if (batch.passageEra !== undefined) yield ['passage-era', String(batch.passageEra)];
  if (batch.commands !== undefined) yield ['commands', records.encodeCommands(batch.commands)];
  if (batch.damage !== undefined) yield ['damage', records.encodeDamage(batch.damage)];
  yield ['generation', String(state.generation)];
  if (before.recordedParts === undefined || differingParts(state.parts, before.state.parts).length > 0) {
    yield ['parts', records.encodeParts(state.parts)];
  }
}

function* eventPuts(entries: readonly LogEntry[], sealed: SealedRecords): Generator<Put> {
  const { event } = sealed.handles;
  for (const entry of entries) yield sealed.sealAs(event, eventKey(entry.event.sequence), records.encodeEntry(entry));
}

function* rosterPuts(roster: RosterSummary, before: RosterSummary, sealed: SealedRecords): Generator<Put> {
  const { meta } = sealed.handles;
  yield sealed.sealAs(meta, 'roster', records.encodeRoster({ ...roster, digest: digestOf(roster) }));
  // Of 256 buckets a change touches one or two.
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    if (isSameBucket(bucket, roster.buckets, before.buckets)) continue;
    const at = bucket * BUCKET_BYTES;
    const value = Buffer.from(roster.buckets.subarray(at, at + BUCKET_BYTES)).toString('hex');
    yield sealed.sealAs(meta, bucketKey(bucket), value);
  }
}
