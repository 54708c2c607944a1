import assert from 'node:assert/strict';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { runCommand } from '../../src/cli/program.ts';
import type { NewEvent } from '../../src/domain/access-event.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { type AdminBench, CARD, FRONT } from '../admin/admin-bench.ts';
import { environmentWith, FakeTerminal, folderFor, OPERATOR, startBench } from './cli-bench.ts';

const NEW_CARD = '11223344';
const HOUR = 3_600_000;
const DAYS = ['--from', '2026-01-05', '--to', '2026-01-05'];

const rowsOf = (csv: string): Record<string, string>[] => {
  const [head = '', ...lines] = csv.trimEnd().split('\r\n');
  const columns = head.split(',');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, index) => [columns[index] ?? '', cell])));
};

/** The last tap again, the other way: the bench has no reader at the way out. */
const goOut = async (bench: AdminBench): Promise<void> => {
  const last = bench.store.entries.map(({ event }) => event).findLast(({ event }) => event === 'access-granted');
  assert.ok(last !== undefined);
  const { reader, card, cardholder, bindingRevision } = last;
  const who: Partial<NewEvent> = {
    ...(reader !== null && { reader }),
    ...(card !== null && { card }),
    ...(cardholder !== null && { cardholder }),
    ...(bindingRevision !== null && { bindingRevision }),
  };
  const time = { at: bench.clock.now(), clockSynchronized: true };
  bench.writer.record({ event: 'access-granted', ...time, door: FRONT, direction: 'out', ...who });
  await bench.writer.idle();
};

/** Everybody who taps here opens the door as well. */
const tapAndEnter = async (cardea: (...args: string[]) => Promise<unknown>, card: string): Promise<void> => {
  await cardea('tap', 'front-in', card);
  await cardea('line', 'front', 'contact', 'off');
  await cardea('line', 'front', 'contact', 'on');
};

/** A morning with one card, an afternoon with the one that replaced it. */
const dayWithReplacement = async (t: TestContext) => {
  const { bench, socket, cardea } = await startBench(t);
  await bench.bind();
  await tapAndEnter(cardea, CARD);
  bench.clock.advance(milliseconds(3 * HOUR));
  await goOut(bench);
  await bench.bind(NEW_CARD);
  bench.clock.advance(milliseconds(HOUR));
  await cardea('tap', 'front-in', CARD);
  await tapAndEnter(cardea, NEW_CARD);
  bench.clock.advance(milliseconds(4.5 * HOUR));
  await goOut(bench);
  return { bench, socket, cardea };
};

