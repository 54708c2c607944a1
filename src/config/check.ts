// Text to configuration: YAML, schema, rules between keys. Pure, never throws on any text, tells all faults at once.

import type { Config } from './config.ts';
import { crossCheck } from './cross-checks.ts';
import { type ConfigFault, type Finding, formatPath, inFileOrder } from './faults.ts';
import { parseYaml } from './parse-yaml.ts';
import { fileSchema } from './schema.ts';
import { schemaFindings } from './schema-faults.ts';
import { toConfig } from './to-config.ts';
import type { YamlTree } from './yaml-tree.ts';

/**
 * `config` exactly when there are no faults. Faults and warnings come in the order of the file; `tree` gives further ones
 * their place.
 */
export type ConfigCheck = { readonly warnings: readonly ConfigFault[]; readonly tree: YamlTree } & (
  | { readonly config: Config; readonly faults?: never }
  | { readonly faults: readonly ConfigFault[]; readonly config?: never }
);

/** What is told of one file at most; the last one then says how many more there are. */
const MAX_FAULTS = 100;

/** `fileName` appears in the faults, and relative paths of certificates and passwords start at its directory. */
export const checkConfig = (text: string, fileName: string): ConfigCheck => {
  const { tree, faults: yamlFaults, isReadable } = parseYaml(text);
  const inYaml = yamlFaults.map(({ offset, path, message }) => ({
    file: fileName,
    ...tree.placeOf(offset),
    path: formatPath(path),
    message,
  }));
  if (!isReadable) return { faults: told(inYaml), warnings: [], tree };
  if (tree.value === null) {
    const message = 'the file is empty; config/demo.yaml and config/raspberry-pi.yaml are examples';
    return { faults: [{ file: fileName, line: 1, column: 1, path: '', message }], warnings: [], tree };
  }
  const parsed = fileSchema.safeParse(tree.value);
  const cross = crossCheck(tree);
  const warnings = told(cross.warnings.map((finding) => placed(finding, tree, fileName)));
  const findings = [...(parsed.success ? [] : schemaFindings(parsed.error.issues, tree)), ...cross.faults];
  const faults = [...inYaml, ...findings.map((finding) => placed(finding, tree, fileName))];
  if (parsed.success && faults.length === 0) return { config: toConfig(parsed.data, fileName), warnings, tree };
  return { faults: told(faults), warnings, tree };
};

/** A finding at its line and column. */
export const placed = ({ path, at, message }: Finding, tree: YamlTree, file: string): ConfigFault => ({
  file,
  ...tree.place(path, at),
  path: formatPath(path),
  message,
});

const told = (faults: readonly ConfigFault[]): readonly ConfigFault[] => {
  const ordered = inFileOrder(faults);
  const last = ordered[MAX_FAULTS];
  if (last === undefined) return ordered;
  return [
    ...ordered.slice(0, MAX_FAULTS),
    { ...last, path: '', message: `and ${ordered.length - MAX_FAULTS} more like these` },
  ];
};
