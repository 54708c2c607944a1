// What was handed to the link and is not acknowledged by the broker, in the order of its numbers.

interface InFlight {
  readonly sequence: number;
  isAcknowledged: boolean;
}

export class SendWindow {
  readonly #onSettled: () => void;
  #inFlight: InFlight[] = [];
  /** Of those in flight, how many have not settled. */
  #unsettled = 0;
  #failure: { readonly cause: unknown } | undefined;
  /** Everything that was added up to here is acknowledged; 0 at first. */
  acknowledgedUpTo = 0;

  /** `onSettled` is called each time that something was acknowledged or has failed. */
  constructor(onSettled: () => void) {
    this.#onSettled = onSettled;
  }

  get size(): number {
    return this.#inFlight.length;
  }

  /** The first failure, with which nothing more should be added before clear(). */
  get failure(): { readonly cause: unknown } | undefined {
    return this.#failure;
  }

  get isSettled(): boolean {
    return this.#unsettled === 0;
  }

  /** `published` fulfils when the broker has acknowledged; left out for a number that has nothing to publish. */
  add(sequence: number, published?: Promise<void>): void {
    const item = { sequence, isAcknowledged: published === undefined };
    this.#inFlight.push(item);
    if (published === undefined) return;
    this.#unsettled += 1;
    published.then(
      () => {
        item.isAcknowledged = true;
        this.#settled();
      },
      (cause: unknown) => {
        this.fail(cause);
        this.#settled();
      },
    );
  }

  /** Something else went wrong on the way to the link. */
  fail(cause: unknown): void {
    this.#failure ??= { cause };
  }

  /** Drops what is acknowledged, as far as everything before it is; says whether there was any. */
  advance(): boolean {
    const open = this.#inFlight.findIndex(({ isAcknowledged }) => !isAcknowledged);
    const done = this.#inFlight.splice(0, open === -1 ? this.#inFlight.length : open);
    this.acknowledgedUpTo = done.at(-1)?.sequence ?? this.acknowledgedUpTo;
    return done.length > 0;
  }

  /** Forgets what has failed, and all behind it. Only when everything has settled. */
  clear(): void {
    this.#inFlight = [];
    this.#failure = undefined;
  }

  #settled(): void {
    this.#unsettled -= 1;
    this.#onSettled();
  }
}
