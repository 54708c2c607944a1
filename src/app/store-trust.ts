// Whether what the store says of a card may be believed: not while it stands in for one that was damaged, until HR has confirmed
// what is in it (`store.failurePolicy`).

import type { CardLookup } from '../domain/credential.ts';
import { formatInstant } from '../domain/units.ts';
import type { CredentialStore } from '../ports/credential-store.ts';

type Store = Pick<CredentialStore, 'damage' | 'roster'>;

interface Dependencies {
  readonly store: Store;
  readonly policy: 'deny' | 'allow-last-known';
  /** Whether the damaged store is still kept. */
  readonly isKept: boolean;
}

/** What a receipt warns of while the store is in doubt. */
export const IN_DOUBT = 'store-damaged';

/** The store began in the place of a damaged one, and HR's roster was not found equal to it since. */
export const isInDoubt = (store: Store): boolean =>
  store.damage() !== undefined && store.roster().reconciledAt === undefined;

export class StoreTrust {
  readonly #deps: Dependencies;

  constructor(deps: Dependencies) {
    this.#deps = deps;
  }

  /** What may be decided by. A tombstone always may: it denies. */
  believable(card: CardLookup): CardLookup {
    const { store, policy } = this.#deps;
    if (card.kind === 'retired' || !isInDoubt(store)) return card;
    if (card.kind === 'live' && policy === 'allow-last-known') return card;
    return { kind: 'unreadable', detail: 'the store was damaged, and HR has not confirmed yet what is in it' };
  }

  /** What needs attention, in words. */
  alarms(): readonly string[] {
    const { store, policy, isKept } = this.#deps;
    const damage = store.damage();
    if (damage === undefined) return [];
    const { reason, setAside, lost } = damage;
    const at = formatInstant(damage.at);
    if (isInDoubt(store)) {
      const consequence = policy === 'deny' ? 'no card opens' : 'only cards that are certain open';
      return [
        `was damaged (found ${at}: ${reason}), kept as ${setAside}; until HR has confirmed the roster ${consequence}. Lost: ${lost}`,
      ];
    }
    return isKept ? [`was damaged (found ${at}) and filled anew; ${setAside} can be looked at, and removed`] : [];
  }
}
