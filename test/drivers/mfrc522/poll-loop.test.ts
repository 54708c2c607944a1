// The polling loop against a chip that dies, browns out, hangs, is unplugged, and comes back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { milliseconds } from '../../../src/domain/units.ts';
import { PollLoop } from '../../../src/drivers/mfrc522/poll-loop.ts';
import type { PollReport } from '../../../src/drivers/mfrc522/reader-messages.ts';
import { makeFakeMfrc522Bench } from '../../fakes/fake-mfrc522-bench.ts';

const describe = (report: PollReport): string => {
  switch (report.kind) {
    case 'observation':
      return report.observation.kind === 'card'
        ? Buffer.from(report.observation.uid).toString('hex')
        : report.observation.kind === 'ambiguous'
          ? report.observation.cause
          : 'none';
    case 'condition':
      return report.condition.state;
    default:
      return report.kind;
  }
};

const makeLoop = (options: Parameters<typeof makeFakeMfrc522Bench>[0] = {}) => {
  const bench = makeFakeMfrc522Bench(options);
  let reports: PollReport[] = [];
  const loop = new PollLoop({
    chip: bench.chip,
    pollInterval: milliseconds(50),
    now: bench.now,
    report: (report) => reports.push(report),
  });
  const turns = (count: number): string[] => {
    reports = [];
    for (let turn = 0; turn < count; turn += 1) bench.sleep(loop.turn());
    return reports.map(describe);
  };
  /** The last condition's detail. */
  const detail = (): string =>
    reports.reduce((last, report) => (report.kind === 'condition' ? report.condition.detail : last), '');
  return { ...bench, loop, turns, detail, reports: () => reports };
};

test('the first turn brings the chip up and says which it is', () => {
  const bench = makeLoop();
  assert.deepEqual(bench.turns(1), ['online']);
  assert.equal(bench.detail(), 'MFRC522 version 2.0 (VersionReg 0x92)');
});

test('observations follow: none, a card while it is there, none', () => {
  const bench = makeLoop();
  bench.turns(1);
  assert.deepEqual(bench.turns(2), ['none', 'none']);
  bench.present('04a2b3c4d5e680');
  bench.turns(1);
  assert.deepEqual(bench.turns(3), ['04a2b3c4d5e680', '04a2b3c4d5e680', '04a2b3c4d5e680']);
  bench.remove();
  assert.deepEqual(bench.turns(2), ['none', 'none']);
});

for (const version of [0x88, 0xb2, 0x12, 0x37]) {
  test(`a chip with VersionReg ${version.toString(16)} is used, with one warning`, () => {
    const bench = makeLoop({ version });
    assert.deepEqual(bench.turns(2), ['online', 'warning', 'none']);
    bench.fake.brownOut();
    assert.deepEqual(bench.turns(2), ['offline', 'online', 'none']);
  });
}

for (const stuckAt of [0x00, 0xff] as const) {
  test(`a bus stuck at ${stuckAt.toString(16)} is offline, is never an empty field, and comes back by itself`, () => {
    const bench = makeLoop();
    bench.present('11223344');
    bench.turns(3);
    bench.fake.stuckAt = stuckAt;
    assert.deepEqual(bench.turns(1), ['offline']);
    assert.match(bench.detail(), stuckAt === 0 ? /all bits read 0: check/ : /all bits read 1: check/);
    assert.deepEqual(bench.turns(4), ['pulse-reset']);
    assert.deepEqual(bench.turns(4), ['pulse-reset']);
    bench.fake.stuckAt = undefined;
    assert.deepEqual(bench.turns(2), ['online', '11223344']);
  });

  test(`a bus that sticks at ${stuckAt.toString(16)} at any byte of a turn yields no observation from then on`, () => {
    for (const present of [true, false]) {
      for (let after = 1; after < 400; after += 3) {
        let bytes = Number.POSITIVE_INFINITY;
        const bench = makeLoop({
          wire: (byte) => {
            bytes -= 1;
            if (bytes <= 0) bench.fake.stuckAt = stuckAt;
            return bytes <= 0 ? stuckAt : byte;
          },
        });
        if (present) bench.present('11223344');
        bench.turns(3);
        bytes = after;
        while (bench.fake.stuckAt === undefined) {
          for (const what of bench.turns(1))
            assert.ok(what === (present ? '11223344' : 'none') || what === 'offline', what);
        }
        const tail = bench.turns(3);
        assert.ok(!tail.includes('none') && !tail.includes('11223344'), tail.join());
      }
    }
  });
}

test('a chip that never answered is offline after the first turn, said once', () => {
  const bench = makeLoop();
  bench.fake.stuckAt = 0x00;
  assert.deepEqual(bench.turns(1), ['offline', 'pulse-reset']);
  assert.deepEqual(bench.turns(3), []);
});

test('retries come at a modest pace', () => {
  const bench = makeLoop();
  bench.fake.stuckAt = 0x00;
  const pauses = Array.from({ length: 6 }, () => Number(bench.loop.turn()));
  assert.deepEqual(pauses, [250, 500, 1000, 2000, 2000, 2000]);
});

test('a brown-out is repaired within the turn that finds it, and told', () => {
  const bench = makeLoop();
  bench.turns(3);
  const resets = bench.fake.softResets;
  bench.fake.brownOut();
  assert.deepEqual(bench.turns(1), ['offline', 'online']);
  assert.match(
    bench
      .reports()
      .map((report) => (report.kind === 'condition' ? report.condition.detail : ''))
      .join(),
    /supply for dips/,
  );
  assert.equal(bench.fake.softResets, resets, 'settings are written anew first, without a reset');
  assert.deepEqual(bench.turns(1), ['none']);
});

