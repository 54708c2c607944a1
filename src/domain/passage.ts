// Where a cardholder is held to be, zone by zone: what anti-passback judges by, and what occupancy counts.

import type { CardholderId, ZoneId } from './ids.ts';
import type { Instant } from './units.ts';

/** The last time a person went through a door of a zone. */
export interface Passage {
  readonly place: 'inside' | 'outside';
  readonly at: Instant;
  /** The clock was not to be trusted then. */
  readonly isAtGuessed?: true;
  /** Passages of an earlier era are counted and not judged: a repair of the roster begins a new one. */
  readonly era: number;
  /** Counted and not judged either: a door of the zone let everybody pass then, or has done so since. */
  readonly isForgiven?: true;
}

/** One entry of the book; without a passage, the person is nowhere in particular. */
export interface PassageEntry {
  readonly zone: ZoneId;
  readonly cardholder: CardholderId;
  readonly passage: Passage | undefined;
}
