// The list of people from the command line: one at a time, from HR's file, and to one.

import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { EXIT } from '../../src/cli/exit-codes.ts';
import { run } from './cli-bench.ts';
import { NAME, NEW, OLD, siteBench } from './desk-bench.ts';

describe('cardea desk employee', () => {
  it('adds, finds, changes and shows a person, with a name in any script', async (t) => {
    const { as } = await siteBench(t);
    const added = await as(
      'clerk',
      'employee',
      'add',
      'E1002',
      '--name',
      '陳怡君',
      '--department',
      'Yard',
      '--doors',
      'front,lab',
    );
    assert.equal(added.code, EXIT.ok, added.errors);
    assert.match(added.output, /^access +front, lab \(always\)$/m);
    await as('clerk', 'employee', 'add', 'E1003', '--name', 'Ada');
    const found = await as('auditor', 'employee', 'find');
    const offsets = found.output
      .trimEnd()
      .split('\n')
      .map((line) => widthBefore(line, /Lab|Yard|DEPARTMENT/));
    assert.deepEqual(offsets.slice(0, 3), [15, 15, 15], found.output);
    assert.match((await as('auditor', 'employee', 'find', '怡')).output, /^E1002/m);
    assert.match((await as('auditor', 'employee', 'find', OLD)).output, /^E1001/m);
    assert.equal((await as('auditor', 'employee', 'find', 'nobody')).code, EXIT.no);
    await as('clerk', 'employee', 'change', 'E1003', '--name', 'Ada Lovelace');
    const shown = JSON.parse((await as('auditor', 'employee', 'show', 'E1003', '--json')).output);
    assert.deepEqual([shown.name, shown.cards], ['Ada Lovelace', []]);
  });

  it('binds the cards of a list that the desk has never heard of, once, and brings back none that was stopped', async (t) => {
    const { as, folder, desk } = await siteBench(t);
    const file = join(folder, 'people.csv');
    writeFileSync(
      file,
      `id,name,cards\nE2001,Ada,04AA00000000A1; 04aa00000000a2\nE2002,Grace,${OLD}\nE1001,${NAME},${OLD}\n`,
    );
    const first = await as('clerk', 'employee', 'import', file, '--bind-cards', '--json');
    assert.equal(first.code, EXIT.no, first.errors);
    const { cards } = JSON.parse(first.output);
    assert.deepEqual([cards.bound, cards.asBefore, cards.refused.length, cards.refused[0].line], [2, 1, 1, 3]);
    assert.equal(desk.state.liveCardsOf('E2001').length, 2);
    await as('security', 'card', 'revoke', '04AA00000000A1', '--reason', 'lost', '--no-wait');
    const { revision } = desk.state.roster;
    const again = await as('clerk', 'employee', 'import', file, '--bind-cards');
    assert.match(again.output, /0 cards bound, 2 as before, 2 refused/);
    assert.match(again.output, /line 2: card 04AA00000000A1: it was stopped/);
    assert.equal(desk.state.roster.revision, revision);
  });

  it('takes no schedule without the doors that open then: it would open every door', async (t) => {
    const { as, desk } = await siteBench(t);
    for (const args of [
      ['employee', 'add', 'E7', '--name', 'Ann'],
      ['employee', 'change', 'E1001'],
      ['card', 'bind', 'E1001', NEW],
      ['replace', 'E1001', '--new-card', NEW, '--reason', 'lost'],
    ]) {
      const { code, errors } = await as('clerk', ...args, '--schedule', 'office-hours');
      assert.equal(code, EXIT.usage, args.join(' '));
      assert.match(errors, /--schedule .* --doors/);
    }
    assert.deepEqual([desk.state.people.size, desk.state.roster.revision], [1, 1]);
  });

  it('asks at a terminal for what is missing', async (t) => {
    const { atTerminal, desk } = await siteBench(t);
    const { code, prompts } = await atTerminal('clerk', ['E7', 'Grace', 'Navy'], 'employee', 'add');
    assert.equal(code, EXIT.ok);
    assert.deepEqual([prompts.unused, desk.state.people.find('E7')?.department], [0, 'Navy']);
  });

  it('stops all cards of a person who leaves, and says so beforehand', async (t) => {
    const { atTerminal, as, desk } = await siteBench(t);
    const { code, output } = await atTerminal('security', [true], 'employee', 'leave', 'E1001', '--no-wait');
    assert.equal(code, EXIT.ok);
    assert.match(output, new RegExp(`^stops +${OLD}$`, 'm'));
    assert.equal(desk.state.cards.get(OLD)?.state, 'stopped');
    assert.equal((await as('clerk', 'employee', 'return', 'E1001')).code, EXIT.ok);
    assert.equal(desk.state.people.find('E1001')?.status, 'active');
    const history = await as('auditor', 'employee', 'history', 'E1001');
    assert.match(history.output, /^op-2 .*leave \(left\)/m);
    assert.match(history.output, /return-employee/);
  });
});

const widthBefore = (line: string, pattern: RegExp): number => {
  const before = line.slice(0, line.search(pattern));
  return [...before].reduce((width, character) => width + (/\p{Script=Han}/u.test(character) ? 2 : 1), 0);
};

const listIn = (folder: string, text: string): string => {
  const file = join(folder, 'people.csv');
  writeFileSync(file, text);
  return file;
};

