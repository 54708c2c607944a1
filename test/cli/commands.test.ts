import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { runCommand } from '../../src/cli/program.ts';
import { CARD, FRONT } from '../admin/admin-bench.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { environmentWith, FakeTerminal, folderFor, OPERATOR, run, startBench } from './cli-bench.ts';

const ESCAPE = '\u001b';

describe('cardea status', () => {
  it('says that the clock is not set, and what that means here', async (t) => {
    const { bench, cardea } = await startBench(t);
    bench.clock.setSynchronized(false);
    assert.match((await cardea('status')).output, /^clock +not synchronized$/m);
  });

  it('shows doors, roster and link, and exits 0 when nothing needs attention', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    const { code, output, errors } = await cardea('status');
    assert.equal(code, EXIT.ok);
    assert.equal(errors, '');
    assert.match(output, /^roster +revision 1, 1 cards$/m);
    assert.match(output, /^HR link +not connected$/m);
    assert.match(output, /^calendar +none from HR$/m);
    assert.match(output, /^front +normal +closed +locked$/m);
    assert.match(output, /^lab +normal +unmonitored +locked$/m);
    assert.match(output, /nothing needs attention/);
  });

  it('exits 1 and tells what needs attention', async (t) => {
    const { bench, cardea } = await startBench(t);
    bench.faults = ['the loop of reader front-in does not turn'];
    bench.io.setLine(FRONT, 'contact', false);
    const { code, output } = await cardea('status');
    assert.equal(code, EXIT.no);
    assert.match(output, /^! door front: forced-open$/m);
    assert.match(output, /^! the loop of reader front-in does not turn$/m);
  });

  it('prints one line of JSON with --json', async (t) => {
    const { cardea } = await startBench(t);
    const { code, output } = await cardea('status', '--json');
    assert.equal(code, EXIT.ok);
    assert.equal(JSON.parse(output).status.gateway, 'demo');
    assert.equal(output.trimEnd().includes('\n'), false);
  });

  it('uses colour on a terminal that wants it, and nowhere else', async (t) => {
    const { bench, cardea, socket } = await startBench(t);
    bench.faults = ['smoke'];
    assert.ok(!(await cardea('status')).output.includes(ESCAPE));
    const terminal = new FakeTerminal();
    terminal.hasColour = true;
    await runCommand(['status', '--socket', socket], environmentWith(terminal));
    assert.ok(terminal.output.includes(ESCAPE));
  });
});

describe('cardea card show', () => {
  it('exits 0 for a card that opens a door here, 1 for one that opens none', async (t) => {
    const { bench, cardea } = await startBench(t);
    assert.equal((await cardea('card', 'show', CARD)).code, EXIT.no);
    await bench.bind();
    const { code, output } = await cardea('card', 'show', '04 a2 b3 c4 d5 e6 80');
    assert.equal(code, EXIT.ok);
    assert.match(output, /^cardholder +E1001, Ada Lovelace$/m);
    assert.match(output, /^front +granted +always: open$/m);
    assert.match(output, /^lab +denied: door-not-permitted$/m);
    await bench.revoke();
    const revoked = await cardea('card', 'show', CARD);
    assert.equal(revoked.code, EXIT.no);
    assert.match(revoked.output, /retired: lost/);
    assert.match(revoked.output, /^retired by +message-2, revision 2, applied 2026-01-05T08:00:00.000Z$/m);
  });

  it('prints JSON with --json', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    const { output } = await cardea('card', 'show', CARD, '--json');
    assert.equal(JSON.parse(output).binding.cardholder, 'E1001');
  });

  it('exits 2 for text that is no card', async (t) => {
    const { cardea } = await startBench(t);
    const { code, errors } = await cardea('card', 'show', 'hello');
    assert.equal(code, EXIT.usage);
    assert.match(errors, /^cardea: this is no card number/);
  });

  it('lets no name write to the terminal', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind(CARD, { cardholder: { id: 'E1', name: `${ESCAPE}[2JEve\u009b31m\u202egnp` } });
    for (const json of [[], ['--json']]) {
      const { output } = await cardea('card', 'show', CARD, ...json);
      assert.doesNotMatch(output.replaceAll('\n', ''), /\p{Cc}/u);
      assert.match(output, /Eve/);
    }
  });

  it('aligns columns around wide characters', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind(CARD, { cardholder: { id: '員工一', name: '王小明' } });
    assert.match((await cardea('card', 'show', CARD)).output, /員工一, 王小明/);
  });
});

