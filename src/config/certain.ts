// The step from a file that passed every check to domain types.

import { CardeaError } from '../errors.ts';

/** What an earlier check has made sure of. Throws where that check has a hole: better no start than a guessed one. */
export const certain = <Value>(value: Value | undefined, path: string): Value => {
  if (value !== undefined) return value;
  throw new CardeaError(
    'config-invalid',
    `${path}: passed the checks and is unusable all the same; please report this`,
  );
};
