// Which configuration a gateway runs with, as its log names it.

/** A configuration file as it was read. */
export interface ConfigurationFile {
  readonly file: string;
  /** Lower-case hex, of its bytes. */
  readonly sha256: string;
}
