// Replacing the keys of the store while the doors go on.

export interface StoreKeyRotation {
  /**
   * Takes new keys into use and begins to seal every record anew, or goes on with that where it was interrupted; fulfils before it
   * has ended. Rejects with CardeaError `disk-full`, `store-write-failed`, `store-key-unusable` or `store-key-wrong`; then the keys are those
   * from before, or new ones that are gone on with the next time.
   */
  begin(): Promise<RotationBegun>;
  view(): RotationView;
}

export interface RotationBegun {
  /** Whether it goes on where an earlier one was interrupted. */
  readonly isResumed: boolean;
  /** Whether the key file has a new key now; a key that the service manager gives is replaced there. */
  readonly isKeyFileReplaced: boolean;
}

export interface RotationView {
  readonly isUnderWay: boolean;
  /** Records, since this process has begun or gone on with it. */
  readonly sealedAnew: number;
  /** Why it does not go on; null where nothing is wrong. */
  readonly fault: string | null;
}
