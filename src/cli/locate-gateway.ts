// Which configuration file a command means, and where that gateway's admin socket is.

import { existsSync, readFileSync } from 'node:fs';
import { CardeaError, errorMessage } from '../errors.ts';

export const SYSTEM_CONFIG = '/etc/cardea/cardea.yaml';
export const DEMO_CONFIG = './config/demo.yaml';

export const CONFIG_HELP = `configuration file (default: $CARDEA_CONFIG, else ${SYSTEM_CONFIG}, else ${DEMO_CONFIG})`;

/** Throws CardeaError `config-unreadable` when none is named and none is found. */
export const configPath = (named: string | undefined, env: Readonly<Record<string, string | undefined>>): string => {
  if (named !== undefined) return named;
  const fromEnvironment = env['CARDEA_CONFIG'];
  if (fromEnvironment !== undefined && fromEnvironment !== '') return fromEnvironment;
  const found = [SYSTEM_CONFIG, DEMO_CONFIG].find((path) => existsSync(path));
  if (found !== undefined) return found;
  throw new CardeaError(
    'config-unreadable',
    `there is neither ${SYSTEM_CONFIG} nor ${DEMO_CONFIG}: name a configuration with --config FILE or $CARDEA_CONFIG`,
  );
};

/**
 * The admin socket in the file at `path`. Faults elsewhere in the file do not matter: a gateway that runs must be reachable while
 * its configuration is being edited. Throws CardeaError `config-unreadable` or `config-invalid`.
 */
export const socketIn = async (path: string): Promise<string> => {
  const { parseYaml } = await import('../config/parse-yaml.ts');
  const socket = parseYaml(readText(path)).tree.at(['admin', 'socket']);
  if (typeof socket === 'string' && socket !== '') return socket;
  // Not named there, or the file is not even YAML: the whole schema decides.
  const { loadConfig } = await import('../config/load.ts');
  return loadConfig(path).config.admin.socket;
};

const readText = (path: string): string => {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw new CardeaError(
      'config-unreadable',
      `cannot read the configuration ${path}: ${errorMessage(error)}; name another with --config, or the socket with --socket`,
      { cause: error },
    );
  }
};
