// Every card that the gateway holds, for `cardea report`: read bucket by bucket, as fast as the reader takes them.

import type { CardNumber } from '../domain/card-number.ts';
import type { CardRecord } from '../domain/credential.ts';
import { BUCKETS } from '../domain/roster-digest.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import { bindingView, originView, tombstoneView } from './card-account.ts';
import type { CardLine } from './protocol.ts';

/** In the order of the roster's buckets; retired cards only `withRetired`, records that cannot be read always. Ends with `signal`. */
export async function* listCards(
  store: Pick<CredentialStore, 'cardsIn'>,
  { withRetired }: { readonly withRetired: boolean },
  signal: AbortSignal,
): AsyncGenerator<CardLine> {
  for (let bucket = 0; bucket < BUCKETS; bucket++) {
    for await (const found of store.cardsIn(bucket)) {
      if (signal.aborted) return;
      if (found === undefined) yield UNREADABLE;
      else if (withRetired || found[1].state === 'live') yield cardLine(...found);
    }
  }
}

const UNREADABLE: CardLine = { card: null, found: 'unreadable', binding: null, tombstone: null, origin: null };

const cardLine = (card: CardNumber, record: CardRecord): CardLine => {
  const isLive = record.state === 'live';
  return {
    card,
    found: record.state,
    binding: isLive ? bindingView(record) : null,
    tombstone: isLive ? null : tombstoneView(record),
    origin: originView(record.origin),
  };
};
