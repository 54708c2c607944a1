// Why a connection ended, or was never made, in words for a person, and who has to hear of it.

import { ReasonCodes } from 'mqtt';
import { errorMessage } from '../../errors.ts';

/** Return and reason codes a person has to act on: bad credentials, not authorized (3.1.1, 3.2.2.3; 5.0, 3.2.2.2), banned. */
const CREDENTIAL_CODES: ReadonlySet<unknown> = new Set([4, 5, 134, 135, 138]);

export interface Ending {
  /** Without secrets. */
  readonly reason: string;
  readonly level: 'info' | 'warn' | 'error';
}

const REASON_NAMES: ReadonlyMap<string, string> = new Map(Object.entries(ReasonCodes));

/** The name the standard gives to a return or reason code, or its number. */
export const describeReasonCode = (reasonCode: number): string =>
  REASON_NAMES.get(String(reasonCode)) ?? String(reasonCode);

export const endingOf = (error: Error): Ending => {
  const code: unknown = 'code' in error ? error.code : undefined;
  // With several addresses to try, Node puts the messages into the members and leaves the whole one empty.
  const parts = error instanceof AggregateError ? error.errors.map(errorMessage) : [error.message];
  const text = parts.filter((part) => part !== '').join(', ');
  const isForPerson = CREDENTIAL_CODES.has(code) || code === 'link-configuration';
  return { reason: text === '' ? String(code) : text, level: isForPerson ? 'error' : 'warn' };
};
