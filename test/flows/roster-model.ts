// The rules of PROTOCOL.md (What the gateway does with them) in a few lines, to hold the real thing against: one last-writer
// register per card, one watermark per cardholder. Kept naive on purpose; it shares nothing with src/.

import { createHash } from 'node:crypto';

export type ModelSupersedes = 'all' | 'none' | readonly string[];

export type ModelMessage =
  | {
      readonly kind: 'bind';
      readonly revision: number;
      readonly card: string;
      readonly cardholder: string;
      readonly supersedes: ModelSupersedes;
      readonly transferFrom: string | undefined;
    }
  | { readonly kind: 'revoke-card'; readonly revision: number; readonly card: string }
  | { readonly kind: 'revoke-cardholder'; readonly revision: number; readonly cardholder: string };

interface Register {
  readonly revision: number;
  readonly cardholder: string | undefined;
  readonly isBound: boolean;
  readonly content: string;
}

/** `in-use` and `conflict` have no effect at all; `taken` covers what receipts call applied, duplicate and stale. */
export type ModelOutcome = 'taken' | 'in-use' | 'conflict';

export class RosterModel {
  readonly #cards = new Map<string, Register>();
  readonly #watermarks = new Map<string, { readonly revision: number; readonly content: string }>();

  isLive(card: string): boolean {
    const register = this.#cards.get(card);
    if (register?.isBound !== true || register.cardholder === undefined) return false;
    return register.revision >= (this.#watermarks.get(register.cardholder)?.revision ?? 0);
  }

  /** `card -> [cardholder, revision]` of every live card. */
  allowList(): Map<string, readonly [string, number]> {
    const live = [...this.#cards].filter(([card]) => this.isLive(card));
    return new Map(live.map(([card, { cardholder, revision }]) => [card, [cardholder ?? '', revision]] as const));
  }

  take(message: ModelMessage): ModelOutcome {
    const { revision } = message;
    const content = JSON.stringify(message);
    const contradicts = (held: { revision: number; content: string } | undefined): boolean =>
      held?.revision === revision && held.content !== content;
    switch (message.kind) {
      case 'bind': {
        const { card, cardholder, supersedes, transferFrom } = message;
        const held = this.#cards.get(card);
        if (contradicts(held) || contradicts(this.#watermarks.get(cardholder))) return 'conflict';
        if (this.#stoppedBy(message).some((other) => contradicts(this.#cards.get(other)))) return 'conflict';
        const isForeign = held?.cardholder !== cardholder && held?.cardholder !== transferFrom;
        if (this.isLive(card) && isForeign && revision > (held?.revision ?? 0)) return 'in-use';
        this.#write(card, { revision, cardholder, isBound: true, content });
        if (supersedes === 'all') this.#raise(cardholder, revision, content);
        else if (supersedes !== 'none') {
          for (const listed of supersedes) {
            const owner = this.#cards.get(listed)?.cardholder;
            this.#write(listed, { revision, cardholder: owner, isBound: false, content });
          }
        }
        return 'taken';
      }
      case 'revoke-card': {
        const { card } = message;
        const held = this.#cards.get(card);
        if (contradicts(held)) return 'conflict';
        this.#write(card, { revision, cardholder: held?.cardholder, isBound: false, content });
        return 'taken';
      }
      case 'revoke-cardholder': {
        const { cardholder } = message;
        const isBoundNow = [...this.#cards].some(
          ([card, held]) => held.cardholder === cardholder && held.revision === revision && this.isLive(card),
        );
        if (contradicts(this.#watermarks.get(cardholder)) || isBoundNow) return 'conflict';
        this.#raise(cardholder, revision, content);
        return 'taken';
      }
    }
  }

  /** The cards that the binding would stop, of those that are known. */
  #stoppedBy({ cardholder, supersedes }: Extract<ModelMessage, { kind: 'bind' }>): readonly string[] {
    if (supersedes === 'none') return [];
    if (supersedes !== 'all') return supersedes;
    return [...this.#cards.keys()].filter(
      (card) => this.isLive(card) && this.#cards.get(card)?.cardholder === cardholder,
    );
  }

  #write(card: string, register: Register): void {
    if (register.revision > (this.#cards.get(card)?.revision ?? 0)) this.#cards.set(card, register);
  }

  #raise(cardholder: string, revision: number, content: string): void {
    if (revision > (this.#watermarks.get(cardholder)?.revision ?? 0)) {
      this.#watermarks.set(cardholder, { revision, content });
    }
  }
}

/** Bucket digest as PROTOCOL.md words it, computed from nothing but the list of live cards. */
export const digestFromScratch = (live: Iterable<readonly [string, number]>): string => {
  const buckets = Buffer.alloc(2048);
  for (const [card, revision] of live) {
    const at = 8 * Number.parseInt(createHash('sha256').update(card).digest('hex').slice(0, 2), 16);
    const value = createHash('sha256').update(`${card}|${revision}`).digest().readBigUInt64BE(0);
    buckets.writeBigUInt64BE(buckets.readBigUInt64BE(at) ^ value, at);
  }
  return createHash('sha256').update(buckets).digest('hex');
};
