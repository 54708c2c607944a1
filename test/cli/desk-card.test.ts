// Cards from the command line, beside their replacement: looked up, lost and found, lent, stopped.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { NAME, NEW, OLD, siteBench } from './desk-bench.ts';

describe('cardea desk card', () => {
  it('shows whose card it is and what was done with it', async (t) => {
    const { as } = await siteBench(t);
    const { code, output } = await as('auditor', 'card', 'show', OLD);
    assert.equal(code, EXIT.ok);
    assert.match(output, /^state +in use$/m);
    assert.match(output, new RegExp(`^person +${NAME} \\(E1001\\), Lab$`, 'm'));
    assert.match((await as('auditor', 'card', 'history', OLD)).output, /^op-1 .*binding/m);
    assert.match((await as('auditor', 'card', 'show', NEW)).errors, /\(unknown-card\)/);
  });
});

describe('a card that is lost', () => {
  it('stops at once, and comes back when it is found', async (t) => {
    const { as, atTerminal, desk } = await siteBench(t);
    const lost = await atTerminal('security', [NAME, 'lost', true], 'report-loss', '小明', '--no-wait');
    assert.equal(lost.code, EXIT.ok, lost.errors);
    assert.equal(desk.state.cards.get(OLD)?.state, 'stopped');
    assert.equal((await as('auditor', 'card', 'show', OLD)).code, EXIT.no);
    const found = await as('clerk', 'card', 'reinstate', OLD);
    assert.equal(found.code, EXIT.ok, found.errors);
    assert.equal(desk.state.cards.get(OLD)?.state, 'live');
    assert.equal((await as('security', 'report-loss', '--card', OLD, '--reason', 'stolen')).code, EXIT.ok);
    assert.equal((await as('security', 'report-loss', 'E1001', '--card', OLD, '--reason', 'stolen')).code, EXIT.usage);
  });

  it('is stopped for good where that is wanted, also one that nobody knows', async (t) => {
    const { as, desk } = await siteBench(t);
    assert.equal((await as('security', 'card', 'revoke', OLD, '--reason', 'stolen')).code, EXIT.ok);
    assert.equal((await as('security', 'card', 'revoke', 'DEADBEEF', '--reason', 'other')).code, EXIT.ok);
    assert.equal((await as('clerk', 'card', 'reinstate', OLD)).code, EXIT.no);
    assert.equal(desk.state.roster.size, 0);
  });
});

describe('a temporary card', () => {
  it('ends at the end of the day that is named', async (t) => {
    const { as, desk } = await siteBench(t);
    const lend = ['card', 'temporary', 'E1001', NEW];
    assert.match((await as('clerk', ...lend)).errors, /--until is missing/);
    const lent = await as('clerk', ...lend, '--until', '2026-01-09', '--doors', 'lab');
    assert.equal(lent.code, EXIT.ok, lent.errors);
    const card = desk.state.cards.get(NEW);
    assert.equal(card?.kind, 'temporary');
    assert.equal(card?.validUntil, new Date(2026, 0, 9, 23, 59, 59, 999).toISOString());
    assert.equal(desk.state.cards.get(OLD)?.state, 'live');
    const past = await as('clerk', 'card', 'bind', 'E1001', '04A2B3C4D5E688', '--until', '2026-01-01T08:00');
    assert.match(past.errors, /\(date-in-past\)/);
  });
});
