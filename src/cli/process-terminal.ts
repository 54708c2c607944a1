// The terminal of this process. Output that nobody reads any more (`cardea events | head`) makes write() reject, never the
// process fall: the gateway goes on without its terminal.

import { CardeaError } from '../errors.ts';
import type { Terminal } from './terminal.ts';

const DEFAULT_WIDTH = 80;

export const processTerminal = ({ stdin, stdout, stderr, env }: NodeJS.Process): Terminal => {
  // Each write reports its own failure.
  stdout.on('error', () => {});
  stderr.on('error', () => {});
  const isColourWanted = (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb';
  return {
    write: (text) =>
      new Promise((resolve, reject) => {
        stdout.write(text, (error) => {
          if (error == null) resolve();
          else
            reject(
              new CardeaError('output-closed', `the output cannot be written: ${error.message}`, { cause: error }),
            );
        });
      }),
    writeError: (text) => void stderr.write(text),
    isInteractive: stdout.isTTY === true,
    canAsk: stdin.isTTY === true && stdout.isTTY === true,
    errorTerminal: stderr.isTTY === true ? stderr : undefined,
    hasColour: stdout.isTTY === true && isColourWanted,
    width: stdout.isTTY === true ? stdout.columns : DEFAULT_WIDTH,
  };
};
