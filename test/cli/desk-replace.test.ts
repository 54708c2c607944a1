// A lost card is replaced from the command line, by a program and by a clerk at a terminal.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { waitFor } from '../fixtures/wait-for.ts';
import { ENDS } from './answering-prompts.ts';
import { run } from './cli-bench.ts';
import { NAME, NEW, OLD, siteBench } from './desk-bench.ts';

const SCRIPTED = ['replace', 'E1001', '--new-card', NEW, '--reason', 'lost', '--yes', '--json'];

describe('cardea desk replace for programs', () => {
  it('prints the operation as JSON, and does it once for each request id', async (t) => {
    const { as, desk } = await siteBench(t);
    const first = await as('clerk', ...SCRIPTED, '--request-id', 'r-1');
    assert.deepEqual([first.code, first.errors], [EXIT.ok, '']);
    const { operation } = JSON.parse(first.output);
    assert.deepEqual([operation.kind, operation.newCard, operation.stoppedCards], ['replacement', NEW, [OLD]]);
    const again = await as('clerk', ...SCRIPTED, '--request-id', 'r-1');
    assert.deepEqual([again.code, JSON.parse(again.output).operation.id], [EXIT.ok, operation.id]);
    assert.equal(desk.state.roster.revision, 2);
  });

  it('waits where it is told to, and says by its exit code whether the doors open', async (t) => {
    const { as, confirm, desk } = await siteBench(t);
    const ended = as('clerk', ...SCRIPTED, '--wait');
    await waitFor(() => desk.state.open.has('op-2'), 'the operation');
    await confirm('op-2');
    const { code, output } = await ended;
    assert.equal(code, EXIT.ok);
    assert.equal(JSON.parse(output).proof.state, 'confirmed');
  });

  it('names what is missing, and asks nobody', async (t) => {
    const { as, desk } = await siteBench(t);
    for (const [args, name] of [
      [[], /PERSON is missing/],
      [['E1001'], /--new-card \(or --from-reader\) is missing/],
      [['E1001', '--new-card', NEW], /--reason is missing/],
    ] as const) {
      const { code, output, errors } = await as('clerk', 'replace', ...args);
      assert.deepEqual([code, output], [EXIT.usage, '']);
      assert.match(errors, name);
    }
    assert.equal(desk.state.roster.revision, 1);
  });

  it('tells why the desk refuses, and whom a name may mean', async (t) => {
    const { as } = await siteBench(t);
    const same = await as('clerk', 'replace', 'E1001', '--new-card', OLD, '--reason', 'lost');
    assert.equal(same.code, EXIT.no);
    assert.match(same.errors, /^cardea: newCard: .*cannot replace itself.*\(same-card\)$/m);
    const guard = await as('security', ...SCRIPTED);
    assert.equal(guard.code, EXIT.no);
    assert.match(guard.errors, /\(not-permitted\)/);
    const named = await as('clerk', 'replace', '小明', '--new-card', NEW, '--reason', 'lost');
    assert.equal(named.code, EXIT.no);
    assert.match(named.errors, /nobody has the id "小明"; is it one of: E1001 王小明 Lab\?/);
  });

  it('shows what it would do, and does it not', async (t) => {
    const { as, desk } = await siteBench(t);
    const { code, output } = await as(
      'clerk',
      ...SCRIPTED.slice(0, -2),
      '--dry-run',
      '--until',
      '2030-06-30T18:00:00+08:00',
    );
    assert.equal(code, EXIT.ok);
    assert.match(output, /^person +王小明 \(E1001\), Lab$/m);
    assert.match(output, new RegExp(`^stops +${OLD}$`, 'm'));
    assert.match(output, /^doors +front, lab$/m);
    assert.match(output, /^valid until +2030-06-30/m);
    assert.equal(desk.state.roster.revision, 1);
  });
});

