import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  CARD_NUMBER_FORMATS,
  type CardNumberFormat,
  cardNumberOfUid,
  isLossyFormat,
  isRandomUid,
  parseCardNumber,
} from '../../src/domain/card-number.ts';
import { uidOf } from './samples.ts';

const UID = fc.oneof(...[4, 7, 10].map((length) => fc.uint8Array({ minLength: length, maxLength: length })));
/** UIDs with many zeros, where formats that pad or cut would mix them up. */
const SPARSE_UID = fc.oneof(
  ...[4, 7, 10].map((length) =>
    fc
      .array(fc.constantFrom(0, 0, 0, 1, 0x08, 0xff), { minLength: length, maxLength: length })
      .map((bytes) => Uint8Array.from(bytes)),
  ),
);
const ANY_UID = fc.oneof(UID, SPARSE_UID);
const FORMAT = fc.constantFrom(...CARD_NUMBER_FORMATS);
const LOSSLESS = CARD_NUMBER_FORMATS.filter((format) => !isLossyFormat(format));

const parsed = (text: string, format: CardNumberFormat): string => {
  const result = parseCardNumber(text, format);
  return 'number' in result ? result.number : result.fault.code;
};

const EXAMPLES: readonly [CardNumberFormat, string, string][] = [
  ['hex', '04A2B3C4D5E680', '04A2B3C4D5E680'],
  ['hex', '00000001', '00000001'],
  ['hex', '11223344556677889900', '11223344556677889900'],
  ['hex-reversed', '04A2B3C4D5E680', '80E6D5C4B3A204'],
  ['hex-reversed', 'DEADBEEF', 'EFBEADDE'],
  ['decimal', 'DEADBEEF', '3735928559'],
  ['decimal', '00000001', '0000000001'],
  ['decimal', '04A2B3C4D5E680', '01304792892040832'],
  ['decimal', 'FFFFFFFFFFFFFFFFFFFF', '1208925819614629174706175'],
  ['decimal-reversed', 'DEADBEEF', '4022250974'],
  ['decimal-reversed', '01000000', '0000000001'],
  ['wiegand26', 'DEADBEEF', '173,48879'],
  ['wiegand26', '00000001', '000,00001'],
  ['wiegand26', '04A2B3C4D5E680', '213,59008'],
  ['wiegand34', 'DEADBEEF', '57005,48879'],
  ['wiegand34', '00000001', '00000,00001'],
];

for (const [format, uid, number] of EXAMPLES) {
  test(`in format ${format} the card ${uid} has the number ${number}, and that text means it`, () => {
    assert.equal(cardNumberOfUid(uidOf(uid), format), number);
    assert.equal(parsed(number, format), number);
  });
}

test('no two UIDs share a number in a format that is not announced as lossy', () => {
  fc.assert(
    fc.property(ANY_UID, ANY_UID, fc.constantFrom(...LOSSLESS), (one, other, format) => {
      fc.pre(Buffer.compare(one, other) !== 0);
      const [a, b] = [cardNumberOfUid(one, format), cardNumberOfUid(other, format)];
      return a === undefined || b === undefined || a !== b;
    }),
    { numRuns: 5000 },
  );
});

test('a UID of one length is never taken for one of another length, padded with zeros or not', () => {
  for (const format of LOSSLESS) {
    const numbers = ['11223344', '00000011223344', '11223344000000', '00000000000011223344', '11223344000000000000']
      .map((uid) => cardNumberOfUid(uidOf(uid), format))
      .filter((number) => number !== undefined);
    assert.equal(new Set(numbers).size, numbers.length, format);
  }
});

test('in the decimal formats a UID whose number would read as a shorter one has no number at all', () => {
  assert.equal(cardNumberOfUid(uidOf('00000011223344'), 'decimal'), undefined);
  assert.equal(cardNumberOfUid(uidOf('11223344000000'), 'decimal-reversed'), undefined);
  assert.notEqual(cardNumberOfUid(uidOf('00000111223344'), 'decimal'), undefined);
});

