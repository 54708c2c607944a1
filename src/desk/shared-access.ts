// One list of grants in memory for all cards with the same rights: a site has a handful of them, and a million cards.

import type { Grant } from '../domain/credential.ts';

/** Sharing saves memory and means nothing else, so that it may be begun anew at any time. */
const MOST_LISTS = 10_000;

export class SharedAccess {
  readonly #lists = new Map<string, readonly Grant[]>();

  /** A list with the same content, the same one for equal contents. */
  share(access: readonly Grant[]): readonly Grant[] {
    const content = JSON.stringify(access);
    const known = this.#lists.get(content);
    if (known !== undefined) return known;
    if (this.#lists.size >= MOST_LISTS) this.#lists.clear();
    this.#lists.set(content, access);
    return access;
  }
}
