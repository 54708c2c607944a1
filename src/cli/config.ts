// `cardea config`: is a configuration file right, and what may stand in one. Needs no gateway.

import type { Command } from 'commander';
import { EXIT } from './exit-codes.ts';
import { type CliSession, withJson } from './session.ts';
import { plain } from './terminal.ts';

interface Options {
  readonly json?: boolean;
  readonly desk?: boolean;
}

const DESK_HELP = 'the configuration of the desk instead of that of a gateway';

export const addConfigCommands = (program: Command, session: CliSession): void => {
  const config = program.command('config').description('check a configuration file, or print what may stand in one');
  withJson(config.command('check'))
    .description('tell every fault of a configuration file with its place; exits 4 when there is one')
    .argument('<file>', 'configuration file')
    .option('--desk', DESK_HELP)
    .action((file: string, options: Options) => checkFile(file, options, session));
  config
    .command('schema')
    .description('print the JSON Schema of the configuration file: all keys with meaning, unit, range and default')
    .option('--desk', DESK_HELP)
    .action(async ({ desk }: Options) => {
      const schema =
        desk === true
          ? (await import('../config/desk-schema.ts')).deskJsonSchema()
          : (await import('../config/schema.ts')).configJsonSchema();
      await session.print(`${JSON.stringify(schema, null, 2)}\n`);
    });
};

const checkFile = async (file: string, options: Options, session: CliSession): Promise<void> => {
  const { formatFault } = await import('../config/faults.ts');
  const check =
    options.desk === true
      ? (await import('../config/load-desk.ts')).checkDeskConfigFile
      : (await import('../config/load.ts')).checkConfigFile;
  const { faults, warnings, summary } = check(file);
  if (faults.length > 0) session.exitCode = EXIT.config;
  if (options.json === true) {
    await session.printJson({ file, isValid: faults.length === 0, faults, warnings });
    return;
  }
  const lines = [
    ...faults.map(formatFault),
    ...warnings.map((warning) => `${formatFault(warning)} (warning)`),
    summary,
  ];
  await session.print(lines.map((line) => `${plain(line)}\n`).join(''));
};