test('lossy formats drop the upper bytes and say so', () => {
  assert.deepEqual(CARD_NUMBER_FORMATS.filter(isLossyFormat), ['wiegand26', 'wiegand34']);
  assert.equal(cardNumberOfUid(uidOf('01ADBEEF'), 'wiegand26'), cardNumberOfUid(uidOf('DEADBEEF'), 'wiegand26'));
  assert.notEqual(cardNumberOfUid(uidOf('01ADBEEF'), 'wiegand34'), cardNumberOfUid(uidOf('DEADBEEF'), 'wiegand34'));
});

test('what the reader makes of a card is text that HR may write, and means the same card', () => {
  fc.assert(
    fc.property(ANY_UID, FORMAT, (uid, format) => {
      const number = cardNumberOfUid(uid, format);
      if (number === undefined) return;
      assert.equal(parsed(number, format), isRandomUid(uid) && !isLossyFormat(format) ? 'random-uid' : number);
    }),
    { numRuns: 5000 },
  );
});

test('canonical text is its own canonical form, from whatever was written', () => {
  fc.assert(
    fc.property(
      fc.oneof(fc.stringMatching(/^[0-9]{1,25}$/), fc.stringMatching(/^[0-9a-fA-F]{8}$/), fc.string()),
      FORMAT,
      (text, format) => {
        const number = parsed(text, format);
        if (number === 'invalid-card-number' || number === 'random-uid') return;
        assert.equal(parsed(number, format), number);
      },
    ),
    { numRuns: 5000 },
  );
});

test('every number that HR can bind in a lossless format belongs to a UID that a reader can see', () => {
  const uidIn = (number: string, format: CardNumberFormat): Uint8Array => {
    const isDecimal = format.startsWith('decimal');
    const length = isDecimal ? ({ 10: 4, 17: 7, 25: 10 }[number.length] ?? 0) : number.length / 2;
    const hex = isDecimal
      ? BigInt(number)
          .toString(16)
          .padStart(2 * length, '0')
      : number;
    const bytes = uidOf(hex);
    return format.endsWith('reversed') ? bytes.reverse() : bytes;
  };
  fc.assert(
    fc.property(
      fc.oneof(fc.stringMatching(/^[0-9]{1,25}$/), fc.stringMatching(/^([0-9A-F]{8}|[0-9A-F]{14}|[0-9A-F]{20})$/)),
      fc.constantFrom(...LOSSLESS),
      (text, format) => {
        const number = parsed(text, format);
        if (number === 'invalid-card-number' || number === 'random-uid') return;
        assert.equal(cardNumberOfUid(uidIn(number, format), format), number);
      },
    ),
    { numRuns: 3000 },
  );
});

test('hex takes spaces, colons and dashes, and either case', () => {
  for (const text of [
    '04 a2 b3 c4 d5 e6 80',
    '04:A2:B3:C4:D5:E6:80',
    '04-a2-b3-c4-d5-e6-80',
    '04a2b3c4d5e680',
    ' 04A2B3C4D5E680 ',
  ]) {
    assert.equal(parsed(text, 'hex'), '04A2B3C4D5E680', text);
  }
  assert.equal(parsed('80:E6:D5:C4:B3:A2:04', 'hex-reversed'), '80E6D5C4B3A204');
});

test('decimal takes numbers with and without leading zeros', () => {
  for (const text of ['1', '0001', '0000000001', '0000000000000000000000001'])
    assert.equal(parsed(text, 'decimal'), '0000000001');
});

test('wiegand takes the comma or all its digits', () => {
  assert.deepEqual(
    ['17,123', '017,00123', '01700123'].map((text) => parsed(text, 'wiegand26')),
    Array(3).fill('017,00123'),
  );
  assert.deepEqual(
    ['17,123', '00017,00123', '0001700123'].map((text) => parsed(text, 'wiegand34')),
    Array(3).fill('00017,00123'),
  );
});

