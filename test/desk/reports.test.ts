// What the desk tells of a period: changes, cards that lie about, people without one, what lags, and who was there.

import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { isFaulty } from '../../src/desk/card-checks.ts';
import type { Desk } from '../../src/desk/desk.ts';
import type { Report, ReportName, Row } from '../../src/desk/report.ts';
import { type ReportRequest, Reports } from '../../src/desk/reports.ts';
import type { JsonValue } from '../../src/domain/canonical-json.ts';
import { seconds } from '../../src/domain/units.ts';
import type { DeskPut, DeskStore } from '../../src/ports/desk-store.ts';
import { CLERK, type OpenDesk, openDesk, receiptFor, SECURITY, statusOf, taken } from '../fixtures/open-desk.ts';

const OLD = '04A2B3C4D5E680';
const NEW = '04A2B3C4D5E681';
const STATUS = 'cardea/hq/gateways/lobby-1/status';
const RECEIPTS = 'cardea/hq/gateways/lobby-1/receipt';
const EVENTS = 'cardea/hq/gateways/lobby-1/event';
const DAY = 86_400;

/** A request that is refused fails the test. */
const rowsOf = async ({ desk, store, clock }: OpenDesk, name: ReportName, request: ReportRequest = {}) => {
  const { state, usage } = desk;
  const report = new Reports({ store, state, usage, clock, standing: (id) => desk.standing(id) }).make(name, request);
  assert.ok(!isFaulty(report), JSON.stringify(report));
  return await rowsIn(report);
};

const rowsIn = async (report: Report): Promise<readonly Row[]> => {
  const rows: Row[] = [];
  for await (const row of report.rows()) {
    assert.deepEqual(Object.keys(row).sort(), [...report.columns].sort());
    rows.push(row);
  }
  return rows;
};

const column = (rows: readonly Row[], name: string) => rows.map((row) => row[name]);

const addPerson = async (desk: Desk, id: string, card?: string): Promise<void> => {
  await taken(desk.employees.add({ id, name: `Name of ${id}`, department: 'Lab' }, CLERK));
  if (card !== undefined) await taken(desk.cards.bind({ cardholder: id, card }, CLERK));
};

/** E1 with a card, and a gateway with a door. */
const site = async (t: TestContext): Promise<OpenDesk> => {
  const opened = await openDesk(t);
  const { desk, link } = opened;
  link.connect();
  await link.deliver(STATUS, statusOf(desk, 'lobby-1', ['front']));
  await addPerson(desk, 'E1', OLD);
  return opened;
};

const tapEvent = (fields: object) => ({
  type: 'event',
  gateway: 'lobby-1',
  event: 'access-granted',
  clockSynchronized: true,
  door: 'front',
  reader: 'front-in',
  direction: 'in',
  card: OLD,
  cardholder: 'E1',
  bindingRevision: 1,
  reason: null,
  detail: null,
  previousHash: '0'.repeat(64),
  hash: '0'.repeat(64),
  ...fields,
});

