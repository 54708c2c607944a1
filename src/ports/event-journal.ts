// Where HR keeps the events of its gateways, one line each, in the order in which they were stored.

export interface EventJournal {
  /** What is stored, from the first line on. Rejects with the system's error. */
  lines(): AsyncIterable<string>;
  /**
   * Stores lines, none of which has a line break, behind those that are there. When the promise fulfils, a power cut no longer
   * undoes it; when it rejects, none of them is there. One at a time.
   */
  append(lines: readonly string[]): Promise<void>;
  close(): Promise<void>;
}
