import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { BackupSchedule } from '../../src/app/backup-schedule.ts';
import { milliseconds } from '../../src/domain/units.ts';
import { CardeaError } from '../../src/errors.ts';
import type { BackupFolder } from '../../src/ports/backup-files.ts';
import { gatewayId, siteId } from '../domain/samples.ts';
import { VirtualClock } from '../fakes/virtual-clock.ts';
import { RecordingLog } from '../fixtures/recording-log.ts';

const HOUR = 3_600_000;
const MINUTE = 60_000;

class FakeFolder implements BackupFolder {
  readonly files = new Map<string, string>();
  failure: string | undefined;
  /** Removals and completed writes, in order. */
  readonly history: string[] = [];

  async names(): Promise<readonly string[]> {
    if (this.failure !== undefined) throw new CardeaError('backup-failed', this.failure);
    return [...this.files.keys()];
  }

  async write(name: string, lines: AsyncIterable<string>): Promise<{ readonly bytes: number }> {
    let text = '';
    for await (const line of lines) text += line;
    this.files.set(name, text);
    this.history.push(`+${name}`);
    return { bytes: text.length };
  }

  async sizeOf(name: string): Promise<number> {
    return this.files.get(name)?.length ?? 0;
  }

  async remove(name: string): Promise<void> {
    this.files.delete(name);
    this.history.push(`-${name}`);
  }
}

const scheduleOf = (
  options: {
    readonly keep?: number;
    readonly isClockSet?: boolean;
    readonly names?: string[];
    readonly room?: () => number;
  } = {},
) => {
  const folder = new FakeFolder();
  for (const name of options.names ?? []) folder.files.set(name, '');
  const clock = new VirtualClock();
  clock.setSynchronized(options.isClockSet ?? true);
  let sequence = 0;
  const schedule = new BackupSchedule({
    site: siteId('hq'),
    gateway: gatewayId('lobby-1'),
    folder,
    recipients: ['age1x'],
    interval: milliseconds(24 * HOUR),
    keep: options.keep ?? 2,
    async *records() {
      yield { cards: 1 };
    },
    eventLog: { tail: () => ({ sequence, hash: '' }) },
    hasRoom: (bytes) => bytes <= (options.room?.() ?? bytes),
    clock,
    log: new RecordingLog(),
    onChange: () => {},
  });
  schedule.start();
  /** Minute by minute, with time for what each of them begins. */
  const pass = async (time: number): Promise<void> => {
    for (let passed = 0; passed < time; passed += 10 * MINUTE) {
      sequence += 1;
      clock.advance(milliseconds(Math.min(10 * MINUTE, time - passed)));
      for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    }
  };
  const made = (): string[] => [...folder.files.keys()].filter((name) => name.startsWith('cardea.hq.lobby-1.'));
  return { folder, clock, schedule, pass, made };
};

