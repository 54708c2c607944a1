// A small valid file for one real door, and ways to spoil it line by line.

import { checkConfig } from '../../src/config/check.ts';
import type { Config } from '../../src/config/config.ts';
import { type ConfigFault, formatFault } from '../../src/config/faults.ts';

export const FILE = '/etc/cardea/cardea.yaml';

const LINES = [
  'site: hq',
  'gateway: lobby-1',
  'trust: { messages: unsigned }',
  'mqtt:',
  '  url: mqtts://hr.example.com',
  'doors:',
  '  front:',
  '    strike: { line: 17 }',
  'readers:',
  '  front-in:',
  '    door: front',
] as const;

/** The valid text, with some lines (1-based) replaced, by several where a replacement holds line breaks. */
export const textWith = (changes: Readonly<Record<number, string>> = {}): string =>
  LINES.map((line, index) => changes[index + 1] ?? line).join('\n');

const tell = (faults: readonly ConfigFault[] | undefined): readonly string[] =>
  (faults ?? []).map((fault) => formatFault(fault).replace(`${FILE}:`, ''));

/** The faults of a text as lines without the file's name. */
export const faultsOf = (text: string): readonly string[] => tell(checkConfig(text, FILE).faults);

export const warningsOf = (text: string): readonly string[] => tell(checkConfig(text, FILE).warnings);

/** The configuration of a text that has to be right. */
export const configOf = (text: string): Config => {
  const { config, faults } = checkConfig(text, FILE);
  if (config === undefined) throw new Error(`the text has faults:\n${tell(faults).join('\n')}`);
  return config;
};
