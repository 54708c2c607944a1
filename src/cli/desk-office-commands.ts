// The commands of the desk service for whoever looks after it: reports, operators, tokens, gateways, the audit log.

import { type Command, Option } from 'commander';
import type { AuditOptions } from './desk-audit.ts';
import { REPORTS, ROLES } from './desk-choices.ts';
import type { NewOperatorOptions, OperatorOptions, PasswordOptions, TokenOptions } from './desk-operator.ts';
import { parseCount, type ServiceOptions, withService, withYes } from './desk-options.ts';
import type { DeskReportOptions } from './desk-report.ts';
import { FORMATS } from './report-output.ts';
import type { CliSession } from './session.ts';

const REPORT_HELP = `
Without --format it is a table, for reading and for paper. CSV is for spreadsheets (RFC 4180, UTF-8). A date of --to counts
to its end, in the time zone of the report; a time of day without an offset is one of this computer.`;

const REPORT_DESCRIPTIONS: Readonly<Record<(typeof REPORTS)[number], string>> = {
  changes: 'what was done with cards, by whom and why',
  'unused-cards': 'cards that were bound and never opened a door',
  'people-without-card': 'people who have not left and have no card',
  operations: 'operations that not every gateway has confirmed, and which gateways lag',
  attendance: 'when each person came and went, joined across replacements of their cards',
};

const PASSWORD_HELP = `
The password is typed where nobody sees it, or stands in the first line of --password-file (- for standard input): on a command line
everybody on the machine could read it.`;

const FIRST_ADMIN_HELP = `
The first admin is made with the code that the desk has put in the file setup-code of its data directory, which only its own user can
read: name that directory, the desk's configuration, or the file.`;

export const addDeskOfficeCommands = (desk: Command, session: CliSession): void => {
  const report = desk
    .command('report')
    .description('what the desk service knows of a period, for reading, CSV or JSON');
  for (const name of REPORTS) addReport(report, name, session);
  addOperatorCommands(desk.command('operator').description('who may work at the desk service'), session);
  addTokenCommands(desk.command('token').description('tokens of programs that work with the desk service'), session);
  addGatewayCommands(desk, session);
};

const addReport = (report: Command, name: (typeof REPORTS)[number], session: CliSession): void => {
  withService(report.command(name))
    .description(REPORT_DESCRIPTIONS[name])
    .option('--from <time>', 'from then on, such as 2026-11-01')
    .option('--to <time>', 'until then')
    .option('--timezone <name>', "in which days begin and times are told (default: this computer's)")
    .option('--operator <name>', 'what this operator did')
    .option('--reason <reason>', 'what was done for this reason')
    .option('--cardholder <id>', 'of this person')
    .addOption(new Option('--format <format>', 'how it looks (default: a table)').choices(FORMATS))
    .option('--output <file>', 'write to a new file that only you can read')
    .addHelpText('after', REPORT_HELP)
    .action(async (options: DeskReportOptions) => {
      const { printDeskReport } = await import('./desk-report.ts');
      await printDeskReport(name, options, session);
    });
};

