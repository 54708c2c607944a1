// One side of the power cut: `write` records a grant and a binding in one batch, again and again, and acknowledges each batch
// that is durable; `check LAST` opens what the cut has left and wants all that was acknowledged, in one unbroken chain.

import { SerialWriter } from '../../../src/app/serial-writer.ts';
import { EMPTY_LOG, isIntact, type LogTail } from '../../../src/domain/access-event.ts';
import { milliseconds } from '../../../src/domain/units.ts';
import { SystemClock } from '../../../src/drivers/clock/system-clock.ts';
import type { LevelStore } from '../../../src/drivers/level/level-store.ts';
import { CardeaError } from '../../../src/errors.ts';
import { createLog } from '../../../src/log.ts';
import { bindingOf, cardNumber, doorId, gatewayId, originOf, revision } from '../../domain/samples.ts';
import { openDataDir } from '../../fixtures/test-store.ts';

const open = (): Promise<LevelStore> => openDataDir(process.env['BOARD_DISK'] ?? '/nowhere');
const cardOf = (number: number) => cardNumber(number.toString(16).toUpperCase().padStart(8, 'A'));
const PAGE = 500;

const write = async (): Promise<void> => {
  const store = await open();
  const clock = new SystemClock({ trust: 'always' });
  const writer = new SerialWriter({ store, gateway: gatewayId('board'), clock, log: createLog('silent') });
  for (let number = store.tail().sequence + 1; ; number++) {
    const binding = bindingOf({ revision: revision(number), origin: originOf(number) });
    const sequence = await writer.write((tx) => {
      tx.putChange({ cards: new Map([[cardOf(number), binding]]), cardholders: new Map(), revision: revision(number) });
      const event = {
        event: 'access-granted',
        at: clock.now(),
        clockSynchronized: true,
        door: doorId('front'),
      } as const;
      return tx.append(event).sequence;
    });
    process.stdout.write(`ACK ${sequence}\n`);
    await new Promise<void>((resolve) => clock.schedule(milliseconds(1), resolve));
  }
};

const check = async (last: number): Promise<void> => {
  const store = await open();
  let tail: LogTail = EMPTY_LOG;
  for (;;) {
    const entries = await store.entriesAfter(tail.sequence, PAGE);
    if (entries.length === 0) break;
    for (const { event } of entries) {
      if (!isIntact(event, tail))
        throw new CardeaError('store-record-unreadable', `the chain breaks at ${event.sequence}`);
      tail = { sequence: event.sequence, hash: event.hash };
    }
  }
  if (tail.sequence < last) {
    throw new CardeaError('store-record-unreadable', `${last - tail.sequence} acknowledged events are lost`);
  }
  for (let number = 1; number <= tail.sequence; number++) {
    const found = store.findCard(cardOf(number)).kind;
    if (found !== 'live')
      throw new CardeaError('store-record-unreadable', `card ${number} of ${tail.sequence} is ${found}`);
  }
  process.stdout.write(
    `${tail.sequence} events in one chain, ${store.roster().cards} cards, last acknowledged ${last}\n`,
  );
  await store.close();
};

const [, , part, last = '0'] = process.argv;
await (part === 'write' ? write() : check(Number(last === '' ? '0' : last)));
