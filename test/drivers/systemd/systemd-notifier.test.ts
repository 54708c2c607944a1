import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { unixAddress } from '../../../src/drivers/systemd/datagram-sender.ts';
import { createNotifier, silentNotifier, watchdogInterval } from '../../../src/drivers/systemd/systemd-notifier.ts';
import { CardeaError } from '../../../src/errors.ts';
import { listenForDatagrams } from './datagram-listener.ts';

const socketPath = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-notify-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return join(folder, 'notify');
};

const isNotifyFailed = (error: unknown): boolean => error instanceof CardeaError && error.code === 'notify-failed';

describe('the systemd notifier', () => {
  it('sends each notification as one datagram to the path in NOTIFY_SOCKET', async (t) => {
    const path = socketPath(t);
    const systemd = listenForDatagrams(path);
    t.after(() => systemd.close());
    const notifier = await createNotifier({ environment: { NOTIFY_SOCKET: path } });
    t.after(() => notifier.close());
    notifier.ready('2 doors, 2 readers');
    notifier.starting('the store is being brought up to date');
    notifier.status('broker offline');
    notifier.alive();
    notifier.stopping();
    assert.equal(systemd.receive(), 'READY=1\nSTATUS=2 doors, 2 readers');
    const extended = 'EXTEND_TIMEOUT_USEC=60000000\nSTATUS=the store is being brought up to date';
    assert.equal(systemd.receive(), extended);
    assert.equal(systemd.receive(), 'STATUS=broker offline');
    assert.equal(systemd.receive(), 'WATCHDOG=1');
    assert.equal(systemd.receive(), 'STOPPING=1');
    assert.equal(systemd.receive(), undefined);
  });

  it('reaches an abstract socket', async (t) => {
    const name = `@cardea-test-${process.pid}`;
    const systemd = listenForDatagrams(name);
    t.after(() => systemd.close());
    const notifier = await createNotifier({ environment: { NOTIFY_SOCKET: name } });
    t.after(() => notifier.close());
    notifier.alive();
    assert.equal(systemd.receive(), 'WATCHDOG=1');
  });

  it('keeps a status on one line, so that it cannot pass for another assignment', async (t) => {
    const path = socketPath(t);
    const systemd = listenForDatagrams(path);
    t.after(() => systemd.close());
    const notifier = await createNotifier({ environment: { NOTIFY_SOCKET: path } });
    t.after(() => notifier.close());
    notifier.status('reader offline\nWATCHDOG=trigger');
    assert.equal(systemd.receive(), 'STATUS=reader offline WATCHDOG=trigger');
  });

  it('finds the receiver again after it was replaced', async (t) => {
    const path = socketPath(t);
    const first = listenForDatagrams(path);
    const notifier = await createNotifier({ environment: { NOTIFY_SOCKET: path } });
    t.after(() => notifier.close());
    notifier.alive();
    first.close();
    rmSync(path);
    notifier.alive();
    const second = listenForDatagrams(path);
    t.after(() => second.close());
    notifier.alive();
    assert.equal(second.receive(), 'WATCHDOG=1');
    assert.equal(second.receive(), undefined);
  });

  it('throws when ready does not arrive, and for nothing else', async (t) => {
    const notifier = await createNotifier({ environment: { NOTIFY_SOCKET: socketPath(t) } });
    notifier.alive();
    notifier.status('text');
    notifier.stopping();
    assert.throws(() => notifier.ready('up'), isNotifyFailed);
    notifier.close();
  });

  it('drops what comes after it was closed', async (t) => {
    const path = socketPath(t);
    const systemd = listenForDatagrams(path);
    t.after(() => systemd.close());
    const notifier = await createNotifier({ environment: { NOTIFY_SOCKET: path } });
    notifier.close();
    notifier.close();
    notifier.alive();
    assert.equal(systemd.receive(), undefined);
  });

  it('refuses addresses that it cannot speak to', async () => {
    await assert.rejects(createNotifier({ environment: { NOTIFY_SOCKET: 'vsock:2:9999' } }), isNotifyFailed);
    await assert.rejects(createNotifier({ environment: { NOTIFY_SOCKET: `/${'x'.repeat(120)}` } }), isNotifyFailed);
  });

  it('is silent without a NOTIFY_SOCKET', async () => {
    for (const environment of [{}, { NOTIFY_SOCKET: '' }]) {
      const notifier = await createNotifier({ environment });
      assert.equal(notifier, silentNotifier);
      notifier.ready('up');
      notifier.alive();
      assert.equal(notifier.watchdogInterval, undefined);
      notifier.close();
    }
  });
});

describe('the watchdog interval', () => {
  it('is what WATCHDOG_USEC says, in milliseconds', () => {
    assert.equal(watchdogInterval({ environment: { WATCHDOG_USEC: '30000000' } }), 30_000);
    assert.equal(watchdogInterval({ environment: { WATCHDOG_USEC: '1500', WATCHDOG_PID: '42' }, pid: 42 }), 1.5);
  });

  it('is not ours when WATCHDOG_PID names another process', () => {
    assert.equal(
      watchdogInterval({ environment: { WATCHDOG_USEC: '30000000', WATCHDOG_PID: '41' }, pid: 42 }),
      undefined,
    );
  });

  it('is none where nobody watches or the value makes no sense', () => {
    for (const WATCHDOG_USEC of [undefined, '', '0', '-5', '1e6', 'soon']) {
      assert.equal(watchdogInterval({ environment: { WATCHDOG_USEC } }), undefined);
    }
  });
});

describe('a Unix socket address', () => {
  it('ends a path with a zero byte and begins an abstract name with one', () => {
    assert.deepEqual([...unixAddress('/a')], [1, 0, 0x2f, 0x61, 0]);
    assert.deepEqual([...unixAddress('@a')], [1, 0, 0, 0x61]);
  });
});
