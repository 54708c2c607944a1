// Plans over the roster that meet a cardholder's record which cannot be read.

import { type ChangePlan, rebuildCardholder } from '../domain/roster-change.ts';
import type { CredentialStore } from '../ports/credential-store.ts';
import { damagedCardholder, type StoreTransaction } from './store-transaction.ts';

/**
 * Plans, with each such record made anew from the person's cards. A card that goes from one person to another may meet two of them.
 */
export const planMending = async (
  tx: StoreTransaction,
  store: Pick<CredentialStore, 'cardsOf'>,
  plan: () => ChangePlan,
): Promise<ChangePlan> => {
  try {
    return plan();
  } catch (error) {
    const id = damagedCardholder(error);
    if (id === undefined) throw error;
    tx.mendCardholder(id, rebuildCardholder(await store.cardsOf(id)));
    return planMending(tx, store, plan);
  }
};
