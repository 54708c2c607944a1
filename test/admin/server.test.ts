import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { MAX_BODY_BYTES } from '../../src/admin/http-request.ts';
import { ANSWER_LIMIT, FOLLOWER_LIMIT, MAX_CONNECTIONS, MAX_FOLLOWERS, startAdmin } from '../../src/admin/server.ts';
import type { ErrorCode } from '../../src/errors.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { AdminBench, CARD, FRONT } from './admin-bench.ts';

interface Answer {
  readonly status: number;
  readonly body: string;
}

const folderFor = (t: TestContext): string => {
  const folder = mkdtempSync(join(tmpdir(), 'cardea-admin-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
};

const startServer = async (t: TestContext, options: { readonly bench?: AdminBench; readonly socket?: string } = {}) => {
  const bench = options.bench ?? (await AdminBench.start());
  const socket = options.socket ?? join(folderFor(t), 'admin.sock');
  const admin = await startAdmin({ socket, operations: bench.dependencies });
  t.after(() => admin.close());
  bench.writer.onCommit = () => admin.onCommitted();
  return { bench, socket, admin };
};

const call = (socket: string, path: string, body?: string | Buffer, method = body === undefined ? 'GET' : 'POST') =>
  new Promise<Answer>((resolve, reject) => {
    const outgoing = request({ socketPath: socket, path, method, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }));
      response.on('error', reject);
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });

const assertRefused = ({ status, body }: Answer, expected: number, code: ErrorCode): void => {
  assert.equal(status, expected, body);
  const refusal: unknown = JSON.parse(body);
  assert.ok(typeof refusal === 'object' && refusal !== null && 'code' in refusal && 'message' in refusal);
  assert.equal(refusal.code, code);
  assert.equal(typeof refusal.message, 'string');
};

/** Opens a raw connection and collects what comes. */
const dial = (t: TestContext, socket: string): { readonly connection: Socket; readonly text: () => string } => {
  const connection = connect(socket);
  let text = '';
  connection.setEncoding('utf8');
  connection.on('data', (chunk: string) => {
    text += chunk;
  });
  connection.on('error', () => {});
  t.after(() => connection.destroy());
  return { connection, text: () => text };
};

describe('the admin socket', () => {
  it('answers over HTTP in JSON', async (t) => {
    const { socket } = await startServer(t);
    const { status, body } = await call(socket, '/status');
    assert.equal(status, 200);
    assert.equal(JSON.parse(body).status.gateway, 'demo');
  });

  it('carries out commands', async (t) => {
    const { socket, bench } = await startServer(t);
    await bench.bind();
    const tap = await call(socket, '/tap', JSON.stringify({ reader: 'front-in', uid: CARD, operator: 'ada' }));
    assert.equal(JSON.parse(tap.body).outcome, 'granted');
    const block = { door: 'front', action: 'block', operator: 'ada' };
    assert.equal(JSON.parse((await call(socket, '/door-command', JSON.stringify(block))).body).result, 'done');
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
    const line = { door: 'front', line: 'contact', state: 'off', operator: 'ada' };
    assert.equal(JSON.parse((await call(socket, '/line', JSON.stringify(line))).body).position, 'open');
  });

  it('may be used by owner and group only, from its first moment, and leaves the umask as it was', async (t) => {
    const before = process.umask();
    const { socket } = await startServer(t);
    assert.equal(statSync(socket).mode & 0o777, 0o660);
    assert.equal(process.umask(), before);
  });

  it('makes its directory, closed to others', async (t) => {
    const folder = folderFor(t);
    await startServer(t, { socket: join(folder, 'run', 'cardea', 'admin.sock') });
    assert.equal(statSync(join(folder, 'run', 'cardea')).mode & 0o007, 0);
  });

  it('takes the place of a socket that a dead gateway left behind', async (t) => {
    const socket = join(folderFor(t), 'admin.sock');
    const leave = `require('net').createServer().listen(process.argv[1], () => process.kill(process.pid, 'SIGKILL'))`;
    spawnSync(process.execPath, ['-e', leave, socket]);
    assert.ok(lstatSync(socket).isSocket());
    await startServer(t, { socket });
    assert.equal((await call(socket, '/status')).status, 200);
  });

  it('is not taken from a gateway that answers', async (t) => {
    const { socket } = await startServer(t);
    const second = await AdminBench.start();
    await assert.rejects(startAdmin({ socket, operations: second.dependencies }), { code: 'socket-in-use' });
    assert.equal((await call(socket, '/status')).status, 200);
  });

  it('never removes a file that is no socket', async (t) => {
    const socket = join(folderFor(t), 'precious.txt');
    writeFileSync(socket, 'do not delete');
    const bench = await AdminBench.start();
    await assert.rejects(startAdmin({ socket, operations: bench.dependencies }), { code: 'socket-unavailable' });
    assert.equal(statSync(socket).size, 13);
  });

  it('says so when it cannot be made', async (t) => {
    const file = join(folderFor(t), 'file');
    writeFileSync(file, '');
    const bench = await AdminBench.start();
    await assert.rejects(startAdmin({ socket: join(file, 'admin.sock'), operations: bench.dependencies }), {
      code: 'socket-unavailable',
    });
  });

  it('is gone after close, which may be called twice', async (t) => {
    const { socket, admin } = await startServer(t);
    await Promise.all([admin.close(), admin.close()]);
    await admin.close();
    assert.equal(existsSync(socket), false);
  });
});

describe('a request that makes no sense', () => {
  const REFUSED: readonly (readonly [string, string, string | Buffer | undefined, number, ErrorCode])[] = [
    ['an unknown call', '/reboot', undefined, 400, 'invalid-request'],
    ['no call', '/', undefined, 400, 'invalid-request'],
    ['a path that climbs', '/../../etc/passwd', undefined, 400, 'invalid-request'],
    ['a path with bad escapes', '/%zz', undefined, 400, 'invalid-request'],
    ['a parameter twice', '/card?card=1&card=2', undefined, 400, 'invalid-request'],
    ['a parameter that is not known', '/status?verbose=1', undefined, 400, 'invalid-request'],
    ['a missing parameter', '/card', undefined, 400, 'invalid-request'],
    ['no JSON', '/tap', 'hello', 400, 'invalid-request'],
    ['half a JSON object', '/tap', '{"reader":', 400, 'invalid-request'],
    ['no object', '/tap', '[1,2]', 400, 'invalid-request'],
    ['null', '/tap', 'null', 400, 'invalid-request'],
    ['an empty body', '/tap', '', 400, 'invalid-request'],
    ['no UTF-8', '/tap', Buffer.of(0x7b, 0xff, 0xfe, 0x7d), 400, 'invalid-request'],
    ['fields of the wrong type', '/tap', '{"reader":1,"uid":{},"operator":[]}', 400, 'invalid-request'],
    ['a prototype', '/tap', '{"__proto__":{"reader":"front-in"}}', 400, 'invalid-request'],
    ['an unknown door', '/explain?card=DEADBEEF&door=attic', undefined, 404, 'unknown-door'],
    ['an unknown zone', '/zone?zone=attic', undefined, 404, 'unknown-zone'],
    ['a direction that is none', '/explain?card=DEADBEEF&door=front&direction=up', undefined, 400, 'invalid-request'],
    ['nobody', '/reset-passback', '{"cardholder":"\\u0007","operator":"a"}', 400, 'invalid-request'],
    ['an unknown reader', '/tap', '{"reader":"x","uid":"DEADBEEF","operator":"a"}', 404, 'unknown-reader'],
    ['a real reader', '/tap', '{"reader":"lab-in","uid":"DEADBEEF","operator":"a"}', 409, 'not-simulated'],
    ['a line too many', '/line', '{"door":"lab","line":"contact","state":"on","operator":"a"}', 404, 'unknown-line'],
    ['a body too large', '/tap', ' '.repeat(MAX_BODY_BYTES + 1), 413, 'request-too-large'],
    ['deep nesting', '/tap', `${'['.repeat(8_000)}${']'.repeat(8_000)}`, 400, 'invalid-request'],
  ];

  for (const [what, path, body, status, code] of REFUSED) {
    it(`is refused with code and message: ${what}`, async (t) => {
      const { socket, bench } = await startServer(t);
      assertRefused(await call(socket, path, body), status, code);
      assert.equal((await call(socket, '/status')).status, 200);
      await bench.writer.idle();
      assert.equal(bench.store.tail().sequence, 0);
    });
  }

  it('is refused when it uses the wrong method: a question never changes anything', async (t) => {
    const { socket, bench } = await startServer(t);
    assertRefused(await call(socket, '/door-command?door=front&action=unlock&operator=ada'), 400, 'invalid-request');
    assertRefused(await call(socket, '/status', '{}'), 400, 'invalid-request');
    assertRefused(await call(socket, '/status', undefined, 'DELETE'), 400, 'invalid-request');
    assert.equal(bench.io.strike(FRONT), 'locked');
  });

  it('does not disturb the server, however little it looks like HTTP', async (t) => {
    const { socket } = await startServer(t);
    for (const garbage of [
      '\u0000\u0001\u0002\r\n\r\n',
      'GET\r\n\r\n',
      `GET /${'x'.repeat(20_000)} HTTP/1.1\r\n\r\n`,
    ]) {
      const { connection } = dial(t, socket);
      const closed = new Promise((resolve) => connection.once('close', resolve));
      connection.write(garbage);
      await closed;
    }
    assert.equal((await call(socket, '/status')).status, 200);
  });

  it('does nothing when it breaks off in the middle', async (t) => {
    const { socket, bench } = await startServer(t);
    const { connection } = dial(t, socket);
    const body = JSON.stringify({ door: 'front', action: 'unlock', operator: 'ada' });
    connection.write(
      `POST /door-command HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body.slice(0, -5)}`,
    );
    await waitFor(() => connection.bytesWritten > 100, 'the request to be on its way');
    connection.destroy();
    assert.equal((await call(socket, '/status')).status, 200);
    await bench.writer.idle();
    assert.equal(bench.io.strike(FRONT), 'locked');
    assert.deepEqual(bench.log.at('error'), []);
  });
});

describe('limits of the admin socket', () => {
  it('are so many connections; those beyond are closed, those before still served', async (t) => {
    const { socket, bench } = await startServer(t);
    const early = Array.from({ length: MAX_CONNECTIONS }, () => dial(t, socket));
    await waitFor(() => early.every(({ connection }) => connection.readyState === 'open'), 'connections');
    const late = dial(t, socket);
    await waitFor(() => late.connection.destroyed, 'the connection too many to be closed');
    assert.ok(bench.log.at('warn').some(({ message }) => message.includes('too many connections')));
    const first = early[0];
    assert.ok(first !== undefined);
    first.connection.write('GET /status HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(() => first.text().includes('200 OK'), 'an answer to an early connection');
  });

  it('are so many requests at once, also when they share a connection', async (t) => {
    const { socket, bench } = await startServer(t);
    bench.store.holdCommits();
    const { connection, text } = dial(t, socket);
    const body = JSON.stringify({ door: 'front', action: 'unlock', operator: 'ada' });
    const post = `POST /door-command HTTP/1.1\r\nHost: x\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
    connection.write(post.repeat(MAX_CONNECTIONS + 5));
    await waitFor(() => bench.clock.pendingTimers >= MAX_CONNECTIONS, 'the requests to arrive');
    bench.store.releaseCommits();
    await waitFor(() => text().includes('"overloaded"'), 'a refusal');
  });

  it('are so many seconds for an answer, while the store hangs', async (t) => {
    const { socket, bench } = await startServer(t);
    bench.store.holdCommits();
    const waiting = bench.clock.pendingTimers;
    const answered = call(socket, '/door-command', JSON.stringify({ door: 'front', action: 'block', operator: 'ada' }));
    await waitFor(() => bench.clock.pendingTimers > waiting, 'the command to arrive');
    bench.clock.advance(ANSWER_LIMIT);
    assertRefused(await answered, 504, 'timed-out');
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');
    bench.store.releaseCommits();
  });
});

describe('the stream of events', () => {
  it('is one JSON object a line, and ends', async (t) => {
    const { socket, bench } = await startServer(t);
    await bench.fillLog(30);
    const { status, body } = await call(socket, '/events?since=27');
    assert.equal(status, 200);
    const lines = body.trimEnd().split('\n');
    assert.deepEqual(
      lines.map((line) => JSON.parse(line).sequence),
      [28, 29, 30],
    );
  });

  it('reaches a follower as soon as an event is stored, and ends with the server', async (t) => {
    const { socket, bench, admin } = await startServer(t);
    const { connection, text } = dial(t, socket);
    connection.write('GET /events?follow=true&since=0 HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(() => text().includes('200 OK'), 'the stream to begin');
    await bench.fillLog(1);
    await waitFor(() => text().includes('"sequence":1'), 'the first event');
    await bench.fillLog(1);
    await waitFor(() => text().includes('"sequence":2'), 'the second event');
    const closed = new Promise((resolve) => connection.once('close', resolve));
    await admin.close();
    await closed;
  });

  it('leaves nothing behind when a follower goes', async (t) => {
    const { socket, bench } = await startServer(t);
    for (let n = 0; n < MAX_CONNECTIONS + 5; n++) {
      const { connection, text } = dial(t, socket);
      connection.write('GET /events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n');
      await waitFor(() => text().includes('200 OK'), 'the stream to begin');
      connection.destroy();
      await bench.fillLog(1);
    }
    assert.equal((await call(socket, '/status')).status, 200);
  });

  it('has so many readers at once, and leaves the other connections to commands', async (t) => {
    const { socket, bench } = await startServer(t);
    const follow = 'GET /events?follow=true HTTP/1.1\r\nHost: x\r\n\r\n';
    const followers = Array.from({ length: MAX_CONNECTIONS }, () => dial(t, socket));
    for (const { connection } of followers) connection.write(follow);
    const allowed = () => followers.filter(({ text }) => text().includes('200 OK'));
    const refused = () => followers.filter(({ text }) => text().includes('"overloaded"'));
    await waitFor(() => allowed().length + refused().length === MAX_CONNECTIONS, 'an answer to each follower');
    assert.equal(allowed().length, MAX_FOLLOWERS);
    await waitFor(() => refused().every(({ connection }) => connection.destroyed), 'the refused to be closed');
    const block = { door: 'front', action: 'block', operator: 'ada' };
    assert.equal((await call(socket, '/door-command', JSON.stringify(block))).status, 200);
    assert.equal(bench.doors.get(FRONT)?.mode, 'blocked');

    allowed()[0]?.connection.destroy();
    let next = dial(t, socket);
    next.connection.write(follow);
    await waitFor(() => {
      if (next.connection.destroyed) {
        next = dial(t, socket);
        next.connection.write(follow);
      }
      return next.text().includes('200 OK');
    }, 'the place of a follower that has gone');
  });

  it('drops a follower that does not read, and keeps no more for it than a page', async (t) => {
    const { socket, bench } = await startServer(t);
    await bench.fillLog(400, 20_000);
    const before = bench.clock.pendingTimers;
    const { connection } = dial(t, socket);
    connection.pause();
    let isClosed = false;
    connection.once('close', () => {
      isClosed = true;
    });
    connection.write('GET /events?follow=true&since=0 HTTP/1.1\r\nHost: x\r\n\r\n');
    await waitFor(() => bench.clock.pendingTimers > before, 'the server to wait for the follower');
    bench.clock.advance(FOLLOWER_LIMIT - 1);
    assert.ok(!bench.log.at('warn').some(({ message }) => message.includes('does not read')));
    bench.clock.advance(1);
    assert.ok(bench.log.at('warn').some(({ message }) => message.includes('does not read')));
    connection.resume();
    await waitFor(() => isClosed, 'the follower to be dropped');
    assert.equal(bench.clock.pendingTimers, before);
    assert.equal((await call(socket, '/status')).status, 200);
  });

  it('lets a slow follower have everything', async (t) => {
    const { socket, bench } = await startServer(t);
    await bench.fillLog(300, 10_000);
    const { connection, text } = dial(t, socket);
    connection.pause();
    connection.write('GET /events?since=0 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await waitFor(() => bench.clock.pendingTimers > 0, 'the server to wait for the follower');
    connection.resume();
    await waitFor(() => connection.destroyed, 'the end of the stream');
    assert.equal(text().match(/"sequence":/g)?.length, 300);
  });

  it('tells of an event that cannot be read in its last line', async (t) => {
    const { socket, bench } = await startServer(t);
    await bench.fillLog(150);
    bench.store.garbleEntry(120);
    const { body } = await call(socket, '/events?since=0');
    const lines = body.trimEnd().split('\n');
    assert.equal(lines.length, 101);
    assert.equal(JSON.parse(lines.at(-1) ?? '').code, 'store-record-unreadable');
  });
});
