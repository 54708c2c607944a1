// Tells the one failure that mends itself from those that somebody has to hear of.

import { CardeaError } from '../errors.ts';

/** The link was down: the next connect brings the digest, and gateways ask again for what they lack. */
export const isOffline = (error: unknown): boolean => error instanceof CardeaError && error.code === 'link-offline';
