// Faults of a configuration file, and how they are told to a person: `file:line:column path: what is wrong, what is allowed`.

/** A fault or a warning, at its place in the file. */
export interface ConfigFault {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** 1-based, in UTF-16 code units. */
  readonly column: number;
  /** Like `doors.front.strike.line`; empty where the fault belongs to no key. */
  readonly path: string;
  /** What is wrong and what is allowed. */
  readonly message: string;
}

/** A fault before it has a place: the path that it is about, and whether it is about the key or about what stands there. */
export interface Finding {
  readonly path: readonly string[];
  readonly at: 'key' | 'value';
  readonly message: string;
}

/** What a rule between keys has to say. Faults keep the gateway from starting; warnings are for the technician to judge. */
export interface Findings {
  readonly faults?: readonly Finding[];
  readonly warnings?: readonly Finding[];
}

export const atKey = (path: readonly string[], message: string): Finding => ({ path, at: 'key', message });
export const atValue = (path: readonly string[], message: string): Finding => ({ path, at: 'value', message });

export const formatFault = ({ file, line, column, path, message }: ConfigFault): string =>
  `${file}:${line}:${column}${path === '' ? '' : ` ${path}`}: ${message}`;

/** The order of the file. */
export const inFileOrder = (faults: readonly ConfigFault[]): readonly ConfigFault[] =>
  faults.toSorted((a, b) => a.line - b.line || a.column - b.column);

const PLAIN_KEY = /^[\w-]{1,64}$/;
const MAX_SHOWN = 40;

/** Keys joined by dots; keys that would not read well that way are quoted and cut. */
export const formatPath = (path: readonly string[]): string =>
  path.map((key) => (PLAIN_KEY.test(key) ? key : showValue(key))).join('.');

/** A value from the file on one short line; credentials in an address are left out. */
export const showValue = (value: unknown): string => {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return value.length === 0 ? 'an empty list' : 'a list';
  if (typeof value === 'object') return 'a block of keys';
  if (typeof value === 'string' && /:\/\/.*@/.test(value)) return 'an address with credentials';
  const shown = typeof value === 'string' ? JSON.stringify(value) : String(value);
  return shown.length <= MAX_SHOWN ? shown : `${shown.slice(0, MAX_SHOWN - 1)}…`;
};
