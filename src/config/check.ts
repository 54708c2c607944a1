// Text to the configuration of a gateway.

import { type CheckOf, type ConfigKind, checkText } from './check-text.ts';
import type { Config } from './config.ts';
import { crossCheck } from './cross-checks.ts';
import { configJsonSchema, fileSchema } from './schema.ts';
import { toConfig } from './to-config.ts';

export type ConfigCheck = CheckOf<Config>;

export const GATEWAY_KIND: ConfigKind<typeof fileSchema, Config> = {
  schema: fileSchema,
  jsonSchema: configJsonSchema,
  crossCheck,
  toConfig,
  examples: 'config/demo.yaml and config/raspberry-pi.yaml are examples',
};

/** `fileName` appears in the faults, and relative paths of certificates and passwords start at its directory. */
export const checkConfig = (text: string, fileName: string): ConfigCheck => checkText(text, fileName, GATEWAY_KIND);