describe('scheduled backups', () => {
  it('begin soon after the start where there is none, and go on at the interval', async () => {
    const { pass, made, folder } = scheduleOf({ keep: 9 });
    await pass(10 * MINUTE);
    assert.match(made().join(), /^cardea\.hq\.lobby-1\.20260105T08\d\d00Z\.\d+\.age$/);
    assert.equal([...folder.files.values()].join(), '{"cards":1}');
    await pass(23 * HOUR);
    assert.equal(made().length, 1);
    await pass(2 * HOUR);
    assert.equal(made().length, 2);
  });

  it('take no room that the store needs: one as large as the last is begun only where it fits', async () => {
    let room = 5;
    const { pass, made, schedule, folder } = scheduleOf({
      names: ['cardea.hq.lobby-1.20260101T120000Z.7.age'],
      room: () => room,
    });
    folder.files.set('cardea.hq.lobby-1.20260101T120000Z.7.age', '123456');
    await pass(HOUR);
    assert.equal(made().length, 1);
    assert.match(schedule.alarms().join(), /nearly full/);
    room = 6;
    await pass(2 * HOUR);
    assert.equal(made().length, 2);
    assert.deepEqual(schedule.alarms(), []);
  });

  it('wait for the rest of the interval after a restart', async () => {
    const { pass, made } = scheduleOf({ names: ['cardea.hq.lobby-1.20260104T120000Z.7.age'] });
    await pass(3 * HOUR);
    assert.equal(made().length, 1);
    await pass(2 * HOUR);
    assert.equal(made().length, 2);
  });

  it('go by the time since the start while the clock is not set', async () => {
    const { pass, made } = scheduleOf({ isClockSet: false, names: ['cardea.hq.lobby-1.20250104T120000Z.7.age'] });
    await pass(23 * HOUR);
    assert.equal(made().length, 1);
    await pass(2 * HOUR);
    assert.equal(made().length, 2);
  });

  it('keep the last few, remove older ones only after the new one, and never what is not theirs', async () => {
    const others = [
      'cardea.hq.lobby-1x.20200101T000000Z.1.age',
      'cardea.hq.lobby.20200101T000000Z.1.age',
      'cardea.hq.lobby-1.20200101T000000Z.1.age.gpg',
      'holiday.jpg',
    ];
    const old = [3, 1, 2].map((n) => `cardea.hq.lobby-1.20200101T000000Z.${n}.age`);
    const leftover = 'cardea.hq.lobby-1.20200101T000000Z.3.age.0a1b2c3d.new';
    const { pass, folder } = scheduleOf({ names: [...others, ...old, leftover] });
    await pass(10 * MINUTE);
    const [cleared, added, ...removed] = folder.history;
    assert.equal(cleared, `-${leftover}`);
    assert.match(added ?? '', /^\+cardea\.hq\.lobby-1\.2026/);
    assert.deepEqual(removed, [`-${old[1]}`, `-${old[2]}`]);
    assert.equal(folder.files.has(added?.slice(1) ?? ''), true, 'although a new store counts its events from 1');
    for (const name of others) assert.ok(folder.files.has(name), name);
  });

  it('that fail are an alarm, tried again until one works', async () => {
    const { pass, folder, schedule, made } = scheduleOf();
    folder.failure = 'the backup directory /mnt/x cannot be read';
    await pass(10 * MINUTE);
    assert.deepEqual(schedule.alarms(), ['the backup directory /mnt/x cannot be read']);
    await pass(5 * HOUR);
    folder.failure = undefined;
    await pass(2 * HOUR);
    assert.deepEqual(schedule.alarms(), []);
    assert.equal(made().length, 1);
  });

  it('are not put off by one whose time is still to come', async () => {
    const ahead = 'cardea.hq.lobby-1.20360104T120000Z.7.age';
    const none = scheduleOf({ names: [ahead] });
    await none.pass(10 * MINUTE);
    assert.equal(none.made().length, 2, 'a gateway that is restarted every day would never make one');
    const recent = scheduleOf({ names: [ahead, 'cardea.hq.lobby-1.20260105T060000Z.9.age'] });
    await recent.pass(20 * HOUR);
    assert.equal(recent.made().length, 2);
  });

  it('are not made longer than the last few by those whose time is still to come', async () => {
    const ahead = [5, 6, 7].map((n) => `cardea.hq.lobby-1.20360104T120000Z.${n}.age`);
    const { pass, made } = scheduleOf({ names: ahead, keep: 3 });
    await pass(10 * MINUTE);
    await pass(25 * HOUR);
    assert.equal(made().filter((name) => name.includes('.2026')).length, 2);
  });

  it('have the room that a crash has left half of one in', async () => {
    const leftover = 'cardea.hq.lobby-1.20200101T000000Z.3.age.0a1b2c3d.new';
    const { pass, folder } = scheduleOf({ names: [leftover] });
    await pass(10 * MINUTE);
    assert.deepEqual(folder.history[0], `-${leftover}`);
  });

  it('stop when the gateway stops', async () => {
    const { pass, schedule, made } = scheduleOf();
    await schedule.stop();
    await pass(HOUR);
    assert.equal(made().length, 0);
  });
});
