// A desk with its API on a port of this machine, and `cardea desk ARGS --url ...` to it, as a program or as a person at a terminal.

import { PassThrough } from 'node:stream';
import type { TestContext } from 'node:test';
import { runCommand } from '../../src/cli/program.ts';
import type { CliEnvironment } from '../../src/cli/session.ts';
import type { Role } from '../../src/desk/permissions.ts';
import { CLERK, receiptFor, statusOf, taken } from '../fixtures/open-desk.ts';
import { type OpenDeskApi, openDeskApi } from '../fixtures/open-desk-api.ts';
import { AnsweringPrompts, type PromptAnswer } from './answering-prompts.ts';
import { type CommandResult, environmentWith, FakeTerminal, folderFor } from './cli-bench.ts';

export const OLD = '04A2B3C4D5E680';
export const NEW = '04A2B3C4D5E681';
export const NAME = '王小明';

export interface DeskBench extends OpenDeskApi {
  readonly url: string;
  /** Where nobody has signed in. */
  readonly folder: string;
  /** As a program with the role. */
  readonly as: (role: Role, ...args: readonly string[]) => Promise<CommandResult>;
  /** As a person with the role at a terminal, who answers. */
  readonly atTerminal: (
    role: Role,
    answers: readonly PromptAnswer[],
    ...args: readonly string[]
  ) => Promise<CommandResult & { readonly prompts: AnsweringPrompts }>;
  readonly environment: (role: Role) => Partial<CliEnvironment>;
}

export const startDeskBench = async (
  t: TestContext,
  options: Parameters<typeof openDeskApi>[1] = {},
): Promise<DeskBench> => {
  const api = await openDeskApi(t, options);
  const url = await api.app.listen({ host: '127.0.0.1', port: 0 });
  const folder = folderFor(t);
  const environment = (role: Role): Partial<CliEnvironment> => ({
    env: { CARDEA_DESK_TOKEN: api.tokens[role], XDG_CONFIG_HOME: folder },
  });
  const as = async (role: Role, ...args: readonly string[]): Promise<CommandResult> =>
    result(new FakeTerminal(), environment(role), args);
  const result = async (
    terminal: FakeTerminal,
    changes: Partial<CliEnvironment>,
    args: readonly string[],
  ): Promise<CommandResult> => {
    const code = await runCommand(['desk', ...args, '--url', url], environmentWith(terminal, changes));
    return { code, output: terminal.output, errors: terminal.errors };
  };
  const atTerminal: DeskBench['atTerminal'] = async (role, answers, ...args) => {
    const terminal = Object.assign(new FakeTerminal(), { isInteractive: true, canAsk: true });
    terminal.errorTerminal = Object.assign(new PassThrough(), { isTTY: true });
    const prompts = new AnsweringPrompts(answers);
    const ended = await result(terminal, { ...environment(role), prompts: async () => prompts }, args);
    return { ...ended, prompts };
  };
  return { ...api, url, folder, environment, as, atTerminal };
};

/** One gateway with two doors, and Wang with one card, which the gateway has confirmed. */
export const siteBench = async (
  t: TestContext,
): Promise<DeskBench & { readonly confirm: (operation: string, fields?: object) => Promise<void> }> => {
  const bench = await startDeskBench(t);
  const { desk, link } = bench;
  link.connect();
  await link.deliver('cardea/hq/gateways/lobby-1/status', statusOf(desk, 'lobby-1', ['front', 'lab']));
  await taken(desk.employees.add({ id: 'E1001', name: NAME, department: 'Lab' }, CLERK));
  const bound = await taken(desk.cards.bind({ cardholder: 'E1001', card: OLD }, CLERK));
  const confirm = async (operation: string, fields: object = { doors: ['front', 'lab'] }): Promise<void> => {
    const view = await desk.operation(operation);
    if (view === undefined) throw new Error(`there is no operation ${operation}`);
    await link.deliver('cardea/hq/gateways/lobby-1/receipt', receiptFor(view.operation, fields));
  };
  await confirm(bound.id);
  return { ...bench, confirm };
};