describe('cardea desk replace for a clerk at a terminal', () => {
  it('asks who, which card and why, shows a summary, and follows the gateways to the end', async (t) => {
    const { atTerminal, confirm, desk } = await siteBench(t);
    const ended = atTerminal('clerk', ['小明', 'type', NEW, 'lost', true], 'replace');
    await waitFor(() => desk.state.open.has('op-2'), 'the operation');
    await confirm('op-2');
    const { code, output, errors, prompts } = await ended;
    assert.equal(code, EXIT.ok, errors);
    assert.equal(prompts.unused, 0);
    assert.equal(prompts.asked[1], `E1001  ${NAME}  Lab`);
    assert.equal(prompts.asked.at(-1), `Replace the card of ${NAME} (E1001), Lab?`);
    assert.match(errors, /^op-2 is done at the desk; waiting for the gateways/m);
    assert.match(errors, /^lobby-1: confirmed .*, the new card opens front, lab$/m);
    assert.match(output, /^state +confirmed$/m);
    assert.match(output, /^lobby-1 +front +confirmed \S+ +opens$/m);
  });

  it('takes the card that is held to an enrolment reader', async (t) => {
    const { atTerminal, link, desk, clock } = await siteBench(t);
    const args = ['replace', 'E1001', '--from-reader', 'enrol-1', '--reason', 'damaged', '--yes', '--no-wait'];
    const ended = atTerminal('clerk', [], ...args);
    let sequence = 0;
    // Until the desk listens, nobody waits for the card.
    for (; !desk.state.open.has('op-2') && sequence < 10_000; await new Promise(setImmediate)) {
      sequence += 1;
      await link.deliver(
        'cardea/hq/gateways/lobby-1/event',
        presentation(NEW, { sequence, time: new Date(clock.now()) }),
      );
    }
    const { code, errors } = await ended;
    assert.equal(code, EXIT.ok);
    assert.match(errors, /^hold the card to reader enrol-1 of gateway lobby-1/m);
    assert.equal(desk.state.cards.get(NEW)?.state, 'live');
  });

  it('asks which card is replaced where there are several', async (t) => {
    const { as, atTerminal, desk } = await siteBench(t);
    const second = '04A2B3C4D5E682';
    assert.equal((await as('clerk', 'card', 'bind', 'E1001', second)).code, EXIT.ok);
    const args = ['replace', 'E1001', '--new-card', NEW, '--reason', 'damaged', '--no-wait'];
    const { code } = await atTerminal('clerk', [second, true], ...args);
    assert.equal(code, EXIT.ok);
    assert.deepEqual([desk.state.cards.get(OLD)?.state, desk.state.cards.get(second)?.state], ['live', 'stopped']);
  });

  it('does nothing when the clerk says no, or goes', async (t) => {
    const { atTerminal, desk } = await siteBench(t);
    for (const answer of [false, ENDS] as const) {
      const { code, errors } = await atTerminal('clerk', ['lost', answer], 'replace', 'E1001', '--new-card', NEW);
      assert.equal(code, EXIT.no);
      assert.match(errors, /nothing was done|ended before it was done/);
    }
    assert.equal(desk.state.roster.revision, 1);
  });
});

describe('the proof of an operation', () => {
  it('is that every gateway has confirmed and every door opens; those that lag are named', async (t) => {
    const { as, confirm } = await siteBench(t);
    await as('clerk', ...SCRIPTED);
    const open = await as('auditor', 'confirm', 'op-2');
    assert.equal(open.code, EXIT.no);
    assert.match(open.errors, /^not confirmed by lobby-1$/m);
    assert.match(open.output, /^lobby-1 +front +sent, no answer$/m);
    await confirm('op-2', { doors: ['front'] });
    const closed = await as('auditor', 'confirm', 'op-2', '--wait');
    assert.equal(closed.code, EXIT.no);
    assert.match(closed.errors, new RegExp(`^card ${NEW} does not open lobby-1/lab$`, 'm'));
    assert.match(closed.output, /^lobby-1 +lab +confirmed \S+ +stays closed$/m);
    assert.equal((await as('auditor', 'confirm', 'op-1')).code, EXIT.ok);
    assert.equal((await as('auditor', 'confirm', 'op-9')).code, EXIT.no);
    const list = await as('auditor', 'operations', '--limit', '1');
    assert.match(
      list.output,
      /^op-2 .*replacement \(lost\) +E1001 +04A2B3C4D5E680 +04A2B3C4D5E681 +confirmed; stays closed: lobby-1\/lab$/m,
    );
    assert.match(list.output, /older ones: --before op-2/);
  });

  it('is worth exit code 3 where no desk answers', async (t) => {
    const { app, url } = await siteBench(t);
    await app.close();
    const { code, errors } = await run(['desk', 'confirm', 'op-1', '--url', url]);
    assert.equal(code, EXIT.unreachable);
    assert.match(errors, /no desk answers at http:\/\/127\.0\.0\.1:\d+: is it running\?/);
  });
});

const presentation = (card: string, { sequence, time }: { readonly sequence: number; readonly time: Date }): string =>
  JSON.stringify({
    type: 'event',
    gateway: 'lobby-1',
    sequence,
    event: 'card-presented',
    time: time.toISOString(),
    clockSynchronized: true,
    door: null,
    reader: 'enrol-1',
    direction: null,
    card,
    cardholder: null,
    bindingRevision: null,
    reason: null,
    detail: null,
    previousHash: '0'.repeat(64),
    hash: '0'.repeat(64),
  });
