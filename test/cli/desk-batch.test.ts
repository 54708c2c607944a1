// Many replacements from a file: tried out, done once, and reported line by line.

import assert from 'node:assert/strict';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { CLERK, taken } from '../fixtures/open-desk.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { folderFor, run } from './cli-bench.ts';
import { siteBench } from './desk-bench.ts';

const oldCard = (index: number): string => `04B0000000000${index}`;
const newCard = (index: number): string => `04C0000000000${index}`;

/** Three people with a card each, and a file. */
const batchBench = async (t: TestContext, text: string) => {
  const bench = await siteBench(t);
  for (const index of [1, 2, 3]) {
    await taken(bench.desk.employees.add({ id: `P${index}`, name: `Person ${index}` }, CLERK));
    const { id } = await taken(bench.desk.cards.bind({ cardholder: `P${index}`, card: oldCard(index) }, CLERK));
    await bench.confirm(id);
  }
  const file = join(bench.folder, 'batch.csv');
  writeFileSync(file, text);
  return { ...bench, file, report: join(bench.folder, 'outcome.csv') };
};

const GOOD = `Cardholder;New-Card;Reason;Note\nP1;${newCard(1)};lost;\nP2;${newCard(2)};Damaged;bent\n`;
const MIXED = `cardholder,new_card,old_card,reason\nP1,${newCard(1)},${oldCard(1)},lost\nP9,${newCard(2)},,lost\nP3,${newCard(3)},,bored\n`;

describe('cardea desk batch', () => {
  it('does every line, waits for the gateways, and the same file again does nothing', async (t) => {
    const { as, desk, confirm, file, report } = await batchBench(t, GOOD);
    const ended = as('clerk', 'batch', file, '--wait', '--report', report);
    await waitFor(() => desk.state.open.has('op-6'), 'both operations');
    for (const operation of ['op-5', 'op-6']) await confirm(operation);
    const { code, output, errors } = await ended;
    assert.equal(code, EXIT.ok, output + errors);
    assert.match(output, /^lines +2: 2 done, 0 done before, 0 refused$/m);
    assert.match(output, /^confirmed +2 by every gateway$/m);
    const [head = '', first = ''] = readFileSync(report, 'utf8').split('\r\n');
    assert.match(head, /^line,cardholder,.*gateway,.*opens,closed/);
    assert.match(first, /^2,P1,.*lobby-1,confirmed,.*front; lab/);
    const again = await as('clerk', 'batch', file, '--wait', '--report', report);
    assert.equal(again.code, EXIT.ok, again.errors);
    assert.equal(desk.state.roster.revision, 6);
  });

  it('names every fault with its line, and does nothing', async (t) => {
    const { as, desk, file } = await batchBench(t, MIXED);
    for (const args of [['--dry-run'], [], ['--dry-run', '--mode', 'good']]) {
      const { code, output } = await as('clerk', 'batch', file, ...args);
      assert.equal(code, EXIT.no);
      assert.match(output, /batch\.csv:3: .*"P9".* \(unknown-employee\)$/m);
      assert.match(output, /batch\.csv:4: "bored" is no reason; allowed: lost, stolen/m);
      assert.match(output, /^2 of 3 lines are faulty; nothing was done$/m);
    }
    const { faults } = JSON.parse((await as('clerk', 'batch', file, '--dry-run', '--json')).output);
    assert.deepEqual(
      faults.map(({ line }: { readonly line: number }) => line),
      [3, 4],
    );
    assert.equal(desk.state.roster.revision, 4);
  });

  it('does the good lines where that is wanted, and reports the others', async (t) => {
    const { as, desk, confirm, file, report } = await batchBench(t, MIXED);
    const ended = as('clerk', 'batch', file, '--mode', 'good', '--report', report);
    await waitFor(() => desk.state.open.has('op-5'), 'the operation');
    await confirm('op-5');
    const { code, output, errors } = await ended;
    assert.equal(code, EXIT.no);
    assert.match(output, /^lines +3: 1 done, 0 done before, 2 refused$/m);
    assert.match(errors, /batch\.csv:3: /);
    assert.equal(desk.state.cards.get(newCard(1))?.state, 'live');
    const lines = readFileSync(report, 'utf8').trimEnd().split('\r\n').slice(1);
    assert.deepEqual(
      lines.map((line) => line.split(',', 1)[0]),
      ['2', '3', '4'],
    );
  });

  it('ends with 1, and says so, when the desk does not go on', async (t) => {
    const stuck = { id: 'b-1', operator: 'ada', at: '', mode: 'all', state: 'running', total: 2, finishedAt: null };
    const view = { ...stuck, done: 1, already: 0, refused: 0, confirmed: 0, lines: [], faults: [] };
    const server = createServer((_request, response) => response.end(JSON.stringify(view)));
    t.after(() => server.close());
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve(Object(server.address()).port));
    });
    const file = join(folderFor(t), 'batch.csv');
    writeFileSync(file, GOOD);
    const env = { CARDEA_DESK_URL: `http://127.0.0.1:${port}`, CARDEA_DESK_TOKEN: 'token' };
    const { code, output, errors } = await run(['desk', 'batch', file, '--wait', '--timeout', '0'], { env });
    assert.equal(code, EXIT.no, errors);
    assert.match(errors, /no further line for 0 seconds; the same file again goes on where it is/);
    assert.match(output, /^batch +b-1: running$/m);
  });

  it('asks before it begins, and leaves no report when it is not to', async (t) => {
    const { atTerminal, desk, file, report } = await batchBench(t, GOOD);
    const { code, prompts } = await atTerminal('clerk', [false], 'batch', file, '--report', report);
    assert.equal(code, EXIT.no);
    assert.deepEqual(prompts.asked, ['Replace 2 cards?']);
    assert.equal(existsSync(report), false);
    assert.equal(desk.state.roster.revision, 4);
  });
});
