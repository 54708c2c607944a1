// Why a database does not open, in words.

import { CardeaError, errorMessage } from '../../errors.ts';

/** CardeaError `store-locked` when another process has it open, `store-open-failed` otherwise. */
export const openFailure = (directory: string, error: unknown): CardeaError => {
  const cause = error instanceof Error ? error.cause : undefined;
  if (cause instanceof Error && 'code' in cause && cause.code === 'LEVEL_LOCKED') {
    return new CardeaError(
      'store-locked',
      `another process has the store in ${directory} open: is a gateway running already?`,
      { cause: error },
    );
  }
  return new CardeaError(
    'store-open-failed',
    `the store in ${directory} does not open: ${errorMessage(cause ?? error)}`,
    { cause: error },
  );
};
