// The commands of the desk service for signing in and for the list of people. What they do is loaded when one of them runs.

import { type Command, Option } from 'commander';
import { PERSON_HELP, withOperation } from './desk-card-commands.ts';
import { EMPLOYEE_STATUSES } from './desk-choices.ts';
import type { FindOptions, PersonOptions } from './desk-employee.ts';
import type { OperationOptions } from './desk-operation.ts';
import {
  type PageOptions,
  parseCount,
  type ServiceOptions,
  withAccess,
  withPages,
  withService,
  withYes,
} from './desk-options.ts';
import type { ExportOptions, ImportOptions } from './desk-roster-file.ts';
import type { LoginOptions } from './desk-session.ts';
import type { CliSession } from './session.ts';

const LOGIN_HELP = `
The session is kept in $XDG_CONFIG_HOME/cardea/desk-session.json (or ~/.config/...), which only you can read, until it expires or
cardea desk logout. Programs take a token instead: cardea desk token add, then $CARDEA_DESK_TOKEN or --token-file.`;

const IMPORT_HELP = `
CSV in UTF-8 with a head: id, name, and optionally department, doors, schedule, level; several doors with semicolons or blanks between
them. Or JSON, as the export writes it. People are found by their ids: who is new is added, who is known is changed, nobody is
removed. Cards are left alone but with --bind-cards, which binds those that the desk has never heard of; 1 is the exit code when one is
refused. Where a line is faulty, none is imported. The same file again changes nothing.`;

export const addDeskPeopleCommands = (desk: Command, session: CliSession): void => {
  withService(desk.command('login'))
    .description('sign in at the desk service')
    .argument('[name]', 'of your account; left out, you are asked')
    .option('--password-file <file>', 'where the password stands; - for standard input')
    .addHelpText('after', LOGIN_HELP)
    .action(async (name: string | undefined, options: LoginOptions) => {
      const { login } = await import('./desk-session.ts');
      await login(name, options, session);
    });
  withService(desk.command('logout'))
    .description('end your session at the desk service, and forget it here')
    .action(async (options: ServiceOptions) => {
      const { logout } = await import('./desk-session.ts');
      await logout(options, session);
    });

  const employee = desk.command('employee').description('the people of the site, by the desk service');
  addPersonCommands(employee, session);
  addComingAndGoing(employee, session);
  addRosterFiles(employee, session);
};

const addPersonCommands = (employee: Command, session: CliSession): void => {
  withPerson(employee.command('add'))
    .description('add a person')
    .argument('[id]', "HR's id of the person; left out, you are asked")
    .action(async (id: string | undefined, options: PersonOptions) => {
      const { addEmployee } = await import('./desk-employee.ts');
      await addEmployee(id, options, session);
    });
  withService(employee.command('show'))
    .description('show a person and their cards')
    .argument('[person]', PERSON_HELP)
    .action(async (person: string | undefined, options: ServiceOptions) => {
      const { showEmployee } = await import('./desk-employee.ts');
      await showEmployee(person, options, session);
    });
  withService(employee.command('find'))
    .description(
      'find people by parts of the name, the id or the department, or by a card number; exits 1 when nobody is',
    )
    .argument('[words...]', 'all of which have to occur; left out, everybody')
    .addOption(new Option('--status <status>', 'only those').choices(EMPLOYEE_STATUSES))
    .option('--limit <count>', 'at most so many', parseCount, 50)
    .action(async (words: readonly string[], options: FindOptions) => {
      const { findEmployees } = await import('./desk-employee.ts');
      await findEmployees(words, options, session);
    });
  withPerson(employee.command('change'))
    .description('change name, department, or what the next card of a person opens')
    .argument('[person]', PERSON_HELP)
    .action(async (person: string | undefined, options: PersonOptions) => {
      const { changeEmployee } = await import('./desk-employee.ts');
      await changeEmployee(person, options, session);
    });
  withPages(employee.command('history'))
    .description('show what was done for a person, and by whom')
    .argument('[person]', PERSON_HELP)
    .action(async (person: string | undefined, options: PageOptions) => {
      const { showEmployeeHistory } = await import('./desk-employee.ts');
      await showEmployeeHistory(person, options, session);
    });
};

const addComingAndGoing = (employee: Command, session: CliSession): void => {
  withOperation(employee.command('leave'))
    .description('a person leaves: all their cards stop')
    .argument('[person]', PERSON_HELP)
    .action(async (person: string | undefined, options: OperationOptions) => {
      const { employeeLeaves } = await import('./desk-employee.ts');
      await employeeLeaves(person, options, session);
    });
  withService(employee.command('return'))
    .description('a person who had left is here again; cards of before stay stopped')
    .argument('[person]', PERSON_HELP)
    .action(async (person: string | undefined, options: ServiceOptions) => {
      const { employeeReturns } = await import('./desk-employee.ts');
      await employeeReturns(person, options, session);
    });
};

const addRosterFiles = (employee: Command, session: CliSession): void => {
  withYes(employee.command('import'))
    .description('add and change people from a file')
    .argument('<file>', 'CSV or JSON; - for standard input')
    .option('--dry-run', 'check the file, import nothing')
    .option('--bind-cards', 'bind the cards of the column "cards", too, separated by semicolons')
    .addHelpText('after', IMPORT_HELP)
    .action(async (file: string, options: ImportOptions) => {
      const { importEmployees } = await import('./desk-roster-file.ts');
      await importEmployees(file, options, session);
    });
  withService(employee.command('export'))
    .description('write the list of people with their cards')
    .argument('[file]', 'a new file that only you can read; left out, it goes to standard output')
    .addOption(new Option('--format <format>', 'how it looks').choices(['csv', 'json']).default('csv'))
    .addOption(new Option('--status <status>', 'of whom').choices([...EMPLOYEE_STATUSES, 'all']).default('active'))
    .action(async (file: string | undefined, options: ExportOptions) => {
      const { exportEmployees } = await import('./desk-roster-file.ts');
      await exportEmployees(file, options, session);
    });
};

const withPerson = (command: Command): Command =>
  withAccess(withService(command))
    .option('--name <name>', 'of the person')
    .option('--department <name>', 'where they work');
