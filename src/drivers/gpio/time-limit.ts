// Work that may hang, such as what goes through the thread pool or the kernel, is not waited for without end.

import { CardeaError } from '../../errors.ts';

/** What `work` comes to; rejects with CardeaError `gpio-unavailable` and `message` when that takes more than `limit` milliseconds. */
export const within = async <T>(limit: number, work: Promise<T>, message: string): Promise<T> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new CardeaError('gpio-unavailable', message)), limit);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
};
