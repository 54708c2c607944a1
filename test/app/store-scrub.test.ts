import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SCRUB_INTERVAL, StoreScrub } from '../../src/app/store-scrub.ts';
import { StoreTrust } from '../../src/app/store-trust.ts';
import type { NewEvent } from '../../src/domain/access-event.ts';
import { emptyRoster } from '../../src/domain/roster-digest.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { bindingOf, time, tombstoneOf } from '../domain/samples.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('damage that is found beside everything else is an event once, and an alarm from then on', async () => {
  const clock = new VirtualClock();
  const events: NewEvent[] = [];
  let looks = 0;
  const scrub = new StoreScrub({
    verify: async () => {
      looks += 1;
      return looks === 1 ? undefined : 'event 7 does not fit its hash';
    },
    verifyAsStart: async () => undefined,
    onSetAside: () => assert.fail('a start finds nothing wrong'),
    writer: { record: (event) => events.push(event) },
    clock,
    log: new RecordingLog(),
    onChange: () => {},
  });
  scrub.start();
  clock.advance(milliseconds(60_000));
  await settle();
  assert.deepEqual([looks, scrub.alarms()], [1, []]);
  for (let day = 0; day < 2; day++) {
    clock.advance(SCRUB_INTERVAL);
    await settle();
  }
  assert.equal(looks, 3);
  assert.deepEqual(
    events.map(({ event }) => event),
    ['store-damaged'],
  );
  assert.match(scrub.alarms().join(), /event 7 does not fit/);
  await scrub.stop();
  clock.advance(SCRUB_INTERVAL);
  assert.equal(looks, 3);
});

test('of a store in doubt only tombstones are believed, and live cards where the site wants it, until HR has confirmed the roster', () => {
  const damage = { at: time('2026-01-05T08:00:00Z'), reason: 'the log was cut', setAside: 'store.damaged-1', lost: '' };
  const live = { kind: 'live', binding: bindingOf() } as const;
  const retired = { kind: 'retired', tombstone: tombstoneOf() } as const;
  const unknown = { kind: 'unknown' } as const;
  const kindsIn = (policy: 'deny' | 'allow-last-known', isConfirmed: boolean): string[] => {
    const roster = { ...emptyRoster(), ...(isConfirmed && { reconciledAt: damage.at }) };
    const trust = new StoreTrust({ store: { damage: () => damage, roster: () => roster }, policy, isKept: false });
    return [live, retired, unknown].map((card) => trust.believable(card).kind);
  };
  assert.deepEqual(kindsIn('deny', false), ['unreadable', 'retired', 'unreadable']);
  assert.deepEqual(kindsIn('allow-last-known', false), ['live', 'retired', 'unreadable']);
  assert.deepEqual(kindsIn('deny', true), ['live', 'retired', 'unknown']);
});
