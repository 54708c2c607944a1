// `cardea report`: lists for people and spreadsheets, from what the gateway holds and has recorded.

import { type Command, Option } from 'commander';
import { FORMATS } from './report-output.ts';
import type { Report, ReportOptions } from './report-run.ts';
import { type CliSession, withGateway } from './session.ts';

interface AttendanceOptions extends ReportOptions {
  readonly taps?: true;
  readonly door?: readonly string[];
}

const REPORT_HELP = `
Lists name persons and whole card numbers: that you took one is recorded in the gateway's log, with your name.
A row is a line of CSV (RFC 4180) or a member of one JSON array. What is missing from a list is told on standard error.`;

const ATTENDANCE_HELP = `
An out ends the last in at the same door, or else the earliest in: the time between is present. Stays within a stay, at inner
doors, are not counted twice; where inner doors have readers, name the outer ones with --door. An in or out without its other
half counts no time and stands under unmatchedIns or unmatchedOuts. A night belongs to the day on which it began. Nobody stays
longer than 16 hours, and who comes in more than 10 hours after their last tap begins anew. Denied taps, and grants that were not
taken, are left out. guessedTaps: taps while the gateway's clock was not to be trusted. Names are those of cards bound now.`;

export const addReportCommands = (program: Command, session: CliSession): void => {
  const report = program.command('report').description('attendance, cards, changes and denials as CSV or JSON');
  const add = (name: string, description: string): Command =>
    withGateway(report.command(name))
      .description(description)
      .addOption(new Option('--format <format>', 'how the rows look').choices(FORMATS).default('csv'))
      .option('--out <file>', 'write to a new file that only you can read; it is there once it is whole')
      .option('--timezone <name>', "of days and times, such as Europe/Berlin (default: each door's own)")
      .addHelpText('after', REPORT_HELP);
  const addDated = (name: string, description: string): Command =>
    add(name, description)
      .requiredOption('--from <date>', 'first day, such as 2026-11-01')
      .option('--to <date>', 'last day (default: as far as the log goes)');
  const print = async (chosen: Promise<Report>, options: ReportOptions): Promise<void> => {
    const { printReport } = await import('./report-run.ts');
    await printReport(await chosen, options, session);
  };

  addDated('attendance', 'when each person came and went, a row for each person and day')
    .option('--cardholder <id>', 'of one person')
    .option('--door <ids...>', 'taps at these doors alone')
    .option('--taps', 'a row for each tap instead')
    .addHelpText('after', ATTENDANCE_HELP)
    .action((options: AttendanceOptions) => print(attendanceOf(options), options));

  add('cards', 'every card that is bound here, and to whom')
    .option('--all', 'retired cards too, with the reason')
    .action((options: ReportOptions & { readonly all?: true }) => print(cardsOf(options.all === true), options));

  addDated('changes', 'every message of HR, who sent it and what became of it').action((options: ReportOptions) =>
    print(
      import('./report-lists.ts').then(({ changesReport }) => changesReport),
      options,
    ),
  );

  addDated('denied', 'every card that was not let in, where and why').action((options: ReportOptions) =>
    print(
      import('./report-lists.ts').then(({ deniedReport }) => deniedReport),
      options,
    ),
  );
};

const attendanceOf = async ({ taps, door, cardholder }: AttendanceOptions): Promise<Report> => {
  const { attendanceReport, tapsReport } = await import('./report-attendance.ts');
  const choice = { ...(door !== undefined && { doors: door }), ...(cardholder !== undefined && { cardholder }) };
  return taps === true ? tapsReport(choice) : attendanceReport(choice);
};

const cardsOf = async (withRetired: boolean): Promise<Report> =>
  (await import('./report-lists.ts')).cardsReport({ withRetired });
