// Cuts the cards of a roster request into pages that a gateway takes (PROTOCOL.md, Roster digest, request, pages).

import type { Grant } from '../domain/credential.ts';
import type { RosterCard } from '../domain/roster-repair.ts';
import { MAX_CARDS_PER_PAGE } from '../wire/hr-message-schema.ts';
import { MAX_PAGE_BYTES } from '../wire/hr-messages.ts';
import type { RosterPage } from '../wire/roster-messages.ts';
import { jsonRoom } from './message-room.ts';

/** More than the JSON of a page without its cards takes: ids of at most 64 characters and the numbers of 256 buckets. */
const FRAME_BYTES = 4096;
/** More than a card's JSON without its access takes: a cardholder id has at most 64 characters of four bytes. */
const CARD_BYTES = 512;

/** What is the same on each page of an answer. */
export type PageHead = Pick<RosterPage, 'requestId' | 'revision' | 'buckets'>;

/** At least one page, so that the gateway learns of buckets without a card too. `cards` must not change meanwhile. */
export function* pagesOf(head: PageHead, cards: readonly RosterCard[]): Generator<RosterPage, void, undefined> {
  const ends = pageEnds(cards);
  let start = 0;
  for (const [index, end] of ends.entries()) {
    yield { ...head, page: index + 1, pages: ends.length, cards: cards.slice(start, end) };
    start = end;
  }
}

/** For each page, where in `cards` the next one begins. */
const pageEnds = (cards: readonly RosterCard[]): readonly number[] => {
  const ends: number[] = [];
  const room = jsonRoom(MAX_PAGE_BYTES) - FRAME_BYTES;
  const sizes = new Map<readonly Grant[], number>();
  let start = 0;
  let bytes = 0;
  for (const [index, { access }] of cards.entries()) {
    const size = sizes.get(access) ?? CARD_BYTES + Buffer.byteLength(JSON.stringify(access));
    sizes.set(access, size);
    if (index - start === MAX_CARDS_PER_PAGE || bytes + size > room) {
      ends.push(index);
      start = index;
      bytes = 0;
    }
    bytes += size;
  }
  return [...ends, cards.length];
};