describe('cardea explain', () => {
  it('tells the grants with their schedules, the time on the wall, the flags, and who ordered the mode', async (t) => {
    const { bench, cardea } = await startBench(t);
    const access = [{ doors: ['front'], schedule: 'nights' }, { level: 'staff' }, { doors: ['front'] }];
    await bench.bind(CARD, { access, overridesLockdown: true, extendedRelease: true });
    await cardea('door', 'front', 'block');
    const { code, output } = await cardea('explain', '--card', CARD, '--door', 'front');
    assert.equal(code, EXIT.no);
    assert.match(output, /^decision +denied: door-blocked$/m);
    assert.match(output, new RegExp(`^door +front, mode blocked by ${OPERATOR} since 2026-01-05T08:00:00.000Z$`, 'm'));
    assert.match(output, /^on the wall +mon 2026-01-05 08:00 \(UTC\)$/m);
    assert.match(output, /^schedule +nights: not known here$/m);
    assert.match(output, /^schedule +level staff: not known here$/m);
    assert.match(output, /^schedule +always: open$/m);
    const card = await cardea('card', 'show', CARD);
    assert.match(card.output, new RegExp(`^front +denied: door-blocked +mode blocked by ${OPERATOR} `, 'm'));
    assert.match(card.output, /^lockdown +opens doors in a lockdown too$/m);
    assert.match(card.output, /^release +extended$/m);
  });

  it('says yes with 0 and no with 1, and from which message it knows', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind();
    const granted = await cardea('explain', '--card', CARD, '--door', 'front');
    assert.equal(granted.code, EXIT.ok);
    assert.match(granted.output, /^decision +granted$/m);
    assert.match(granted.output, /^message +message-1, revision 1, applied 2026-01-05T08:00:00.000Z$/m);
    const denied = await cardea('explain', '--card', CARD, '--door', 'lab', '--json');
    assert.equal(denied.code, EXIT.no);
    assert.equal(JSON.parse(denied.output).reason, 'door-not-permitted');
  });

  it('judges another time with --at', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.bind(CARD, { kind: 'temporary', validUntil: '2026-02-01T00:00:00Z' });
    const at = (time: string) => cardea('explain', '--card', CARD, '--door', 'front', '--at', time);
    assert.equal((await at('2026-01-31T23:59:59Z')).code, EXIT.ok);
    assert.match((await at('2026-02-01T00:00:00+00:00')).output, /denied: expired/);
    assert.equal((await at('tomorrow')).code, EXIT.usage);
  });

  it('exits 2 without card or door, and 1 for a door that is not here', async (t) => {
    const { cardea } = await startBench(t);
    assert.equal((await cardea('explain', '--card', CARD)).code, EXIT.usage);
    const { code, errors } = await cardea('explain', '--card', CARD, '--door', 'attic');
    assert.equal(code, EXIT.no);
    assert.match(errors, /the doors are front, lab/);
  });
});

describe('cardea tap', () => {
  it('exits 0 when granted and 1 when denied', async (t) => {
    const { bench, cardea } = await startBench(t);
    const denied = await cardea('tap', 'front-in', CARD);
    assert.equal(denied.code, EXIT.no);
    assert.equal(denied.output, `denied: unknown-card, card ${CARD}\n`);
    await bench.bind();
    const granted = await cardea('tap', 'front-in', CARD);
    assert.equal(granted.code, EXIT.ok);
    assert.equal(granted.output, `granted: door front, card ${CARD}, cardholder E1001 (Ada Lovelace)\n`);
    assert.equal(JSON.parse((await cardea('tap', 'front-in', CARD, '--json')).output).outcome, 'granted');
  });

  it('exits 2 for a bad UID and 1 at a real reader', async (t) => {
    const { cardea } = await startBench(t);
    const bad = await cardea('tap', 'front-in', '04A2');
    assert.equal(bad.code, EXIT.usage);
    assert.match(bad.errors, /8, 14 or 20 hex digits/);
    const real = await cardea('tap', 'lab-in', CARD);
    assert.equal(real.code, EXIT.no);
    assert.match(real.errors, /real hardware/);
  });
});

