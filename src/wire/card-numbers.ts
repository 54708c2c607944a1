// Card numbers of one message, each brought to its canonical form; the first that cannot be is the message's fault.

import { type CardNumber, type CardNumberFormat, parseCardNumber } from '../domain/card-number.ts';
import type { Fault } from './message-json.ts';

export class CardNumbers {
  readonly #format: CardNumberFormat;
  fault: Fault | undefined;

  constructor(format: CardNumberFormat) {
    this.#format = format;
  }

  parse(text: string, path: string): CardNumber | undefined {
    const result = parseCardNumber(text, this.#format);
    if ('number' in result) return result.number;
    this.fault ??= { ...result.fault, path };
    return undefined;
  }
}
