// Medians and percentiles, and the table they are printed in.

import { cpus, totalmem } from 'node:os';

export interface Figure {
  readonly what: string;
  readonly median: string;
  readonly p99: string;
  /** What the figure stands beside, measured in the same run. */
  readonly baseline: string;
  readonly aim: string;
}

/** The value below which `fraction` of the samples lie. */
export const percentile = (samples: Float64Array | readonly number[], fraction: number): number => {
  const sorted = Float64Array.from(samples).sort();
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * fraction))] ?? Number.NaN;
};

export const micro = (milliseconds: number): string => `${(milliseconds * 1000).toFixed(1)} us`;
export const milli = (milliseconds: number): string => `${milliseconds.toFixed(2)} ms`;

/** Median and p99 of `samples` in milliseconds. */
export const spread = (samples: Float64Array | readonly number[], unit: (ms: number) => string) => ({
  median: unit(percentile(samples, 0.5)),
  p99: unit(percentile(samples, 0.99)),
});

/** Times `work` `count` times, after a tenth as many for warming up. */
export const sample = (count: number, work: (index: number) => void): Float64Array => {
  for (let i = 0; i < count / 10; i++) work(i);
  const samples = new Float64Array(count);
  for (let i = 0; i < count; i++) {
    const start = performance.now();
    work(i);
    samples[i] = performance.now() - start;
  }
  return samples;
};

export const describeMachine = (): string => {
  const [cpu] = cpus();
  return `${cpu?.model.trim() ?? 'unknown CPU'}, ${cpus().length} cores, ${Math.round(totalmem() / 2 ** 30)} GiB, Node ${process.version}, ${process.platform} ${process.arch}`;
};

export const printTable = (title: string, figures: readonly Figure[]): void => {
  const columns = ['what', 'median', 'p99', 'baseline', 'aim'] as const;
  const header = [title, 'median', 'p99', 'baseline (same run)', 'aim'];
  printRows(
    header,
    figures.map((figure) => columns.map((column) => figure[column])),
  );
};

/** Left-aligned columns under a header. */
export const printRows = (header: readonly string[], rows: readonly (readonly string[])[]): void => {
  const widths = header.map((title, column) => Math.max(title.length, ...rows.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    row
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  console.log(`\n${line(header)}\n${widths.map((width) => '-'.repeat(width)).join('  ')}`);
  for (const row of rows) console.log(line(row));
};