describe('cardea desk employee import', () => {
  const imported = async (t: TestContext, text: string) => {
    const bench = await siteBench(t);
    const file = listIn(bench.folder, text);
    return { ...bench, file, outcome: await bench.as('clerk', 'employee', 'import', file) };
  };

  it('takes the CSV of a spreadsheet, and the same file again changes nothing', async (t) => {
    const text =
      '\uFEFFID;Name;Department;Doors;Schedule\r\nE1001;王小明;Lab\r\nE2;"Li, Ann";;front lab;office-hours\r\n\r\n';
    const { as, file, outcome, desk } = await imported(t, text);
    assert.deepEqual([outcome.code, outcome.output], [EXIT.ok, '1 added, 0 changed, 1 as before\n']);
    assert.deepEqual(desk.state.people.find('E2')?.access, [{ doors: ['front', 'lab'], schedule: 'office-hours' }]);
    assert.equal((await as('clerk', 'employee', 'import', file)).output, '0 added, 0 changed, 2 as before\n');
  });

  const FAULTY: readonly [string, string, RegExp][] = [
    ['a column that is not known', 'id,name,dept\nE2,Ann,Lab\n', /:1: the column "dept" is not known/],
    ['a column that is missing', 'id,department\nE2,Lab\n', /:1: there is no column name/],
    ['a person without a name', 'id,name\nE2,Ann\n\nE3,\n', /:4: name: /],
    ['an id that occurs twice', 'id,name,department\nE2,An,"La\nb"\nE2,Bo\n', /:4: the id E2 is on line 2 already/],
    ['more cells than columns', 'id,name\nE2,Ann,Lab\n', /:2: 3 cells/],
    ['quotes that do not end', 'id,name\nE2,"Ann\n', /:\d: .*quot/i],
    ['a level beside doors', 'id,name,doors,level\nE2,Ann,front,staff\n', /:2: name either/],
    ['a schedule without doors', 'id,name,schedule\nE2,Ann,office-hours\n', /:2: name either doors/],
    ['a status that is not known', 'id,name,status\nE2,Ann,gone\n', /:2: status: .*active.*left/],
    ['a line after lines in quotes', 'id,name,department\r\nE2,An,"L\r\na\r\nb"\r\nE3,\r\n', /:5: name: /],
    ['a misspelt name in JSON', '[{"id":"E2","name":"Ann","acess":[{"doors":["front"]}]}]', /:1: .*"acess"/],
    ['doors outside of access in JSON', '[{"id":"E2","name":"Ann","doors":["front"]}]', /:1: .*"doors"/],
  ];
  for (const [what, text, message] of FAULTY) {
    it(`names the line of ${what}, and imports nobody`, async (t) => {
      const { outcome, desk } = await imported(t, text);
      assert.deepEqual([outcome.code, outcome.output], [EXIT.usage, '']);
      assert.match(outcome.errors, message);
      assert.equal(desk.state.people.size, 1);
    });
  }

  it('leaves out people who have left, in whatever case that is written, and says how many', async (t) => {
    const { outcome, desk } = await imported(t, 'id,name,status\nE2,Ann,Left\nE3,Bo,LEFT\nE4,Cy,Active\nE5,Di,\n');
    assert.deepEqual([outcome.code, outcome.output], [EXIT.ok, '2 added, 0 changed, 0 as before\n']);
    assert.match(outcome.errors, /^left out, because they have left: 2 people of the file$/m);
    assert.equal(desk.state.people.find('E2'), undefined);
  });

  it('refuses a file or an input that is not UTF-8, instead of losing its names', async (t) => {
    const { as, folder, environment } = await siteBench(t);
    const readInput = async () => Buffer.from('id,name\nE2,Zo\xeb\n', 'latin1');
    const piped = await run(['desk', 'employee', 'import', '-'], { ...environment('clerk'), readInput });
    assert.deepEqual([piped.code, piped.errors.includes('standard input is not UTF-8')], [EXIT.usage, true]);
    const file = join(folder, 'latin.csv');
    writeFileSync(file, Buffer.from('id,name\nE2,Zo\xeb\n', 'latin1'));
    const { code, errors } = await as('clerk', 'employee', 'import', file);
    assert.equal(code, EXIT.usage);
    assert.match(errors, /is not UTF-8/);
  });

  it('shows what it has read before it asks', async (t) => {
    const { atTerminal, folder, desk } = await siteBench(t);
    const file = listIn(folder, 'id,name\nE2,Ann\n');
    const { code, output } = await atTerminal('clerk', [false], 'employee', 'import', file);
    assert.equal(code, EXIT.no);
    assert.match(output, /^2 +E2 +Ann +the usual$/m);
    assert.equal(desk.state.people.size, 1);
    const withCards = listIn(folder, 'id,name,cards\nE2,Ann,04AA00000000A1;04AA00000000A2\n');
    const asked = await atTerminal('clerk', [false], 'employee', 'import', withCards, '--bind-cards');
    assert.match(asked.prompts.asked.join(), /^Import 1 people, and bind up to 2 cards to them\?/);
    const dry = await run(['desk', 'employee', 'import', withCards, '--dry-run', '--json']);
    const cards = ['04AA00000000A1', '04AA00000000A2'];
    assert.deepEqual(JSON.parse(dry.output), { employees: [{ line: 2, id: 'E2', name: 'Ann', cards }], left: 0 });
  });
});

describe('cardea desk employee export', () => {
  for (const format of ['csv', 'json']) {
    it(`writes ${format} that can be imported again`, async (t) => {
      const { as, folder } = await siteBench(t);
      await as('clerk', 'employee', 'add', 'E2', '--name', '-Ann-');
      const file = join(folder, `people.${format}`);
      assert.equal((await as('clerk', 'employee', 'export', file, '--format', format)).code, EXIT.ok);
      assert.equal(statSync(file).mode & 0o777, 0o600);
      assert.match(readFileSync(file, 'utf8'), new RegExp(NAME));
      assert.equal((await as('clerk', 'employee', 'import', file)).output, '0 added, 0 changed, 2 as before\n');
    });
  }
});