describe('cardea door', () => {
  it('exits 0 when done and 1 when the door refuses', async (t) => {
    const { bench, cardea } = await startBench(t);
    assert.equal((await cardea('door', 'front', 'unlock')).output, 'door front unlocked once\n');
    assert.equal((await cardea('door', 'front', 'block')).code, EXIT.ok);
    const refused = await cardea('door', 'front', 'unlock');
    assert.equal(refused.code, EXIT.no);
    assert.match(refused.output, /^door front unlock refused: the door is blocked/);
    const json = await cardea('door', 'front', 'normal', '--json');
    assert.equal(json.code, EXIT.ok);
    assert.equal(JSON.parse(json.output).mode, 'normal');
    const { detail } = bench.store.entryAt(1)?.event ?? {};
    assert.deepEqual(detail, { action: 'unlock', operator: OPERATOR, result: 'done' });
  });

  it('exits 2 for an action that there is not', async (t) => {
    const { cardea } = await startBench(t);
    const { code, errors } = await cardea('door', 'front', 'open');
    assert.equal(code, EXIT.usage);
    assert.match(errors, /unlock, block, hold-open, normal/);
  });
});

describe('cardea line', () => {
  it('operates a simulated door', async (t) => {
    const { cardea } = await startBench(t);
    assert.equal((await cardea('line', 'front', 'exit-button', 'on')).output, 'door front: closed, strike unlocked\n');
    assert.equal(JSON.parse((await cardea('line', 'front', 'contact', 'off', '--json')).output).position, 'open');
    assert.equal((await cardea('line', 'lab', 'contact', 'off')).code, EXIT.no);
    assert.equal((await cardea('line', 'front', 'contact', 'closed')).code, EXIT.usage);
  });
});

describe('cardea events', () => {
  it('shows the last twenty, one a line', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.fillLog(30);
    const { code, output } = await cardea('events');
    assert.equal(code, EXIT.ok);
    const lines = output.trimEnd().split('\n');
    assert.equal(lines.length, 20);
    assert.match(lines[0] ?? '', /^ +11 {2}2026-01-05T08:00:00.000Z {2}operator-action/);
  });

  it('shows those after --since, as JSON lines with --json', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.fillLog(5);
    const { output } = await cardea('events', '--since', '3', '--json');
    assert.deepEqual(
      output
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line).sequence),
      [4, 5],
    );
    assert.equal((await cardea('events', '--since', 'yesterday')).code, EXIT.usage);
  });

  it('follows, and says when the gateway ends how to go on', async (t) => {
    const { bench, admin, socket } = await startBench(t);
    await bench.fillLog(1);
    const terminal = new FakeTerminal();
    const ended = runCommand(['events', '--follow', '--socket', socket], environmentWith(terminal));
    await waitFor(() => terminal.output.includes('operator-action'), 'the first event');
    await bench.bind();
    await waitFor(() => terminal.output.includes('card-change'), 'the second event');
    await admin.close();
    assert.equal(await ended, EXIT.unreachable);
    assert.match(terminal.errors, /go on with --since 2/);
  });

  it('ends quietly when nobody reads its output any more', async (t) => {
    const { bench, socket } = await startBench(t);
    await bench.fillLog(20);
    const terminal = new FakeTerminal();
    terminal.writesLeft = 3;
    const code = await runCommand(['events', '--follow', '--socket', socket], environmentWith(terminal));
    assert.equal(code, EXIT.ok);
    assert.equal(terminal.output.trimEnd().split('\n').length, 3);
    assert.equal(terminal.errors, '');
  });

  it('fails when an event cannot be read', async (t) => {
    const { bench, cardea } = await startBench(t);
    await bench.fillLog(3);
    bench.store.garbleEntry(2);
    assert.equal((await cardea('events')).code, EXIT.no);
  });
});

