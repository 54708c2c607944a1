// Which numbers of a log are there, as ranges: a log of millions with a few holes is a few of them.

import type { SequenceRange } from './log-chain.ts';

export class SequenceRanges {
  /** In order, none of them touching the next. */
  #ranges: SequenceRange[] = [];

  has(sequence: number): boolean {
    const range = this.#ranges[this.#indexFrom(sequence)];
    return range !== undefined && range.from <= sequence;
  }

  add(from: number, to: number = from): void {
    const first = this.#indexFrom(from - 1);
    let last = first;
    let joined = { from, to };
    for (let range = this.#ranges[last]; range !== undefined && range.from <= to + 1; range = this.#ranges[last]) {
      joined = { from: Math.min(joined.from, range.from), to: Math.max(joined.to, range.to) };
      last += 1;
    }
    this.#ranges.splice(first, last - first, joined);
  }

  /** The last number up to which all are there that are above `base`; `base` where the next one is not. */
  contiguousAfter(base: number): number {
    const range = this.#ranges[this.#indexFrom(base + 1)];
    return range !== undefined && range.from <= base + 1 ? range.to : base;
  }

  /** What is missing between the first and the last. */
  gaps(): readonly SequenceRange[] {
    return this.#ranges.slice(1).map(({ from }, index) => ({ from: (this.#ranges[index]?.to ?? 0) + 1, to: from - 1 }));
  }

  /** Of the first range that ends at `sequence` or later. */
  #indexFrom(sequence: number): number {
    let [low, high] = [0, this.#ranges.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#ranges[middle]?.to ?? 0) < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
