// Processes beside the one that measures: started with tsx, asked by messages.

import { type ChildProcess, fork } from 'node:child_process';

export const startChild = (file: string, ...args: readonly string[]): ChildProcess =>
  fork(file, args, { execArgv: ['--import', 'tsx'], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });

/** The next thing that the child says. Rejects when it ends instead. */
export const answerOf = <Answer>(child: ChildProcess): Promise<Answer> =>
  new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => reject(new Error(`a process of the measurement ended with ${code}`));
    child.once('exit', onExit);
    child.once('message', (answer: Answer) => {
      child.off('exit', onExit);
      resolve(answer);
    });
  });
