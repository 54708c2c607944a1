// Text to a configuration of whatever kind: YAML, schema, rules between keys. Pure, never throws on any text, tells all faults at once.

import type { z } from 'zod';
import { type ConfigFault, type Finding, type Findings, formatPath, inFileOrder } from './faults.ts';
import { parseYaml } from './parse-yaml.ts';
import type { JsonSchema } from './schema.ts';
import { schemaFindings } from './schema-faults.ts';
import type { YamlTree } from './yaml-tree.ts';

/** What a file of one kind may hold, and what becomes of it. */
export interface ConfigKind<Schema extends z.ZodType, Config> {
  readonly schema: Schema;
  readonly jsonSchema: () => JsonSchema;
  readonly crossCheck: (tree: YamlTree) => Required<Findings>;
  /** `fileName` gives the directory at which relative paths start. */
  readonly toConfig: (file: z.output<Schema>, fileName: string) => Config;
  /** Files that show how it is done, for whoever has an empty one. */
  readonly examples: string;
}

/**
 * `config` exactly when there are no faults. Faults and warnings come in the order of the file; `tree` gives further ones
 * their place.
 */
export type CheckOf<Config> = { readonly warnings: readonly ConfigFault[]; readonly tree: YamlTree } & (
  | { readonly config: Config; readonly faults?: never }
  | { readonly faults: readonly ConfigFault[]; readonly config?: never }
);

/** What is told of one file at most; the last one then says how many more there are. */
const MAX_FAULTS = 100;

/** `fileName` appears in the faults. */
export const checkText = <Schema extends z.ZodType, Config>(
  text: string,
  fileName: string,
  { schema, jsonSchema, crossCheck, toConfig, examples }: ConfigKind<Schema, Config>,
): CheckOf<Config> => {
  const { tree, faults: yamlFaults, isReadable } = parseYaml(text);
  const inYaml = yamlFaults.map(({ offset, path, message }) => ({
    file: fileName,
    ...tree.placeOf(offset),
    path: formatPath(path),
    message,
  }));
  if (!isReadable) return { faults: told(inYaml), warnings: [], tree };
  if (tree.value === null) {
    const message = `the file is empty; ${examples}`;
    return { faults: [{ file: fileName, line: 1, column: 1, path: '', message }], warnings: [], tree };
  }
  const parsed = schema.safeParse(tree.value);
  const cross = crossCheck(tree);
  const warnings = told(cross.warnings.map((finding) => placed(finding, tree, fileName)));
  const findings = [
    ...(parsed.success ? [] : schemaFindings(parsed.error.issues, tree, jsonSchema())),
    ...cross.faults,
  ];
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
