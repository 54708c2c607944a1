// The pages that answer one roster request, staged until the last one is there. Nothing is changed before that.

import type { CardNumber } from '../domain/card-number.ts';
import type { CardLookup } from '../domain/credential.ts';
import type { Revision } from '../domain/ids.ts';
import { DIGEST_BYTES, isSameBucket, toggleCard } from '../domain/roster-digest.ts';
import type { RosterCard } from '../domain/roster-repair.ts';
import type { RosterDigest, RosterPage } from '../wire/roster-messages.ts';

export type PageOutcome = 'more' | 'complete' | { readonly fault: string };

export class RosterPages {
  readonly requestId: string;
  /** Those asked for. */
  readonly buckets: readonly number[];
  /** Every card that HR holds in them. */
  readonly present = new Set<CardNumber>();
  /** Those of them that are not here, or not as HR holds them. */
  readonly differing: RosterCard[] = [];
  readonly #mostCards: number;
  readonly #findCard: (card: CardNumber) => CardLookup;
  readonly #digest = new Uint8Array(DIGEST_BYTES);
  readonly #seen = new Set<number>();
  #first: RosterPage | undefined;

  constructor(request: {
    readonly requestId: string;
    readonly buckets: readonly number[];
    /** An answer with more is none. */
    readonly mostCards: number;
    readonly findCard: (card: CardNumber) => CardLookup;
  }) {
    this.requestId = request.requestId;
    this.buckets = request.buckets;
    this.#mostCards = request.mostCards;
    this.#findCard = request.findCard;
  }

  /** What HR's roster had reached when it made the pages; 0 before the first one. */
  get revision(): Revision | 0 {
    return this.#first?.revision ?? 0;
  }

  /** A page that has been here already changes nothing. */
  add(page: RosterPage): PageOutcome {
    this.#first ??= page;
    const { pages, revision } = this.#first;
    if (page.pages !== pages || page.revision !== revision) return { fault: 'the pages of one answer disagree' };
    if (!isSameSet(page.buckets, this.buckets)) return { fault: 'the page answers for other buckets' };
    if (!this.#seen.has(page.page)) {
      this.#seen.add(page.page);
      for (const card of page.cards) {
        if (this.present.has(card.card)) return { fault: 'a card occurs twice' };
        this.#stage(card);
      }
      if (this.present.size > this.#mostCards) return { fault: `more than ${this.#mostCards} cards for one request` };
    }
    return this.#seen.size === pages ? 'complete' : 'more';
  }

  /** Whether the cards add up to what HR's digest says of these buckets. True where the digest is of another revision. */
  agreesWith(digest: RosterDigest): boolean {
    if (digest.revision !== this.revision) return true;
    return this.buckets.every((bucket) => isSameBucket(bucket, this.#digest, digest.buckets));
  }

  #stage(card: RosterCard): void {
    this.present.add(card.card);
    toggleCard(this.#digest, card.card, card.revision);
    const found = this.#findCard(card.card);
    if (found.kind !== 'live' || found.binding.revision !== card.revision) this.differing.push(card);
  }
}

const isSameSet = (some: readonly number[], others: readonly number[]): boolean =>
  some.length === others.length && new Set([...some, ...others]).size === others.length;
