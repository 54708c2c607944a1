// What a record from a backup does to the records here. Pure plans, as in roster-change.ts; a backup is old, and what happened since
// it was made has to stay as it is.
//
// 1. Nothing resurrects: a card that a newer record here denies stays denied, whether that is its own tombstone, its cardholder's
//    watermark, or the roster that was found equal to HR's without it.
// 2. What the backup denies and is newer than what is here is denied from then on. At the same place in the order, denial wins.
// 3. Records of an epoch that cannot be placed among those here are left out.

import type { CardNumber } from './card-number.ts';
import type { Binding, CardRecord, Ordered, Watermark } from './credential.ts';
import type { CardholderId, Revision } from './ids.ts';
import { type ChangePlan, Draft, FROM_PAGE, isBefore, orderOf, type RosterView } from './roster-change.ts';
import type { RosterSummary } from './roster-digest.ts';

type Epochs = Pick<RosterSummary, 'epoch' | 'pastEpochs'>;

/** How a backup's epochs stand to those here. */
export interface EpochMatch {
  /** The backup's go on where those here end: they are taken over. */
  readonly isAhead: boolean;
  /** The era here of a record with that era in the backup; undefined where it has none. */
  readonly eraOf: (era: number) => number | undefined;
}

export const matchEpochs = (here: Epochs & Pick<RosterSummary, 'revision' | 'cards'>, backup: Epochs): EpochMatch => {
  const known = namesOf(here);
  const names = namesOf(backup);
  const isEmpty = here.revision === 0 && here.cards === 0 && known.length === 0;
  if (isEmpty || (known.length > 0 && isPrefix(known, names))) {
    return { isAhead: names.length > known.length, eraOf: asFarAs(backup.pastEpochs.length) };
  }
  // Neither side has heard of an epoch, or the first one that the backup knows may be the one that has no name here yet.
  if (known.length === 0) return { isAhead: false, eraOf: asFarAs(names.length <= 1 ? 0 : -1) };
  return {
    isAhead: false,
    eraOf: (era) => {
      const name = names[era];
      const place = name === undefined ? -1 : known.indexOf(name);
      return place === -1 ? undefined : place;
    },
  };
};

/** A record from an era that the backup never reached would be newer than all that HR will ever say. */
const asFarAs =
  (last: number): EpochMatch['eraOf'] =>
  (era) =>
    era <= last ? era : undefined;

const namesOf = ({ epoch, pastEpochs }: Epochs): readonly string[] =>
  epoch === undefined ? pastEpochs : [...pastEpochs, epoch];

const isPrefix = (names: readonly string[], all: readonly string[]): boolean =>
  names.every((name, index) => all[index] === name);

/** The record in the era that it has here; undefined for one that has no place. */
export const placedRecord = <Kind extends Ordered>(record: Kind, { eraOf }: EpochMatch): Kind | undefined => {
  const era = eraOf(record.era ?? 0);
  return era === undefined ? undefined : { ...record, era };
};

/** Up to where the roster here was found equal to HR's, by HR's word and not by the backup's. */
export interface SeenUpTo {
  readonly era: number;
  readonly revision: Revision | 0;
}

export const seenUpTo = ({ restored, pastEpochs, reconciled }: RosterSummary): SeenUpTo =>
  restored ?? { era: pastEpochs.length, revision: reconciled };

const isSeen = (record: Ordered, { era, revision }: SeenUpTo): boolean => {
  const own = record.era ?? 0;
  return own === era ? record.revision <= revision : own < era && revision > 0;
};

/** Brings in a cardholder's watermark: cards of theirs that are live here and older stop. */
export const planWatermark = (view: RosterView, id: CardholderId, watermark: Watermark): ChangePlan => {
  const draft = new Draft(view, watermark.origin, FROM_PAGE);
  const held = draft.cardholder(id).watermark;
  if (held !== undefined && !isBefore(held, watermark)) return draft.plan('duplicate');
  draft.putWatermark(id, watermark);
  return draft.plan('applied');
};

/** Brings in a card, after the watermarks of the same backup. */
export const planRestoredCard = (
  view: RosterView,
  card: CardNumber,
  { record, seen }: { readonly record: CardRecord; readonly seen: SeenUpTo },
): ChangePlan => {
  const draft = new Draft(view, record.origin, FROM_PAGE);
  const held = draft.card(card);
  if (held !== undefined && !isBefore(held, record) && !isDenialOfSame(held, record)) return draft.plan('duplicate');
  const merged = record.state === 'live' ? liveOrStopped(draft, record, { held, seen }) : record;
  if (merged === undefined) return draft.plan('stale');
  draft.putCard(card, merged);
  return draft.plan(merged === record ? 'applied' : 'stale');
};

/** What a watermark has retired keeps its revision. */
const isDenialOfSame = (held: CardRecord, record: CardRecord): boolean =>
  !isBefore(record, held) && held.state === 'live' && record.state === 'retired';

const liveOrStopped = (
  draft: Draft,
  record: Binding,
  { held, seen }: { readonly held: CardRecord | undefined; readonly seen: SeenUpTo },
): CardRecord | undefined => {
  const { cardholder, origin } = record;
  const { watermark } = draft.cardholder(cardholder);
  if (watermark !== undefined && isBefore(record, watermark)) {
    return { state: 'retired', ...orderOf(record), reason: watermark.reason, cardholder, origin: watermark.origin };
  }
  if (!isSeen(record, seen)) return record;
  // HR's roster was here as a whole, and held something else.
  return held === undefined ? { state: 'retired', ...orderOf(record), reason: 'other', cardholder, origin } : undefined;
};
