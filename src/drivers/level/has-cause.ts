// What a failure comes from: LevelDB's errors and the system's are wrapped in others on their way up.

/** Whether the error, or one that it was caused by, is as asked for. */
export const hasCause = (error: unknown, isMeant: (code: unknown, message: string) => boolean): boolean => {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if (isMeant('code' in cause ? cause.code : undefined, cause.message)) return true;
  }
  return false;
};
