// The configuration of the desk from its file.

import { dirname, resolve } from 'node:path';
import { parseGatewayId, parseSiteId } from '../domain/ids.ts';
import type { PublicKey } from '../domain/trusted-key.ts';
import { seconds } from '../domain/units.ts';
import { certain } from './certain.ts';
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
import { type CheckOf, type ConfigKind, checkText } from './check-text.ts';
import { deskCrossCheck } from './desk-checks.ts';
import type { DeskConfig, DeskGrant, DeskHttpConfig } from './desk-config.ts';
import { type DeskFile, deskFileSchema, deskJsonSchema } from './desk-schema.ts';
import type { ConfigFault } from './faults.ts';
import { readPublicKey } from './key-files.ts';
import { brokerOf } from './mqtt-config.ts';
import { publicKeyOf } from './public-key-config.ts';
import type { YamlTree } from './yaml-tree.ts';

const SECONDS_PER_MINUTE = 60;
const SECONDS_PER_HOUR = 3600;
const SECONDS_PER_DAY = 86_400;

/**
 * The configuration in the file at `path`. What the link to the broker needs and cannot be read is a warning; certificates of its own
 * and keys of gateways are needed. Throws CardeaError `config-unreadable`, or `config-invalid` with one line per fault in its message.
 */
export const loadDeskConfig = (
  path: string,
): { readonly config: DeskConfig; readonly warnings: readonly ConfigFault[] } => {
  const check = checkDesk({ path, bytes: readConfigBytes(path) }, false);
  return { config: requireValid(check, path), warnings: check.warnings };
};

/** Checks the file at `path` and the files that it names. Throws CardeaError `config-unreadable` only. */
export const checkDeskConfigFile = (path: string): ConfigReport =>
  reportOf(
    checkDesk({ path, bytes: readConfigBytes(path) }, true),
    path,
    ({ gateways, trust }) => `messages ${trust.messages}, ${counted(gateways.length, 'gateway')} with a key`,
  );

/** As the gateway's `checkConfig`. */
export const checkDeskConfig = (text: string, fileName: string): CheckOf<DeskConfig> =>
  checkText(text, fileName, DESK_KIND);

/** By gateway, those in files included. Throws CardeaError `key-unusable`. */
export const gatewayKeys = ({ gateways }: DeskConfig): ReadonlyMap<string, PublicKey> =>
  new Map(
    gateways.map(({ gateway, publicKey, publicKeyFile }) => [gateway, publicKey ?? readPublicKey(publicKeyFile)]),
  );

const checkDesk = (file: ReadFile, areFilesNeeded: boolean): CheckOf<DeskConfig> =>
  checkFile(file, DESK_KIND, { namedFiles, areFilesNeeded });

const namedFiles = (tree: YamlTree): readonly FileKey[] => [
  ...MQTT_FILES,
  ...['cert', 'key'].map((key) => ({ key: ['http', 'tls', key], isNeeded: true })),
  ...tree
    .keys(['gateways'])
    .map((id) => ({ key: ['gateways', id, 'publicKeyFile'], read: readPublicKey, isNeeded: true })),
];

const toDeskConfig = (file: DeskFile, fileName: string): DeskConfig => {
  const directory = dirname(fileName);
  const { retentionDays } = file.events;
  return {
    site: certain(parseSiteId(file.site), 'site'),
    dataDir: file.dataDir,
    cardNumber: file.cardNumber,
    mqtt: brokerOf(file.mqtt, directory),
    trust: file.trust,
    gateways: Object.entries(file.gateways).map(([id, key]) => ({
      gateway: certain(parseGatewayId(id), `gateways.${id}`),
      ...publicKeyOf(key, `gateways.${id}`, directory),
    })),
    http: httpOf(file.http, directory),
    operations: { confirmWithin: seconds(file.operations.confirmWithinMinutes * SECONDS_PER_MINUTE) },
    employees: { access: file.employees.access.map(grantOf) },
    sessions: { lifetime: seconds(file.sessions.hours * SECONDS_PER_HOUR) },
    events: retentionDays === undefined ? {} : { retention: seconds(retentionDays * SECONDS_PER_DAY) },
    log: file.log,
  };
};

const httpOf = ({ host, port, tls }: DeskFile['http'], directory: string): DeskHttpConfig => ({
  host: host.replace(/^\[(.*)\]$/, '$1'),
  port,
  ...(tls !== undefined && { tls: { cert: resolve(directory, tls.cert), key: resolve(directory, tls.key) } }),
});

const grantOf = ({ doors, schedule = 'always', level }: DeskFile['employees']['access'][number]): DeskGrant =>
  level === undefined ? { doors: certain(doors, 'employees.access'), schedule } : { level };

const DESK_KIND: ConfigKind<typeof deskFileSchema, DeskConfig> = {
  schema: deskFileSchema,
  jsonSchema: deskJsonSchema,
  crossCheck: deskCrossCheck,
  toConfig: toDeskConfig,
  examples: 'config/desk.yaml is an example',
};
