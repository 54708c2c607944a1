// Starts a worker thread on a module, from the sources (TypeScript through tsx) as well as from the bundle.

import { Worker } from 'node:worker_threads';

/**
 * `entry` ends in .js in the bundle, in .ts in the sources. Workers do not inherit the hooks that `--import tsx` registers in
 * the main thread (seen on Node 20), so a source is started by a line of code that registers them first.
 */
export const startWorker = (entry: URL, workerData: unknown): Worker => {
  if (!entry.pathname.endsWith('.ts')) return new Worker(entry, { workerData });
  const tsx = JSON.stringify(import.meta.resolve('tsx/esm/api'));
  const bootstrap = `import(${tsx}).then(({ register }) => { register(); return import(${JSON.stringify(entry.href)}); })`;
  return new Worker(bootstrap, { eval: true, execArgv: [], workerData });
};

/** The module `name` beside `module`, an import.meta.url: in its folder of the sources, and beside the bundle's chunks. */
export const siblingModule = (name: string, module: string): URL =>
  new URL(`./${name}${module.endsWith('.ts') ? '.ts' : '.js'}`, module);
