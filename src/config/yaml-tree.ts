// The values of a YAML file with their places: what stands at a path, and on which line and column.

import type { LineCounter } from 'yaml';
import type { ZodType, z } from 'zod';

/** Stands for the value of an alias: no schema accepts it, and its fault is told already. */
export const ALIASED: unique symbol = Symbol('alias');

/** A value, and what lies below it. Offsets count UTF-16 code units from the beginning of the text. */
export interface Branch {
  /** Undefined for the root. */
  readonly keyOffset: number | undefined;
  readonly valueOffset: number;
  readonly value: unknown;
  /** Of a mapping by key, of a list by number. */
  readonly children: ReadonlyMap<string, Branch>;
}

/** 1-based; columns in UTF-16 code units. */
export interface Place {
  readonly line: number;
  readonly column: number;
}

/** The file's values with their places. */
export class YamlTree {
  readonly #root: Branch;
  readonly #lines: LineCounter;

  constructor(root: Branch, lines: LineCounter) {
    this.#root = root;
    this.#lines = lines;
  }

  /** The file as plain objects, arrays and scalars. */
  get value(): unknown {
    return this.#root.value;
  }

  /** Undefined where nothing stands; null where a key has no value. */
  at(path: readonly string[]): unknown {
    const { branch, isComplete } = this.#find(path);
    return isComplete ? branch.value : undefined;
  }

  /** The keys of the mapping at `path`; none if there is no mapping. */
  keys(path: readonly string[]): readonly string[] {
    const { branch, isComplete } = this.#find(path);
    return isComplete && isBlock(branch.value) ? [...branch.children.keys()] : [];
  }

  /**
   * What stands at `path`, parsed; the schema's default where nothing stands. Undefined where the value, or a block around
   * it, has a fault of its own: then nothing can be said about it.
   */
  read<Schema extends ZodType>(path: readonly string[], schema: Schema): z.output<Schema> | undefined {
    const { branch, isComplete } = this.#find(path);
    if (!isComplete && !isBlock(branch.value)) return undefined;
    const parsed = schema.safeParse(isComplete ? branch.value : undefined);
    return parsed.success ? parsed.data : undefined;
  }

  /** Where the key or the value at `path` stands. What is missing is looked for at the closest block around it. */
  place(path: readonly string[], at: 'key' | 'value'): Place {
    const { branch, isComplete } = this.#find(path);
    const offset = isComplete && at === 'value' ? branch.valueOffset : (branch.keyOffset ?? branch.valueOffset);
    return this.placeOf(offset);
  }

  placeOf(offset: number): Place {
    const { line, col } = this.#lines.linePos(offset);
    return { line, column: col };
  }

  #find(path: readonly string[]): { readonly branch: Branch; readonly isComplete: boolean } {
    let branch = this.#root;
    for (const key of path) {
      const child = branch.children.get(key);
      if (child === undefined) return { branch, isComplete: false };
      branch = child;
    }
    return { branch, isComplete: true };
  }
}

/** A mapping, as opposed to a list or a scalar. */
export const isBlock = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
