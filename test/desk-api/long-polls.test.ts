import assert from 'node:assert/strict';
import { IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { test } from 'node:test';
import { LongPolls } from '../../src/desk-api/long-polls.ts';
import { seconds } from '../../src/domain/units.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';

const response = (): ServerResponse => new ServerResponse(new IncomingMessage(new Socket()));

test('what has happened already while one begins to listen is the answer, and nobody listens on', async () => {
  const longPolls = new LongPolls(new VirtualClock());
  const stops: string[] = [];
  const answer = await longPolls.first<string>(10, response(), (give) => {
    give('at once');
    return () => stops.push('stopped');
  });
  assert.deepEqual([answer, stops], ['at once', ['stopped']]);
});

test('the first of what happens is the answer; without any, the end of the time, of the caller, or of the server', async () => {
  const clock = new VirtualClock();
  const longPolls = new LongPolls(clock);
  const stops: number[] = [];
  const gives: ((value: number) => void)[] = [];
  const wait = (index: number, from = response()): Promise<number | undefined> =>
    longPolls.first<number>(10, from, (give) => {
      gives.push(give);
      return () => stops.push(index);
    });
  const gone = response();
  const answers = [wait(0), wait(1, gone), wait(2)];
  gives[0]?.(7);
  gives[0]?.(8);
  gone.emit('close');
  clock.advance(seconds(10));
  answers.push(wait(3));
  longPolls.close();
  assert.deepEqual(await Promise.all(answers), [7, undefined, undefined, undefined]);
  assert.deepEqual(stops, [0, 1, 2, 3]);
});