describe('cardea report attendance', () => {
  it("joins a person's day across the replacement of the card", async (t) => {
    const { cardea } = await dayWithReplacement(t);
    const { code, output, errors } = await cardea('report', 'attendance', ...DAYS);
    assert.deepEqual([code, errors], [EXIT.ok, '']);
    assert.deepEqual(rowsOf(output), [
      {
        date: '2026-01-05',
        cardholder: 'E1001',
        name: 'Ada Lovelace',
        firstIn: '2026-01-05T08:00:00+00:00',
        lastOut: '2026-01-05T16:30:00+00:00',
        present: '7:30:00',
        presentSeconds: '27000',
        unmatchedIns: '0',
        unmatchedOuts: '0',
        taps: '4',
        guessedTaps: '0',
        doors: 'front',
        cards: `${CARD}; ${NEW_CARD}`,
        bindingRevisions: '1; 2',
      },
    ]);
  });

  it('is one JSON array, also of nothing', async (t) => {
    const { cardea } = await dayWithReplacement(t);
    const [day] = JSON.parse((await cardea('report', 'attendance', ...DAYS, '--format', 'json')).output);
    assert.deepEqual([day.cards, day.presentSeconds], [[CARD, NEW_CARD], 27_000]);
    const none = await cardea('report', 'attendance', '--from', '2026-01-06', '--format', 'json');
    assert.deepEqual([none.code, JSON.parse(none.output)], [EXIT.ok, []]);
    const other = await cardea('report', 'attendance', ...DAYS, '--cardholder', 'E2', '--format', 'json');
    assert.deepEqual(JSON.parse(other.output), []);
    const attic = await cardea('report', 'attendance', ...DAYS, '--door', 'attic', '--format', 'json');
    assert.deepEqual(JSON.parse(attic.output), []);
  });

  it('counts the days of the time zone that is named', async (t) => {
    const { cardea } = await dayWithReplacement(t);
    const zone = ['--timezone', 'Asia/Tokyo'];
    const [day] = rowsOf((await cardea('report', 'attendance', ...DAYS, ...zone)).output);
    assert.deepEqual([day?.['firstIn'], day?.['present']], ['2026-01-05T17:00:00+09:00', '7:30:00']);
    const wrong = await cardea('report', 'attendance', ...DAYS, '--timezone', 'Mars/Base');
    assert.deepEqual([wrong.code, wrong.output], [EXIT.usage, '']);
    assert.match(wrong.errors, /"Mars\/Base" is not a time zone/);
  });

  it('lists every tap where that is asked for', async (t) => {
    const { cardea } = await dayWithReplacement(t);
    const taps = rowsOf((await cardea('report', 'attendance', ...DAYS, '--taps')).output);
    assert.deepEqual(
      taps.map(({ time, direction, card, bindingRevision }) => [time?.slice(11, 16), direction, card, bindingRevision]),
      [
        ['08:00', 'in', CARD, '1'],
        ['11:00', 'out', CARD, '1'],
        ['12:00', 'in', NEW_CARD, '2'],
        ['16:30', 'out', NEW_CARD, '2'],
      ],
    );
  });

  it('says which events it had to do without', async (t) => {
    const { bench, cardea } = await dayWithReplacement(t);
    const tap = bench.store.entries.findIndex(({ event }) => event.event === 'access-granted') + 1;
    bench.store.garbleEntry(tap);
    const { code, output, errors } = await cardea('report', 'attendance', ...DAYS);
    assert.deepEqual(
      [code, errors],
      [EXIT.ok, `cardea: event ${tap} of the log cannot be read: what it told is missing here\n`],
    );
    assert.equal(rowsOf(output)[0]?.['unmatchedOuts'], '1');
  });

  it('refuses days that are none, and says so before anything is on record', async (t) => {
    const { bench, cardea } = await startBench(t);
    for (const [days, words] of [
      [['--from', '2026-02-30'], /"2026-02-30" is not a date/],
      [['--from', '2026-03-02', '--to', '2026-03-01'], /--to 2026-03-01 is before --from 2026-03-02/],
    ] as const) {
      const { code, errors } = await cardea('report', 'attendance', ...days);
      assert.equal(code, EXIT.usage);
      assert.match(errors, words);
    }
    assert.equal(bench.store.entries.length, 0);
  });
});

describe('cardea report cards', () => {
  it('lists what is bound, and with --all what was retired and why', async (t) => {
    const { cardea } = await dayWithReplacement(t);
    const [bound, ...others] = rowsOf((await cardea('report', 'cards')).output);
    assert.deepEqual(others, []);
    assert.deepEqual(
      [bound?.['card'], bound?.['state'], bound?.['name'], bound?.['access'], bound?.['appliedAt']],
      [NEW_CARD, 'bound', 'Ada Lovelace', 'front (always)', '2026-01-05T11:00:00+00:00'],
    );
    const all = rowsOf((await cardea('report', 'cards', '--all')).output);
    const retired = all.find(({ state }) => state === 'retired');
    assert.deepEqual(
      [all.length, retired?.['card'], retired?.['reason'], retired?.['cardholder']],
      [2, CARD, 'replaced', 'E1001'],
    );
  });

  it('does not let a name become a formula, a second cell or a command to the terminal', async (t) => {
    const { bench, cardea } = await startBench(t);
    for (const [card, name, cell] of [
      ['11223341', '=HYPERLINK("http://x")', `"'=HYPERLINK(""http://x"")"`],
      ['11223342', '+49 1', "'+49 1"],
      ['11223343', '@SUM(A1)', "'@SUM(A1)"],
      ['11223344', '-1', "'-1"],
      ['11223345', 'Doe, Jane', '"Doe, Jane"'],
      ['11223346', 'Åsa \u202EesrevnI', 'Åsa \uFFFDesrevnI'],
    ] as const) {
      await bench.bind(card, { cardholder: { id: 'E7', name } });
      const [, row = ''] = (await cardea('report', 'cards')).output.split('\r\n');
      assert.ok(row.startsWith(`${card},bound,E7,${cell},`), row);
    }
  });
});

