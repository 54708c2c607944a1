// A limit to how long something is waited for.

/** Resolves when `work` has settled either way, or after `limit` milliseconds at the latest. */
export const within = (limit: number, work: Promise<unknown>): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, limit);
    const finish = (): void => {
      clearTimeout(timer);
      resolve();
    };
    work.then(finish, finish);
  });
