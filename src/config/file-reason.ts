// Why a file cannot be read, in a technician's words.

import { errorMessage } from '../errors.ts';

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'is not there',
  EACCES: 'may not be read by this user',
  EISDIR: 'is a directory',
};

export const fileReason = (error: unknown, file: string): string => {
  const words = REASONS[errorCode(error)];
  return words === undefined ? errorMessage(error) : `${file} ${words}`;
};

/** Such as ENOENT; empty where the failure has none. */
export const errorCode = (error: unknown): string =>
  error instanceof Error && 'code' in error ? String(error.code) : '';
