// What HR's pages of the roster do to the records: the cards that HR holds and we lack, and those that are live here and no
// longer with HR. Pure plans, as in roster-change.ts.
//
// 1. Newer local records win: what a message has done since the pages were made stays done.
// 2. Nothing revoked comes back: a card that is retired here at or above HR's revision for it stays retired. Then the digests go
//    on differing, and that is reported.

import type { CardNumber } from './card-number.ts';
import {
  type Binding,
  type CardFlags,
  type CardKind,
  type CardRecord,
  flagsOf,
  type Grant,
  type Origin,
  type RevocationReason,
} from './credential.ts';
import type { CardholderId, Revision } from './ids.ts';
import { type ChangePlan, Draft, FROM_PAGE, type RosterView } from './roster-change.ts';
import type { Instant } from './units.ts';

/** A live card as HR holds it. */
export interface RosterCard extends CardFlags {
  readonly card: CardNumber;
  readonly revision: Revision;
  readonly cardholder: CardholderId;
  readonly access: readonly Grant[];
  readonly kind: CardKind;
  readonly activation: 'active' | 'pending';
  readonly validFrom?: Instant;
  readonly validUntil?: Instant;
}

/** Which request the pages answer, and when. */
export type RepairOrigin = Omit<Origin, 'revision'>;

/** Brings in a card that HR holds. `isDamaged`: the record here could not be read, and anything is better. */
export const planPresentCard = (
  view: RosterView,
  held: RosterCard,
  { isDamaged, ...origin }: RepairOrigin & { readonly isDamaged: boolean },
): ChangePlan => {
  const draft = new Draft(view, { ...origin, revision: held.revision }, FROM_PAGE);
  const record = draft.card(held.card);
  if (!isDamaged && draft.revisionOf(record) >= held.revision) return draft.plan('duplicate');
  const { watermark } = draft.cardholder(held.cardholder);
  if (watermark !== undefined && draft.revisionOf(watermark) > held.revision) {
    const { reason, origin: retiredBy } = watermark;
    const { cardholder } = held;
    draft.putCard(held.card, { state: 'retired', ...draft.order, reason, cardholder, origin: retiredBy });
    return draft.plan('stale');
  }
  draft.putCard(held.card, bindingOf(draft, held, record));
  return draft.plan('applied');
};

/** Retires a card that HR does not hold any more as of `revision`. */
export const planAbsentCard = (
  view: RosterView,
  card: CardNumber,
  { revision, ...origin }: RepairOrigin & { readonly revision: Revision },
): ChangePlan => {
  const draft = new Draft(view, { ...origin, revision }, FROM_PAGE);
  const record = draft.card(card);
  if (record?.state !== 'live' || draft.revisionOf(record) > revision) return draft.plan('duplicate');
  const { cardholder } = record;
  const reason = reasonFor(draft, record);
  draft.putCard(card, { state: 'retired', ...draft.order, reason, cardholder, origin: draft.origin });
  return draft.plan('applied');
};

/** HR does not say why. Somebody who has a newer card had this one replaced. */
const reasonFor = (draft: Draft, record: Binding): RevocationReason => {
  const others = draft.cardholder(record.cardholder).cards.map((card) => draft.card(card));
  return others.some((other) => other?.state === 'live' && draft.revisionOf(other) > draft.revisionOf(record))
    ? 'replaced'
    : 'other';
};

/** Pages carry no names: those known here for the same person are kept. */
const bindingOf = (draft: Draft, held: RosterCard, before: CardRecord | undefined): Binding => {
  const { cardholder, access, kind, activation, validFrom, validUntil } = held;
  const known = before?.state === 'live' && before.cardholder === cardholder ? before : undefined;
  return {
    state: 'live',
    ...draft.order,
    cardholder,
    ...(known?.name !== undefined && { name: known.name }),
    ...(known?.department !== undefined && { department: known.department }),
    access,
    kind,
    activation,
    ...(validFrom !== undefined && { validFrom }),
    ...(validUntil !== undefined && { validUntil }),
    ...flagsOf(held),
    origin: draft.origin,
  };
};