describe('the report of changes', () => {
  test('has one row for each operation, by period, operator, reason and person', async (t) => {
    const opened = await site(t);
    const { desk, link, clock } = opened;
    clock.advance(seconds(DAY));
    const operation = await taken(
      desk.cards.replace(
        { cardholder: 'E1', newCard: NEW, reason: 'lost', note: 'on the bus' },
        { ...CLERK, name: 'wu' },
      ),
    );
    clock.advance(seconds(90));
    await link.deliver(RECEIPTS, receiptFor(operation));
    const all = await rowsOf(opened, 'changes');
    assert.deepEqual(column(all, 'kind'), ['binding', 'replacement']);
    const [, row] = all;
    assert.deepEqual(
      [row?.['time'], row?.['name'], row?.['newCard'], row?.['stoppedCards'], row?.['note'], row?.['secondsToConfirm']],
      ['2026-01-06T08:00:00+00:00', 'Name of E1', NEW, [OLD], 'on the bus', 90],
    );
    const ids = async (request: ReportRequest) => column(await rowsOf(opened, 'changes', request), 'operation');
    assert.deepEqual(await ids({ from: '2026-01-06' }), ['op-2']);
    assert.deepEqual(await ids({ to: '2026-01-05' }), ['op-1']);
    assert.deepEqual(await ids({ from: '2026-01-05T08:00:00Z', to: '2026-01-05T09:00:00Z' }), ['op-1']);
    assert.deepEqual(await ids({ operator: 'wu' }), ['op-2']);
    assert.deepEqual(await ids({ reason: 'lost', cardholder: 'E1' }), ['op-2']);
    assert.deepEqual(await ids({ cardholder: 'E2' }), []);
  });

  test('counts a day by the clock of its zone', async (t) => {
    const opened = await site(t);
    const request = { from: '2026-01-05', to: '2026-01-05', timezone: 'Pacific/Kiritimati' };
    assert.deepEqual(column(await rowsOf(opened, 'changes', request), 'time'), ['2026-01-05T22:00:00+14:00']);
    const [before, here] = ['2026-01-04', '2026-01-05'].map((to) => ({ to, timezone: 'Pacific/Pago_Pago' }));
    assert.deepEqual(column(await rowsOf(opened, 'changes', before), 'operation'), ['op-1']);
    assert.deepEqual(column(await rowsOf(opened, 'changes', here), 'operation'), ['op-1']);
  });

  test('refuses what is no period', async (t) => {
    const { desk, store, clock } = await site(t);
    const { state, usage } = desk;
    const reports = new Reports({ store, state, usage, clock, standing: (id) => desk.standing(id) });
    for (const [request, path] of [
      [{ from: 'yesterday' }, 'from'],
      [{ to: '2026-02-30' }, 'to'],
      [{ from: '2026-02-02', to: '2026-02-01' }, 'to'],
      [{ timezone: 'Mars/Olympus' }, 'timezone'],
    ] as const) {
      const made = reports.make('changes', request);
      assert.equal(isFaulty(made) && made.refusal.path, path);
    }
  });
});

describe('cards and people', () => {
  test('a card is unused until a tap of its binding was granted', async (t) => {
    const opened = await site(t);
    const { desk, link, clock } = opened;
    await addPerson(desk, 'E2', NEW);
    clock.advance(seconds(3 * DAY));
    const unused = async (request?: ReportRequest) => column(await rowsOf(opened, 'unused-cards', request), 'card');
    assert.deepEqual(await unused(), [OLD, NEW]);
    assert.deepEqual(await unused({ to: '2026-01-04' }), []);
    const denied = tapEvent({ sequence: 1, event: 'access-denied', time: '2026-01-06T08:00:00Z' });
    await link.deliver(EVENTS, JSON.stringify(denied));
    await link.deliver(
      EVENTS,
      JSON.stringify(tapEvent({ sequence: 2, time: '2026-01-06T08:00:01Z', card: NEW, bindingRevision: 2 })),
    );
    const [row, ...others] = await rowsOf(opened, 'unused-cards');
    assert.deepEqual(others, []);
    assert.deepEqual(
      [row?.['card'], row?.['days'], row?.['lastGranted'], row?.['lastTap']],
      [OLD, 3, null, '2026-01-06T08:00:00+00:00'],
    );
  });

  test('who is here and has no card is named with the last one; who has left is not', async (t) => {
    const opened = await site(t);
    const { desk } = opened;
    await addPerson(desk, 'E2');
    await addPerson(desk, 'E3', NEW);
    await addPerson(desk, 'E4', '04FFFFFFFFFFFF');
    await taken(desk.cards.leave({ cardholder: 'E4' }, SECURITY));
    await taken(desk.cards.reportLoss({ cardholder: 'E3', reason: 'lost' }, SECURITY));
    const rows = await rowsOf(opened, 'people-without-card');
    assert.deepEqual(
      rows.map((row) => [row['cardholder'], row['lastCard'], row['reason']]),
      [
        ['E2', null, null],
        ['E3', NEW, 'suspended'],
      ],
    );
  });

  test('what no gateway has confirmed is there with those that lag, and gone when they have', async (t) => {
    const opened = await site(t);
    const { desk, link, clock } = opened;
    const rows = await rowsOf(opened, 'operations');
    assert.deepEqual(
      rows.map((row) => [row['operation'], row['state'], row['missing']]),
      [['op-1', 'open', ['lobby-1']]],
    );
    clock.advance(seconds(301));
    const [overdue] = await rowsOf(opened, 'operations', { operator: 'li' });
    assert.equal(overdue?.['state'], 'overdue');
    assert.deepEqual(await rowsOf(opened, 'operations', { operator: 'wu' }), []);
    const operation = desk.state.open.get('op-1');
    assert.ok(operation);
    await link.deliver(RECEIPTS, receiptFor(operation));
    assert.deepEqual(await rowsOf(opened, 'operations'), []);
  });
});

