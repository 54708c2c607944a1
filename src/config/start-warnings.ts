// What an operator should know about a configuration at every start, although it is as it was meant to be.

import { isLossyFormat } from '../domain/card-number.ts';
import type { Config } from './config.ts';

/** Sentences for the log. */
export const startWarnings = ({ trust, cardNumber }: Pick<Config, 'trust' | 'cardNumber'>): readonly string[] => [
  ...(trust.messages === 'unsigned'
    ? ['trust.messages is unsigned: whoever may publish to the broker may bind and revoke cards and open doors']
    : []),
  ...(isLossyFormat(cardNumber.format)
    ? [`cardNumber.format ${cardNumber.format} drops bytes of the UID: different cards may share a number`]
    : []),
];
