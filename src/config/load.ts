// Reads the configuration file, and looks whether the files that it names are there. The only part of the configuration
// that touches the disk.

import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { sha256Hex } from '../domain/canonical-json.ts';
import type { ConfigurationFile } from '../domain/configuration-file.ts';
import { CardeaError, errorMessage } from '../errors.ts';
import { type ConfigCheck, checkConfig, placed } from './check.ts';
import type { Config } from './config.ts';
import { type ConfigFault, type Finding, formatFault, inFileOrder } from './faults.ts';
import { fileReason } from './file-reason.ts';
import { readPrivateKey, readPublicKey } from './key-files.ts';
import { MAX_FILE_BYTES, parseYaml } from './parse-yaml.ts';
import type { YamlTree } from './yaml-tree.ts';

export interface LoadedConfig {
  readonly config: Config;
  readonly file: ConfigurationFile;
  /** For the log; the gateway starts all the same. */
  readonly warnings: readonly ConfigFault[];
}

/**
 * The configuration in the file at `path`. A certificate or password that cannot be read is a warning here: the link needs it,
 * the doors do not. Throws CardeaError `config-unreadable`, or `config-invalid` with one line per
 * fault in its message.
 */
export const loadConfig = (path: string): LoadedConfig => {
  const bytes = readBytes(path);
  const check = checkFile({ path, bytes }, { areFilesNeeded: false });
  if (check.faults === undefined) {
    return { config: check.config, file: { file: path, sha256: sha256Hex(bytes) }, warnings: check.warnings };
  }
  const count = check.faults.length === 1 ? 'a fault' : `${check.faults.length} faults`;
  const lines = check.faults.map(formatFault).join('\n');
  throw new CardeaError('config-invalid', `the configuration has ${count}:\n${lines}`, { context: { path } });
};

/** What `cardea config check` tells. */
export interface ConfigReport {
  readonly faults: readonly ConfigFault[];
  readonly warnings: readonly ConfigFault[];
  /** One line for a person: `FILE: ok, 2 doors, 2 readers, messages signed with 1 key` or `FILE: 3 faults`. */
  readonly summary: string;
}

/** Checks the file at `path` and the files that it names. Throws CardeaError `config-unreadable` only. */
export const checkConfigFile = (path: string): ConfigReport => {
  const { config, faults = [], warnings } = checkFile({ path, bytes: readBytes(path) }, { areFilesNeeded: true });
  const summary =
    config === undefined
      ? `${path}: ${counted(faults.length, 'fault')}`
      : `${path}: ok, ${counted(config.doors.length, 'door')}, ${counted(config.readers.length, 'reader')}, ${believed(config.trust)}`;
  return { faults, warnings, summary };
};

const believed = ({ messages, keys }: Config['trust']): string =>
  messages === 'unsigned' ? 'unsigned messages are believed' : `messages signed with ${counted(keys.length, 'key')}`;

const counted = (count: number, noun: string): string => `${count} ${noun}${count === 1 ? '' : 's'}`;

interface ReadFile {
  readonly path: string;
  /** At most as much as a configuration may have and a little more. */
  readonly bytes: Uint8Array;
}

const checkFile = (
  { path, bytes }: ReadFile,
  { areFilesNeeded }: { readonly areFilesNeeded: boolean },
): ConfigCheck => {
  const text = textOf(bytes);
  if (text === undefined) {
    const fault = { file: path, line: 1, column: 1, path: '', message: 'the file is not UTF-8 text' };
    return { faults: [fault], warnings: [], tree: parseYaml('').tree };
  }
  const check = checkConfig(text, path);
  const findings = namedFiles(check.tree, path).flatMap(fileFindings);
  const told = (isFault: boolean): readonly ConfigFault[] =>
    findings
      .filter((each) => (each.isFault && areFilesNeeded) === isFault)
      .map(({ finding }) => placed(finding, check.tree, path));
  const faults = inFileOrder([...(check.faults ?? []), ...told(true)]);
  const warnings = inFileOrder([...check.warnings, ...told(false)]);
  return faults.length > 0 ? { faults, warnings, tree: check.tree } : { ...check, warnings };
};

const MQTT_FILES = ['passwordFile', 'ca', 'cert', 'key'];
const SECRET_FILES = ['passwordFile', 'key'];

interface NamedFile {
  readonly key: readonly string[];
  readonly file: string;
  /** Throws when the file does not hold what it should; undefined where that is left to whoever uses it. */
  readonly read?: (file: string) => unknown;
}

/** The files that the configuration names, faulty as it may be elsewhere. */
const namedFiles = (tree: YamlTree, path: string): readonly NamedFile[] => {
  const wanted: readonly Omit<NamedFile, 'file'>[] = [
    ...MQTT_FILES.map((key) => ({ key: ['mqtt', key] })),
    { key: ['trust', 'gatewayKeyFile'], read: readPrivateKey },
    ...tree.keys(['trust', 'keys']).map((kid) => ({
      key: ['trust', 'keys', kid, 'publicKeyFile'],
      read: readPublicKey,
    })),
  ];
  return wanted.flatMap((each) => {
    const file = tree.at(each.key);
    return typeof file === 'string' && file !== '' ? [{ ...each, file: resolve(dirname(path), file) }] : [];
  });
};

interface FileFinding {
  readonly isFault: boolean;
  readonly finding: Finding;
}

const READABLE_BY_OTHERS = 0o004;

const fileFindings = ({ key, file, read }: NamedFile): readonly FileFinding[] => {
  const about = (isFault: boolean, message: string): readonly FileFinding[] => [
    { isFault, finding: { path: key, at: 'value', message } },
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

const readBytes = (path: string): Uint8Array => {
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