describe('cardea report changes and denied', () => {
  it('lists every message of HR with its operator and result', async (t) => {
    const { bench, cardea } = await dayWithReplacement(t);
    await bench.bind('nonsense');
    const changes = JSON.parse((await cardea('report', 'changes', ...DAYS, '--format', 'json')).output);
    assert.deepEqual(
      changes.map(
        ({ operator, type, result, code, card, superseded, revision, messageId }: Record<string, unknown>) => [
          ...[operator, type, result, code, card, superseded, revision, messageId],
        ],
      ),
      [
        ['hr.desk-1', 'card-bound', 'applied', null, CARD, [], 1, 'message-1'],
        ['hr.desk-1', 'card-bound', 'applied', null, NEW_CARD, [CARD], 2, 'message-2'],
        ['hr.desk-1', 'card-bound', 'rejected', 'invalid-card-number', null, [], 3, 'message-3'],
      ],
    );
  });

  it('lists every card that was not let in, and why', async (t) => {
    const { cardea } = await dayWithReplacement(t);
    const denied = rowsOf((await cardea('report', 'denied', ...DAYS)).output);
    assert.deepEqual(
      denied.map(({ time, door, reader, card, cardholder, reason }) => [time, door, reader, card, cardholder, reason]),
      [['2026-01-05T12:00:00+00:00', 'front', 'front-in', CARD, 'E1001', 'replaced']],
    );
    assert.deepEqual(rowsOf((await cardea('report', 'denied', '--from', '2026-01-06')).output), []);
  });
});

describe('a report', () => {
  it('is on record with who took it', async (t) => {
    const { bench, cardea } = await startBench(t);
    await cardea('report', 'attendance', ...DAYS, '--cardholder', 'E1001');
    const { event, cardholder, detail } = bench.store.entries.at(-1)?.event ?? {};
    assert.deepEqual([event, cardholder], ['operator-action', 'E1001']);
    const dates = { from: '2026-01-05', to: '2026-01-05' };
    assert.deepEqual(detail, { action: 'report', report: 'attendance', operator: OPERATOR, ...dates });
  });

  it('goes to a file that is there when it is whole, and only for its owner', async (t) => {
    const { cardea } = await dayWithReplacement(t);
    const file = join(folderFor(t), 'november.csv');
    const { code, output } = await cardea('report', 'cards', '--out', file);
    assert.deepEqual([code, output], [EXIT.ok, '']);
    assert.equal(rowsOf(readFileSync(file, 'utf8')).length, 1);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    const again = await cardea('report', 'cards', '--out', file);
    assert.equal(again.code, EXIT.no);
    assert.match(again.errors, /november\.csv: it is there already/);
  });

  it('leaves no file, and no half of a row, when it is ended before it is whole', async (t) => {
    const { bench, socket } = await startBench(t);
    for (let card = 0; card < 300; card++) await bench.bind(`112${10_000 + card}`, { cardholder: { id: `E${card}` } });
    const folder = folderFor(t);
    for (const target of [[], ['--out', join(folder, 'cards.csv')]]) {
      const terminal = new FakeTerminal();
      let end = (_: string): void => {};
      const write = terminal.write.bind(terminal);
      terminal.write = (text) => {
        end('SIGINT');
        return write(text);
      };
      const environment = environmentWith(terminal, {
        onEndSignal: (listener) => {
          end = listener;
          if (target.length > 0) setImmediate(() => end('SIGINT'));
          return () => {};
        },
      });
      const code = await runCommand(['report', 'cards', '--socket', socket, ...target], environment);
      assert.equal(code, EXIT.no);
      assert.match(terminal.errors, /ended by SIGINT: the report is not whole/);
      if (target.length === 0) assert.match(terminal.output, /\r\n$/);
    }
    assert.deepEqual(readdirSync(folder), []);
  });

  it('says where it cannot be written', async (t) => {
    const { cardea } = await startBench(t);
    const folder = folderFor(t);
    writeFileSync(join(folder, 'no-folder'), '');
    const { code, errors } = await cardea('report', 'cards', '--out', join(folder, 'no-folder', 'cards.csv'));
    assert.equal(code, EXIT.no);
    assert.match(errors, /^cardea: the report cannot be written to .*ENOTDIR/);
  });

  it('is quiet when nobody reads on', async (t) => {
    const { bench, socket } = await startBench(t);
    await bench.bind();
    const terminal = new FakeTerminal();
    terminal.writesLeft = 0;
    assert.equal(await runCommand(['report', 'cards', '--socket', socket], environmentWith(terminal)), EXIT.ok);
    assert.equal(terminal.errors, '');
  });
});
