// Long work is done in slices: whoever taps on a keyboard, or a gateway that waits for its answer, has a turn in between.

/** Fulfils when what waits has had its turn. */
export const turnOfOthers = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
