// What the roster's digest was at each of its latest revisions, so that a gateway's word about its own roster can be compared with what
// HR's was at the time.

import { sha256Hex } from '../domain/canonical-json.ts';
import type { RosterDigest } from '../wire/roster-messages.ts';

/** A batch of ten thousand, and as many again: 2 MB. */
const KEPT = 20_000;

export class DigestHistory {
  /** By revision, oldest first. */
  readonly #digests = new Map<number, string>();

  /** The roster has come to this. */
  note({ revision, buckets }: Pick<RosterDigest, 'revision' | 'buckets'>): void {
    this.#digests.set(revision, sha256Hex(buckets));
    if (this.#digests.size <= KEPT) return;
    for (const oldest of this.#digests.keys()) {
      this.#digests.delete(oldest);
      break;
    }
  }

  /** Whether a roster with that digest at that revision is equal to what HR's was then; false also where that is forgotten. */
  isEqual(revision: number, digest: string): boolean {
    return this.#digests.get(revision) === digest;
  }
}
