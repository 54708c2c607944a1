// How both backends come back to their inputs: on the main thread, again and again.

/** Calls `look` every `interval` milliseconds until the returned function is called. */
export type Every = (interval: number, look: () => void) => () => void;

export const every: Every = (interval, look) => {
  const timer = setInterval(look, interval);
  return () => clearInterval(timer);
};
