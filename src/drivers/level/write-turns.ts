// One writer at a time: what reads records and writes them back, as sealing them anew does, must not meet a commit halfway.

export class WriteTurns {
  #last: Promise<unknown> = Promise.resolve();

  /** Runs `work` when all that was asked for before it has ended, well or not. Settles as `work` does. */
  run<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#last.then(work, work);
    this.#last = turn.catch(() => {});
    return turn;
  }
}
