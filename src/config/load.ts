// The configuration of a gateway from its file.

import { sha256Hex } from '../domain/canonical-json.ts';
import type { ConfigurationFile } from '../domain/configuration-file.ts';
import { type ConfigCheck, GATEWAY_KIND } from './check.ts';
import {
  type ConfigReport,
  checkFile,
  counted,
  type FileKey,
  MQTT_FILES,
  type ReadFile,
  readConfigBytes,
  reportOf,
  requireValid,
} from './check-file.ts';
import type { Config } from './config.ts';
import type { ConfigFault } from './faults.ts';
import { readPrivateKey, readPublicKey } from './key-files.ts';
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
  const bytes = readConfigBytes(path);
  const check = checkGateway({ path, bytes }, false);
  return {
    config: requireValid(check, path),
    file: { file: path, sha256: sha256Hex(bytes) },
    warnings: check.warnings,
  };
};

/** Checks the file at `path` and the files that it names. Throws CardeaError `config-unreadable` only. */
export const checkConfigFile = (path: string): ConfigReport =>
  reportOf(
    checkGateway({ path, bytes: readConfigBytes(path) }, true),
    path,
    ({ doors, readers, trust }) =>
      `${counted(doors.length, 'door')}, ${counted(readers.length, 'reader')}, ${believed(trust)}`,
  );

const believed = ({ messages, keys }: Config['trust']): string =>
  messages === 'unsigned' ? 'unsigned messages are believed' : `messages signed with ${counted(keys.length, 'key')}`;

const checkGateway = (file: ReadFile, areFilesNeeded: boolean): ConfigCheck =>
  checkFile(file, GATEWAY_KIND, { namedFiles, areFilesNeeded });

const namedFiles = (tree: YamlTree): readonly FileKey[] => [
  ...MQTT_FILES,
  { key: ['trust', 'gatewayKeyFile'], read: readPrivateKey },
  ...tree.keys(['trust', 'keys']).map((kid) => ({ key: ['trust', 'keys', kid, 'publicKeyFile'], read: readPublicKey })),
];
