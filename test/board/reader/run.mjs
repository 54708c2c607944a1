// Bundles one of the reader's board jobs as the gateway is bundled, and runs it on the virtual board:
//   node test/board/reader/run.mjs BOARD JOB [OPTIONS], with BOARD the board's program, JOB a TypeScript file, OPTIONS the board's.

import { spawnSync } from 'node:child_process';
import { chmodSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { build } from 'esbuild';

const [board, job, ...options] = process.argv.slice(2);
const outdir = `dist-board/${basename(job, '.ts')}`;
await build({
  entryPoints: { main: job, 'reader-worker': 'src/drivers/mfrc522/reader-worker.ts' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  external: ['koffi'],
  outdir,
  banner: {
    js: "import { createRequire as bundleRequire } from 'node:module'; const require = bundleRequire(import.meta.url);",
  },
});
writeFileSync(`${outdir}/run.sh`, `#!/bin/bash\nexec node ${outdir}/main.js\n`);
chmodSync(`${outdir}/run.sh`, 0o755);
process.exitCode =
  spawnSync('test/board/guest.sh', [board, ...options, `${outdir}/run.sh`], { stdio: 'inherit' }).status ?? 1;
