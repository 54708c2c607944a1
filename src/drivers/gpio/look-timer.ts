// How a thread comes back to what it looks at, again and again: both backends to their inputs.

/** Calls `look` every `interval` milliseconds until the returned function is called. */
export type Every = (interval: number, look: () => void) => () => void;

export const every: Every = (interval, look) => {
  const timer = setInterval(look, interval);
  return () => clearInterval(timer);
};