const MALFORMED: Record<CardNumberFormat, readonly string[]> = {
  hex: [
    '',
    ' ',
    '-',
    '04',
    'DEADBEE',
    'DEADBEEF0',
    'DEADBEEFAA',
    'DEADBEEG',
    '0xDEADBEEF',
    'DEADBEEF\n\n.',
    '１１２２３３４４',
    'DE_AD_BE_EF',
    'F'.repeat(22),
  ],
  'hex-reversed': ['', '04', 'DEADBEEFAA', 'xyz'],
  decimal: [
    '',
    '-1',
    '+1',
    '1.0',
    '1e3',
    '0x1',
    ' 1',
    '1 ',
    '1,000',
    '1208925819614629174706176',
    '9'.repeat(25),
    '1'.repeat(26),
    '١٢٣',
    'DEADBEEF',
  ],
  'decimal-reversed': ['', '-1', '1208925819614629174706176'],
  wiegand26: [
    '',
    '256,00000',
    '255,65536',
    '25600000',
    '25565536',
    '1',
    '1234567',
    '123456789',
    '1,',
    ',1',
    '1,2,3',
    '1;2',
    '-1,2',
    '0017,1',
    '17,000123',
    '17, 123',
  ],
  wiegand34: ['', '65536,0', '0,65536', '6553600000', '123456789', '12345678901', '000017,1'],
};

for (const format of CARD_NUMBER_FORMATS) {
  test(`text that does not read as ${format} is refused as invalid-card-number`, () => {
    for (const text of MALFORMED[format])
      assert.equal(parsed(text, format), 'invalid-card-number', JSON.stringify(text));
  });
}

test('the largest numbers of each format are numbers', () => {
  assert.equal(parsed('1208925819614629174706175', 'decimal'), '1208925819614629174706175');
  assert.equal(parsed('255,65535', 'wiegand26'), '255,65535');
  assert.equal(parsed('65535,65535', 'wiegand34'), '65535,65535');
});

test('no text makes the parser throw, and no fault repeats the text', () => {
  fc.assert(
    fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 5 })), FORMAT, (text, format) => {
      const result = parseCardNumber(text, format);
      if ('number' in result || text.trim().length < 5) return true;
      return !result.fault.detail.includes(text);
    }),
    { numRuns: 3000 },
  );
});

test('no bytes make the number of a UID throw; a length other than 4, 7 or 10 has none', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 16 }), FORMAT, (uid, format) => {
      const number = cardNumberOfUid(uid, format);
      return [4, 7, 10].includes(uid.length) || number === undefined;
    }),
  );
});

test('a 4-byte UID beginning with 08 is random in every format that shows it; longer ones are not', () => {
  assert.equal(isRandomUid(uidOf('08A1B2C3')), true);
  assert.equal(isRandomUid(uidOf('08A1B2C3D4E5F6')), false);
  assert.equal(isRandomUid(uidOf('A1B2C308')), false);
  assert.equal(parsed('08:A1:B2:C3', 'hex'), 'random-uid');
  assert.equal(parsed('C3B2A108', 'hex-reversed'), 'random-uid');
  assert.equal(parsed('08A1B2C3', 'hex-reversed'), '08A1B2C3');
  assert.equal(parsed(String(0x08a1b2c3), 'decimal'), 'random-uid');
  assert.equal(parsed(String(0xc3b2a108), 'decimal-reversed'), 'random-uid');
  assert.equal(parsed('08A1B2C3D4E5F6', 'hex'), '08A1B2C3D4E5F6');
});

test('a number does not change the UID it is made of', () => {
  const uid = uidOf('DEADBEEF');
  for (const format of CARD_NUMBER_FORMATS) cardNumberOfUid(uid, format);
  assert.deepEqual(uid, uidOf('DEADBEEF'));
});
