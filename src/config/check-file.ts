// A configuration of whatever kind on the disk: reads the file, and looks whether the files that it names are there. The only part
// of the configuration that touches the disk, beside the keys.

import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { z } from 'zod';
import { CardeaError, errorMessage } from '../errors.ts';
import { type CheckOf, type ConfigKind, checkText, placed } from './check-text.ts';
import { type ConfigFault, type Finding, formatFault, inFileOrder } from './faults.ts';
import { fileReason } from './file-reason.ts';
import { MAX_FILE_BYTES, parseYaml } from './parse-yaml.ts';
import type { YamlTree } from './yaml-tree.ts';

export interface ReadFile {
  readonly path: string;
  /** At most as much as a configuration may have and a little more. */
  readonly bytes: Uint8Array;
}

/** A key of the configuration whose value is the path of a file. */
export interface FileKey {
  readonly key: readonly string[];
  /** Throws when the file does not hold what it should; left out where that is left to whoever uses it. */
  readonly read?: (file: string) => unknown;
  /** Nothing works without it; otherwise it is missed only when somebody checks the file. */
  readonly isNeeded?: boolean;
}

interface Options {
  /** Those that the configuration, faulty as it may be elsewhere, may name. */
  readonly namedFiles: (tree: YamlTree) => readonly FileKey[];
  /** Whether a file that is not there is a fault also where the program starts without it. */
  readonly areFilesNeeded: boolean;
}

/** What the program may start with, and what it would start without. */
export const checkFile = <Schema extends z.ZodType, Config>(
  { path, bytes }: ReadFile,
  kind: ConfigKind<Schema, Config>,
  { namedFiles, areFilesNeeded }: Options,
): CheckOf<Config> => {
  const text = textOf(bytes);
  if (text === undefined) {
    const fault = { file: path, line: 1, column: 1, path: '', message: 'the file is not UTF-8 text' };
    return { faults: [fault], warnings: [], tree: parseYaml('').tree };
  }
  const check = checkText(text, path, kind);
  const findings = namedFiles(check.tree).flatMap((each) => fileFindings(each, check.tree, path));
  const told = (areFaults: boolean): readonly ConfigFault[] =>
    findings
      .filter(({ isFault, isNeeded }) => (isFault && (isNeeded || areFilesNeeded)) === areFaults)
      .map(({ finding }) => placed(finding, check.tree, path));
  const faults = inFileOrder([...(check.faults ?? []), ...told(true)]);
  const warnings = inFileOrder([...check.warnings, ...told(false)]);
  return faults.length > 0 ? { faults, warnings, tree: check.tree } : { ...check, warnings };
};

/** Throws CardeaError `config-invalid` with one line per fault in its message. */
export const requireValid = <Config>(check: CheckOf<Config>, path: string): Config => {
  if (check.faults === undefined) return check.config;
  const count = check.faults.length === 1 ? 'a fault' : `${check.faults.length} faults`;
  const lines = check.faults.map(formatFault).join('\n');
  throw new CardeaError('config-invalid', `the configuration has ${count}:\n${lines}`, { context: { path } });
};

/** What `cardea config check` tells. */
export interface ConfigReport {
  readonly faults: readonly ConfigFault[];
  readonly warnings: readonly ConfigFault[];
  /** One line for a person, such as `FILE: ok, 2 doors, 2 readers, messages signed with 1 key` or `FILE: 3 faults`. */
  readonly summary: string;
}

export const reportOf = <Config>(
  { config, faults = [], warnings }: CheckOf<Config>,
  path: string,
  summaryOf: (config: Config) => string,
): ConfigReport => ({
  faults,
  warnings,
  summary: config === undefined ? `${path}: ${counted(faults.length, 'fault')}` : `${path}: ok, ${summaryOf(config)}`,
});

export const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

/** Keys of the `mqtt` section that name files. */
export const MQTT_FILES: readonly FileKey[] = ['passwordFile', 'ca', 'cert', 'key'].map((key) => ({
  key: ['mqtt', key],
}));
const SECRET_FILES = ['passwordFile', 'key'];

interface FileFinding {
  readonly isFault: boolean;
  readonly isNeeded: boolean;
  readonly finding: Finding;
}

const READABLE_BY_OTHERS = 0o004;

const fileFindings = (
  { key, read, isNeeded = false }: FileKey,
  tree: YamlTree,
  path: string,
): readonly FileFinding[] => {
  const named = tree.at(key);
  if (typeof named !== 'string' || named === '') return [];
  const file = resolve(dirname(path), named);
  const about = (isFault: boolean, message: string): readonly FileFinding[] => [
    { isFault, isNeeded, finding: { path: key, at: 'value', message } },
  ];
  if (read !== undefined) {
    try {
      read(file);
      return [];
    } catch (error) {
      return about(true, errorMessage(error));
    }
  }
  try {
    accessSync(file, constants.R_OK);
    const status = statSync(file);
    if (status.isDirectory()) return about(true, `${file} is a directory; allowed: a file`);
    const isSecret = SECRET_FILES.includes(key.at(-1) ?? '');
    if (!isSecret || (status.mode & READABLE_BY_OTHERS) === 0) return [];
    return about(false, `everybody on this machine can read ${file}; run chmod o-rwx on it`);
  } catch (error) {
    return about(true, `cannot be read: ${fileReason(error, file)}`);
  }
};

/** Undefined when it is not UTF-8. */
const textOf = (bytes: Uint8Array): string | undefined => {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    // Cut in the middle of a character it is too large anyway, and the check says so.
    return bytes.length > MAX_FILE_BYTES ? new TextDecoder().decode(bytes) : undefined;
  }
};

/** Throws CardeaError `config-unreadable`. */
export const readConfigBytes = (path: string): Uint8Array => {
  const buffer = Buffer.alloc(MAX_FILE_BYTES + 1);
  let length = 0;
  try {
    const descriptor = openSync(path, 'r');
    try {
      for (let read = -1; read !== 0 && length < buffer.length; length += read) {
        read = readSync(descriptor, buffer, length, buffer.length - length, null);
      }
    } finally {
      closeSync(descriptor);
    }
  } catch (error) {
    const message = `cannot read the configuration: ${fileReason(error, path)}; name another file with --config`;
    throw new CardeaError('config-unreadable', message, { cause: error, context: { path } });
  }
  return buffer.subarray(0, length);
};
