// How far a long command has come, as a bar on standard error where that is a terminal; nothing otherwise, so that neither a pipe nor a
// log gets control characters. The bar is gone when the command has ended.

import type { Terminal } from './terminal.ts';

export interface Progress {
  /** So many of the total are done. Cheap enough to be called for each. */
  update(done: number): void;
  /** Takes the bar away. Idempotent; to be called also when the command fails. */
  stop(): void;
}

/** For a command whose output goes to the terminal on which the bar would be drawn. */
export const NO_PROGRESS: Progress = { update: () => {}, stop: () => {} };

/** Draws the bar. `label` says what is done, such as `events`; `total` may be an estimate. */
export const startProgress = async (
  { errorTerminal }: Pick<Terminal, 'errorTerminal'>,
  { label, total }: { readonly label: string; readonly total: number },
): Promise<Progress> => {
  if (errorTerminal === undefined) return NO_PROGRESS;
  const { default: cliProgress } = await import('cli-progress');
  const bar = new cliProgress.SingleBar({
    stream: errorTerminal,
    format: `${label} [{bar}] {percentage}% | {value}/{total} | {eta_formatted} left`,
    clearOnComplete: true,
    // A command that is ended by Ctrl-C must not leave the terminal in another state.
    linewrap: true,
  });
  bar.start(Math.max(total, 1), 0);
  return { update: (done) => bar.update(Math.min(done, Math.max(total, 1))), stop: () => bar.stop() };
};