describe('a gateway that cannot be reached', () => {
  it('is told of plainly, with 3, where there is no socket', async (t) => {
    const socket = join(folderFor(t), 'none.sock');
    for (const args of [['status'], ['events', '-f'], ['tap', 'front-in', CARD], ['door', 'front', 'block']]) {
      const { code, output, errors } = await run([...args, '--socket', socket]);
      assert.equal(code, EXIT.unreachable);
      assert.equal(output, '');
      assert.match(
        errors,
        /^cardea: no gateway answers on .*none\.sock: is it running\? start it with: cardea gateway/,
      );
    }
  });

  it('is told from something else that answers there', async (t) => {
    const socket = join(folderFor(t), 'other.sock');
    const other = createServer((_, response) => response.end('<html>')).listen(socket);
    t.after(() => other.close());
    await waitFor(() => other.listening, 'the other server');
    const { code, errors } = await run(['status', '--socket', socket]);
    assert.equal(code, EXIT.unreachable);
    assert.match(errors, /no gateway of this version/);
  });
});

describe('where a command looks for its gateway', () => {
  const configIn = (folder: string, text: string): string => {
    const path = join(folder, 'cardea.yaml');
    writeFileSync(path, text);
    return path;
  };

  it('is the socket in the file of --config or $CARDEA_CONFIG, whatever else is wrong in it', async (t) => {
    const { socket } = await startBench(t);
    const path = configIn(folderFor(t), `site: "No such site!"\nadmin:\n  socket: ${socket}\nnonsense: true\n`);
    assert.equal((await run(['status', '--config', path])).code, EXIT.ok);
    assert.equal((await run(['status'], { env: { CARDEA_CONFIG: path } })).code, EXIT.ok);
  });

  it('is not found in a file that is missing, no YAML, or faulty and without a socket', async (t) => {
    const folder = folderFor(t);
    const missing = await run(['status', '--config', join(folder, 'none.yaml')]);
    assert.equal(missing.code, EXIT.config);
    assert.match(missing.errors, /none\.yaml/);
    assert.equal((await run(['status', '--config', configIn(folder, 'admin: [')])).code, EXIT.config);
    assert.equal((await run(['status', '--config', configIn(folder, 'site: hq')])).code, EXIT.config);
  });
});

describe('cardea config', () => {
  it('check tells faults with their place and exits 4', async (t) => {
    const path = join(folderFor(t), 'bad.yaml');
    writeFileSync(path, 'site: HQ\ngateway: demo\n');
    const { code, output } = await run(['config', 'check', path]);
    assert.equal(code, EXIT.config);
    assert.match(output, /bad\.yaml:1:7 site: /);
    const json = await run(['config', 'check', path, '--json']);
    assert.equal(json.code, EXIT.config);
    assert.equal(JSON.parse(json.output).isValid, false);
  });

  it('check exits 0 for the demo, and 4 for the Raspberry Pi as long as HR’s key is not in it', async () => {
    const demo = await run(['config', 'check', 'config/demo.yaml']);
    assert.equal(demo.code, EXIT.ok, demo.output);
    const { code, output } = await run(['config', 'check', 'config/raspberry-pi.yaml']);
    assert.equal(code, EXIT.config);
    assert.match(output, /^config\/raspberry-pi\.yaml:\d+:\d+ trust\.keys\.hr-2026\.publicKey: .*\n.*: 1 fault\n$/);
  });

  it('schema prints JSON Schema', async () => {
    const { code, output } = await run(['config', 'schema']);
    assert.equal(code, EXIT.ok);
    assert.equal(JSON.parse(output).type, 'object');
  });
});