const addOperatorCommands = (operator: Command, session: CliSession): void => {
  withService(operator.command('add'))
    .description('add an operator, or the first admin')
    .argument('<name>', 'with which they sign in')
    .addOption(roleOption().makeOptionMandatory())
    .option('--password-file <file>', 'where the password stands; - for standard input')
    .option('--setup-code-file <file>', 'for the first admin: the code that the desk has made')
    .option('--data-dir <directory>', 'for the first admin: where the desk keeps its records')
    .option(
      '--config <file>',
      'for the first admin: configuration of the desk, which names that directory and where it answers',
    )
    .addHelpText('after', PASSWORD_HELP)
    .addHelpText('after', FIRST_ADMIN_HELP)
    .action(async (name: string, options: NewOperatorOptions) => {
      const { addOperator } = await import('./desk-operator.ts');
      await addOperator(name, options, session);
    });
  withService(operator.command('list'))
    .description('list the operators')
    .action(async (options: ServiceOptions) => {
      const { listOperators } = await import('./desk-operator.ts');
      await listOperators(options, session);
    });
  withService(operator.command('change'))
    .description('change what an operator may do; their sessions end')
    .argument('<name>', 'of the operator')
    .addOption(roleOption())
    .addOption(new Option('--disable', 'they cannot sign in any more').conflicts('enable'))
    .option('--enable', 'they can again')
    .action(async (name: string, options: OperatorOptions) => {
      const { changeOperator } = await import('./desk-operator.ts');
      await changeOperator(name, options, session);
    });
  withService(operator.command('password'))
    .description('change your password, or as an admin that of another operator; their sessions end')
    .argument('[name]', 'of the operator; left out, it is yours')
    .option('--password-file <file>', 'where the new password stands; - for standard input')
    .option('--old-password-file <file>', 'where your old password stands; - for standard input')
    .addHelpText('after', PASSWORD_HELP)
    .action(async (name: string | undefined, options: PasswordOptions) => {
      const { changePassword } = await import('./desk-operator.ts');
      await changePassword(name, options, session);
    });
  withYes(operator.command('remove'))
    .description('remove an operator; the last admin stays')
    .argument('<name>', 'of the operator')
    .action(async (name: string, options: ServiceOptions) => {
      const { removeOperator } = await import('./desk-operator.ts');
      await removeOperator(name, options, session);
    });
};

const addTokenCommands = (token: Command, session: CliSession): void => {
  withService(token.command('add'))
    .description('make a token; it is shown this once')
    .argument('<name>', 'of the program')
    .addOption(roleOption().makeOptionMandatory())
    .option('--expires <time>', 'when it ends, such as 2027-06-30 (default: never)')
    .action(async (name: string, options: TokenOptions) => {
      const { addToken } = await import('./desk-operator.ts');
      await addToken(name, options, session);
    });
  withService(token.command('list'))
    .description('list the tokens, without their secrets')
    .action(async (options: ServiceOptions) => {
      const { listTokens } = await import('./desk-operator.ts');
      await listTokens(options, session);
    });
  withYes(token.command('remove'))
    .description('remove a token')
    .argument('<id>', 'as cardea desk token list shows it')
    .action(async (id: string, options: ServiceOptions) => {
      const { removeToken } = await import('./desk-operator.ts');
      await removeToken(id, options, session);
    });
};

const addGatewayCommands = (desk: Command, session: CliSession): void => {
  withService(desk.command('status'))
    .description('show how the desk service is; exits 1 while the broker is not connected')
    .action(async (options: ServiceOptions) => {
      const { showDeskStatus } = await import('./desk-gateways.ts');
      await showDeskStatus(options, session);
    });
  withService(desk.command('gateways'))
    .description('list the gateways that the desk service knows, and whose roster differs')
    .action(async (options: ServiceOptions) => {
      const { listGateways } = await import('./desk-gateways.ts');
      await listGateways(options, session);
    });
  withYes(desk.command('forget-gateway'))
    .description('forget a gateway that is gone for good, so that no change waits for it')
    .argument('<gateway>', 'its id')
    .action(async (gateway: string, options: ServiceOptions) => {
      const { forgetGateway } = await import('./desk-gateways.ts');
      await forgetGateway(gateway, options, session);
    });
  withService(desk.command('audit'))
    .description('show who did what at the desk; with --verify, whether that log is what was written')
    .option('--from <number>', 'the first record', parseCount)
    .option('--limit <count>', 'at most so many', parseCount)
    .addOption(new Option('--verify', 'check the whole log; exits 1 when it was altered').conflicts(['from', 'limit']))
    .action(async (options: AuditOptions) => {
      const { showAudit } = await import('./desk-audit.ts');
      await showAudit(options, session);
    });
};

const roleOption = (): Option =>
  new Option(
    '--role <roles...>',
    'clerk: replaces and binds; security: stops cards; auditor: reads; admin: operators',
  ).choices(ROLES);
