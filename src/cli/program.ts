// The command line: which commands there are, what a mistake in them says, and the exit code of each ending.

import { Command, CommanderError } from 'commander';
import { CardeaError, errorMessage } from '../errors.ts';
import { addAlarmCommand } from './alarm.ts';
import { addAuditCommand } from './audit.ts';
import { addBackupCommand } from './backup.ts';
import { addCardCommand } from './card.ts';
import { addConfigCommands } from './config.ts';
import { addContractCommands } from './contract.ts';
import { addDeskCommands } from './desk.ts';
import { addDoorCommand } from './door.ts';
import { addEventsCommand } from './events.ts';
import { EXIT, EXIT_CODES_HELP, type ExitCode, exitCodeOf } from './exit-codes.ts';
import { addExplainCommand } from './explain.ts';
import { addGatewayCommand } from './gateway.ts';
import { addKeysCommands } from './keys.ts';
import { addLineCommand } from './line.ts';
import { addLockdownCommand } from './lockdown.ts';
import { addReportCommands } from './report.ts';
import { addRestoreCommand } from './restore.ts';
import { addRosterCommands } from './roster.ts';
import { type CliEnvironment, CliSession } from './session.ts';
import { addStatusCommand } from './status.ts';
import { addTapCommand } from './tap.ts';
import { plain, type Terminal } from './terminal.ts';
import { addPassbackCommand, addZoneCommand } from './zone.ts';

/** Runs one command to its end. Never rejects. */
export const runCommand = async (
  commandArguments: readonly string[],
  environment: CliEnvironment,
): Promise<ExitCode> => {
  const session = new CliSession(environment);
  try {
    await createProgram(session).parseAsync([...commandArguments], { from: 'user' });
    return session.exitCode;
  } catch (error) {
    return report(error, environment.terminal, session.exitCode);
  } finally {
    await session.helpPrinted;
  }
};

/** The whole tree of commands. */
export const createProgram = (session: CliSession): Command => {
  const { terminal, version } = session.environment;
  const program = new Command('cardea')
    .description('Door access-control gateway: card readers, door strikes, and an allow-list that follows HR over MQTT')
    .version(version)
    .addHelpText('after', `\n${EXIT_CODES_HELP}`)
    .exitOverride()
    .showSuggestionAfterError()
    .configureOutput({
      writeOut: (text) => session.printHelp(text),
      writeErr: (text) => terminal.writeError(text),
      getOutHelpWidth: () => terminal.width,
      getErrHelpWidth: () => terminal.width,
      getOutHasColors: () => terminal.hasColour,
      getErrHasColors: () => false,
    });
  addGatewayCommand(program, session);
  addStatusCommand(program, session);
  addAlarmCommand(program, session);
  addCardCommand(program, session);
  addEventsCommand(program, session);
  addAuditCommand(program, session);
  addDoorCommand(program, session);
  addLockdownCommand(program, session);
  addTapCommand(program, session);
  addLineCommand(program, session);
  addExplainCommand(program, session);
  addZoneCommand(program, session);
  addPassbackCommand(program, session);
  addRosterCommands(program, session);
  addReportCommands(program, session);
  addBackupCommand(program, session);
  addRestoreCommand(program, session);
  addConfigCommands(program, session);
  addContractCommands(program, session);
  addDeskCommands(program, session);
  addKeysCommands(program, session);
  return program;
};

const report = (error: unknown, terminal: Terminal, exitCode: ExitCode): ExitCode => {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  if (!(error instanceof CardeaError)) {
    terminal.writeError(`cardea: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    return EXIT.no;
  }
  if (error.code === 'output-closed') return exitCode;
  const lines = errorMessage(error).split('\n').map(plain).join('\n');
  terminal.writeError(`cardea: ${lines}\n`);
  return exitCodeOf(error.code);
};
