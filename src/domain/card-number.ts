// Card numbers: from the UID that a reader saw, and from the text that HR wrote, to one canonical text per site (PROTOCOL.md,
// Card numbers). Two UIDs get the same number only in the formats that are announced as lossy.
//
// 1. A UID that a format cannot express without doubt has no number, and a card without a number opens nothing.

declare const brand: unique symbol;

/** Canonical text of a card in the site's format; the key of the allow-list. */
export type CardNumber = string & { readonly [brand]: 'CardNumber' };

export const CARD_NUMBER_FORMATS = [
  'hex',
  'hex-reversed',
  'decimal',
  'decimal-reversed',
  'wiegand26',
  'wiegand34',
] as const;
export type CardNumberFormat = (typeof CARD_NUMBER_FORMATS)[number];

export type CardNumberFault = { readonly code: 'invalid-card-number' | 'random-uid'; readonly detail: string };
export type CardNumberResult = { readonly number: CardNumber } | { readonly fault: CardNumberFault };

const UID_LENGTHS: readonly number[] = [4, 7, 10];

/** Formats in which different UIDs may share a number, because bytes of the UID are dropped. */
export const isLossyFormat = (format: CardNumberFormat): boolean => format === 'wiegand26' || format === 'wiegand34';

/** ISO/IEC 14443-3: a single-size UID whose first byte is 08 is a random number, new at every activation. */
export const isRandomUid = (uid: Uint8Array): boolean => uid.length === 4 && uid[0] === 0x08;

/** The number of a card that a reader saw; undefined when the UID's length is not 4, 7 or 10 or its number would be ambiguous. */
export const cardNumberOfUid = (uid: Uint8Array, format: CardNumberFormat): CardNumber | undefined => {
  if (!UID_LENGTHS.includes(uid.length)) return undefined;
  switch (format) {
    case 'hex':
      return hexOf(uid);
    case 'hex-reversed':
      return hexOf(reversed(uid));
    case 'decimal':
      return decimalOf(uid);
    case 'decimal-reversed':
      return decimalOf(reversed(uid));
    case 'wiegand26':
      return wiegand26Of(uid);
    case 'wiegand34':
      return wiegand34Of(uid);
  }
};

/** The number that HR means by `text`, brought to canonical form. */
export const parseCardNumber = (text: string, format: CardNumberFormat): CardNumberResult => {
  switch (format) {
    case 'hex':
      return fromUid(parseHex(text), (uid) => uid, format, text);
    case 'hex-reversed':
      return fromUid(parseHex(text), reversed, format, text);
    case 'decimal':
      return fromUid(parseDecimal(text), (uid) => uid, format, text);
    case 'decimal-reversed':
      return fromUid(parseDecimal(text), reversed, format, text);
    case 'wiegand26':
      return parsePair(text, { first: 0xff, firstDigits: 3, expected: 'FFF,NNNNN or 8 digits, at most 255,65535' });
    case 'wiegand34':
      return parsePair(text, {
        first: 0xffff,
        firstDigits: 5,
        expected: 'FFFFF,NNNNN or 10 digits, at most 65535,65535',
      });
  }
};

const EXPECTED: Record<Exclude<CardNumberFormat, 'wiegand26' | 'wiegand34'>, string> = {
  hex: '8, 14 or 20 hex digits',
  'hex-reversed': '8, 14 or 20 hex digits, last byte of the UID first',
  decimal: 'a decimal number below 2^80',
  'decimal-reversed': 'a decimal number below 2^80',
};

const fromUid = (
  bytes: Uint8Array | undefined,
  toUid: (bytes: Uint8Array) => Uint8Array,
  format: keyof typeof EXPECTED,
  text: string,
): CardNumberResult => {
  const uid = bytes === undefined ? undefined : toUid(bytes);
  const number = uid === undefined ? undefined : cardNumberOfUid(uid, format);
  if (uid === undefined || number === undefined) return invalid(text, EXPECTED[format]);
  if (isRandomUid(uid)) {
    return {
      fault: {
        code: 'random-uid',
        detail: 'a 4-byte UID beginning with 08 is random and changes at every presentation',
      },
    };
  }
  return { number };
};

const invalid = (text: string, expected: string): CardNumberResult => ({
  fault: {
    code: 'invalid-card-number',
    detail: `a card number of ${text.length} characters does not read as ${expected}`,
  },
});

const reversed = (bytes: Uint8Array): Uint8Array => Uint8Array.from(bytes).reverse();

const canonical = (text: string): CardNumber => text as CardNumber;

const hexOf = (bytes: Uint8Array): CardNumber =>
  canonical(
    Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0'))
      .join('')
      .toUpperCase(),
  );

const parseHex = (text: string): Uint8Array | undefined => {
  const digits = text.replaceAll(/[ :-]/g, '');
  if (!/^[0-9A-Fa-f]+$/.test(digits) || !UID_LENGTHS.includes(digits.length / 2)) return undefined;
  return Uint8Array.from({ length: digits.length / 2 }, (_, i) => Number.parseInt(digits.slice(2 * i, 2 * i + 2), 16));
};

const bigEndian = (bytes: Uint8Array): bigint => bytes.reduce((value, byte) => (value << 8n) | BigInt(byte), 0n);

/** Length of the shortest UID that holds `value`; zero-padded print does not tell how long the UID was. */
const uidLengthOf = (value: bigint): number | undefined =>
  UID_LENGTHS.find((length) => value < 1n << BigInt(8 * length));

/** Digits of the largest number of a UID of that length. */
const decimalDigits = (uidLength: number): number => ((1n << BigInt(8 * uidLength)) - 1n).toString().length;

const decimalOf = (bytes: Uint8Array): CardNumber | undefined => {
  const value = bigEndian(bytes);
  if (uidLengthOf(value) !== bytes.length) return undefined;
  return canonical(value.toString().padStart(decimalDigits(bytes.length), '0'));
};

const parseDecimal = (text: string): Uint8Array | undefined => {
  if (!/^\d{1,25}$/.test(text)) return undefined;
  const value = BigInt(text);
  const length = uidLengthOf(value);
  if (length === undefined) return undefined;
  return Uint8Array.from({ length }, (_, i) => Number((value >> BigInt(8 * (length - 1 - i))) & 0xffn));
};

const pair = (first: number, firstDigits: number, second: number): CardNumber =>
  canonical(`${String(first).padStart(firstDigits, '0')},${String(second).padStart(5, '0')}`);

const wiegand26Of = (uid: Uint8Array): CardNumber => {
  const low = Number(bigEndian(uid.subarray(-3)));
  return pair(low >>> 16, 3, low & 0xffff);
};

const wiegand34Of = (uid: Uint8Array): CardNumber => {
  const low = Number(bigEndian(uid.subarray(-4)));
  return pair(low >>> 16, 5, low & 0xffff);
};

const parsePair = (
  text: string,
  shape: { readonly first: number; readonly firstDigits: number; readonly expected: string },
): CardNumberResult => {
  const { first: limit, firstDigits, expected } = shape;
  const match =
    new RegExp(`^(\\d{1,${firstDigits}}),(\\d{1,5})$`).exec(text) ??
    new RegExp(`^(\\d{${firstDigits}})(\\d{5})$`).exec(text);
  const first = Number(match?.[1]);
  const second = Number(match?.[2]);
  if (match === null || first > limit || second > 0xffff) return invalid(text, expected);
  return { number: pair(first, firstDigits, second) };
};