describe('attendance', () => {
  const put = async (store: DeskStore, events: readonly object[]): Promise<void> => {
    const puts = events.map((event): DeskPut => {
      const { gateway, sequence } = Object(event);
      return { kind: 'event', key: `${gateway}/${String(sequence).padStart(16, '0')}`, value: event as JsonValue };
    });
    await store.write(puts);
  };

  test('joins the taps of all gateways, across a replacement', async (t) => {
    const opened = await site(t);
    await put(opened.store, [
      tapEvent({ sequence: 1, time: '2026-01-05T08:00:00Z' }),
      tapEvent({ sequence: 2, time: '2026-01-05T17:00:00Z', direction: 'out', card: NEW, bindingRevision: 2 }),
      // Of another gateway, with a door of the same name, in between.
      tapEvent({ gateway: 'a-lab', sequence: 1, time: '2026-01-05T09:00:00Z' }),
      tapEvent({ gateway: 'a-lab', sequence: 2, time: '2026-01-05T10:00:00Z', direction: 'out' }),
      tapEvent({ gateway: 'a-lab', sequence: 3, time: '2026-01-06T10:00:00Z', cardholder: 'E2' }),
    ]);
    const rows = await rowsOf(opened, 'attendance');
    assert.deepEqual(
      rows.map((row) => [row['date'], row['cardholder'], row['present'], row['cards'], row['bindingRevisions']]),
      [
        ['2026-01-05', 'E1', '9:00:00', [OLD, NEW], [1, 2]],
        ['2026-01-06', 'E2', '0:00:00', [OLD], [1]],
      ],
    );
    assert.deepEqual(rows[0]?.['doors'], ['lobby-1/front', 'a-lab/front']);
    assert.deepEqual(column(await rowsOf(opened, 'attendance', { cardholder: 'E2' }), 'date'), ['2026-01-06']);
    assert.deepEqual(column(await rowsOf(opened, 'attendance', { to: '2026-01-05' }), 'cardholder'), ['E1']);
  });

  test('finds a day in a long log, whose clock was not set at times, without reading all of it', async (t) => {
    const opened = await openDesk(t);
    const day = (index: number): string => new Date(Date.UTC(2025, 0, 1 + Math.floor(index / 20))).toISOString();
    const events = Array.from({ length: 4000 }, (_, index) => {
      const isSet = index % 7 !== 0;
      return tapEvent({
        sequence: index + 1,
        cardholder: `E${index % 10}`,
        time: isSet
          ? day(index).replace('T00', `T${String(6 + (index % 12)).padStart(2, '0')}`)
          : '1970-01-01T00:00:01Z',
        clockSynchronized: isSet,
      });
    });
    await put(opened.store, events);
    let read = 0;
    const counting: Pick<DeskStore, 'entries' | 'keys'> = {
      keys: (...args) => opened.store.keys(...args),
      entries: async function* (...args) {
        for await (const entry of opened.store.entries(...args)) {
          read += 1;
          yield entry;
        }
      },
    };
    const { state, usage } = opened.desk;
    const sources = {
      store: counting,
      state,
      usage,
      clock: opened.clock,
      standing: opened.desk.standing.bind(opened.desk),
    };
    const rowsFrom = async (request: ReportRequest): Promise<readonly Row[]> => {
      const report = new Reports(sources).make('attendance', request);
      assert.ok(!isFaulty(report));
      return await rowsIn(report);
    };
    const found = await rowsFrom({ from: '2025-06-01', to: '2025-06-01' });
    assert.ok(read < 1500, `${read} events were read`);
    const all = (await rowsFrom({})).filter((row) => row['date'] === '2025-06-01');
    assert.ok(found.length > 0);
    assert.deepEqual(found, all);
  });
});
