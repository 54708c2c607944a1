import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CardLook } from '../../src/app/card-look.ts';
import { BUCKETS, bucketOf } from '../../src/domain/roster-digest.ts';
import { cardNumber } from '../domain/samples.ts';
import { cardNumbers } from '../fixtures/random-history.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';

const [CARD, OTHER] = [cardNumber('04A2B3C4D5E680'), cardNumber('DEADBEEF')];

const makeLook = (faults: ReadonlyMap<number, string | Error> = new Map()) => {
  const looked: number[] = [];
  const told: string[] = [];
  const answers = new Map(faults);
  const look = new CardLook({
    faultIn: async (bucket) => {
      looked.push(bucket);
      const answer = answers.get(bucket);
      if (answer instanceof Error) throw answer;
      return answer;
    },
    log: new RecordingLog(),
    onFault: (fault) => told.push(fault),
  });
  return { look, looked, told, answers };
};

test('the bucket of a card is looked at before it is decided about, and once', async () => {
  const { look, looked } = makeLook();
  const both = [look.awaitCard(CARD), look.awaitCard(CARD)];
  assert.deepEqual(await Promise.all(both), [true, true]);
  assert.equal(look.awaitCard(CARD), undefined);
  assert.notEqual(look.awaitCard(OTHER), undefined);
  assert.deepEqual(looked, [bucketOf(CARD), bucketOf(OTHER)]);
});

test('in the end every bucket was looked at once, and no card waits', async () => {
  const { look, looked } = makeLook();
  await look.awaitCard(CARD);
  look.start();
  await look.done;
  assert.deepEqual(
    looked.toSorted((a, b) => a - b),
    [...Array(BUCKETS).keys()],
  );
  for (const text of cardNumbers(300)) assert.equal(look.awaitCard(cardNumber(text)), undefined);
});

test('once a bucket is wrong no card is sound, those of buckets that were looked at neither, and it is told once', async () => {
  const { look, told } = makeLook(new Map([[bucketOf(OTHER), 'cut']]));
  assert.equal(await look.awaitCard(CARD), true);
  assert.equal(await look.awaitCard(OTHER), false);
  assert.equal(await look.awaitCard(CARD), false);
  assert.equal(await look.awaitCard(OTHER), false);
  assert.deepEqual([told, look.fault], [['cut'], 'cut']);
});

test('a card whose bucket cannot be read is not sound, and is looked at again', async () => {
  const { look, told, answers } = makeLook(new Map([[bucketOf(CARD), new RangeError('busy')]]));
  assert.equal(await look.awaitCard(CARD), false);
  assert.deepEqual(told, []);
  answers.clear();
  assert.equal(await look.awaitCard(CARD), true);
});

test('a bucket that could not be read is looked at with its card, though all others were looked at', async () => {
  const { look, answers } = makeLook(new Map([[bucketOf(CARD), new RangeError('busy')]]));
  look.start();
  await look.done;
  answers.clear();
  assert.equal(look.awaitCard(OTHER), undefined);
  const { look: stopped } = makeLook();
  await stopped.stop();
  assert.equal(await stopped.awaitCard(CARD), false, 'nothing is read after the end');
});