test('a brown-out under a card that stays is no removal', () => {
  const bench = makeLoop();
  bench.present('11223344');
  bench.turns(3);
  bench.fake.brownOut();
  assert.deepEqual(bench.turns(3), ['offline', 'online', '11223344', '11223344']);
});

test('a lost setting is found within about a second while cards keep being read', () => {
  const bench = makeLoop();
  bench.present('11223344');
  bench.turns(3);
  bench.fake.exchange([Uint8Array.of(0x26 << 1, 0x48)]); // the gain, as after reset
  bench.fake.exchange([Uint8Array.of(0x26 << 1, 0x18)]);
  const seen = bench.turns(25);
  assert.deepEqual(
    seen.filter((what) => what !== '11223344'),
    ['offline', 'online'],
  );
});

test('a hung transceiver is reset after three turns without a word about the field', () => {
  const bench = makeLoop();
  bench.turns(2);
  bench.fake.isHung = true;
  assert.deepEqual(bench.turns(3), ['offline', 'online']);
  assert.deepEqual(bench.turns(1), ['none']);
});

test('an SPI device that is unplugged is offline, and is opened again when it is back', () => {
  const bench = makeLoop();
  bench.present('11223344');
  bench.turns(3);
  bench.fake.isUnplugged = true;
  assert.deepEqual(bench.turns(5), ['offline']);
  assert.match(bench.detail(), /unplugged.*check that SPI is enabled/);
  bench.fake.isUnplugged = false;
  assert.deepEqual(bench.turns(2), ['online', '11223344']);
});

test('a chip that needs repair at every turn is held offline for longer and longer, and says how often it failed', () => {
  const bench = makeLoop();
  bench.turns(3);
  const offlineAt: number[] = [];
  const details: string[] = [];
  const start = bench.now();
  while (bench.now() - start < 10 * 60_000) {
    bench.fake.brownOut();
    const time = bench.now();
    bench.turns(1);
    for (const report of bench.reports()) {
      if (report.kind === 'observation') assert.fail('a chip without settings sees nothing');
      if (report.kind !== 'condition' || report.condition.state !== 'offline') continue;
      offlineAt.push(time);
      details.push(report.condition.detail);
    }
  }
  const pauses = offlineAt.slice(1).map((time, index) => Math.floor((time - (offlineAt[index] ?? 0)) / 1000));
  assert.deepEqual(pauses.slice(0, 9), [0, 0, 1, 2, 4, 8, 16, 32, 60]);
  assert.ok(offlineAt.length <= 18, `${offlineAt.length} conditions in ten minutes`);
  assert.doesNotMatch(details[1] ?? '', /in short order/);
  assert.match(details[2] ?? '', /brown-out.*failed 3 times in short order, so it is left alone for 1 s/);
});

test('a chip that is held offline still turns often enough to show that its thread lives', () => {
  const bench = makeLoop();
  bench.turns(3);
  for (let failures = 0; failures < 30; failures += 1) {
    bench.fake.brownOut();
    const pause = bench.loop.turn();
    assert.ok(pause > 0 && pause <= 2000, `${pause}`);
    bench.sleep(pause);
  }
});

test('each ten seconds online forgive one failure, until the next one is repaired at once again', () => {
  const bench = makeLoop();
  bench.turns(3);
  for (let failures = 0; failures < 4; failures += 1) {
    bench.fake.brownOut();
    bench.turns(2);
  }
  bench.turns(25_000 / 50);
  bench.fake.brownOut();
  assert.deepEqual(bench.turns(1), ['offline']);
  bench.turns(25_000 / 50);
  bench.fake.brownOut();
  assert.deepEqual(bench.turns(1), ['offline', 'online']);
});

test('while offline another reason is news at most once a minute', () => {
  const bench = makeLoop();
  bench.turns(3);
  let conditions = 0;
  const start = bench.now();
  while (bench.now() - start < 5 * 60_000) {
    bench.fake.stuckAt = bench.fake.stuckAt === 0x00 ? 0xff : 0x00;
    conditions += bench.turns(1).filter((what) => what === 'offline').length;
  }
  assert.ok(conditions >= 3 && conditions <= 6, `${conditions}`);
});

test('an empty field is used to reset the chip every five minutes, unnoticed', () => {
  const bench = makeLoop();
  bench.turns(2);
  const resets = bench.fake.softResets;
  bench.sleep(5 * 60_000);
  assert.deepEqual(bench.turns(3), ['none', 'none', 'none']);
  assert.equal(bench.fake.softResets, resets + 1);
});

test('stop switches the field off and closes the bus, also when the device is gone', () => {
  const bench = makeLoop();
  bench.turns(2);
  const card = bench.present('11223344');
  bench.turns(1);
  bench.loop.stop();
  assert.equal(card.state, 'off');
  bench.fake.isUnplugged = true;
  bench.loop.stop();
});

test('one empty poll is two messages of eight frames', () => {
  const bench = makeLoop();
  bench.turns(2);
  const before = bench.chip.counters;
  bench.turns(1);
  assert.equal(bench.chip.counters.messages - before.messages, 2);
  assert.equal(bench.chip.counters.frames - before.frames, 8);
});
