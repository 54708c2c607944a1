// What the gateway asks of its output lines that are no strikes: LEDs and buzzers at the readers, reset pins. Polarity is the
// driver's business. The contract is tested by test/contracts/signal-lines.contract.ts on every implementation.

/** How one output is wired. */
export interface SignalLine {
  /** What it is called in setOutput and in messages. */
  readonly name: string;
  /** BCM number. */
  readonly line: number;
  readonly activeLow: boolean;
}

export interface SignalLines {
  /**
   * Switches an output on or off: synchronous, and done when it returns. Every output is off after the doors' open(), makeSafe()
   * and close(). Throws CardeaError `gpio-write-failed`, also while the lines are not open or were made safe, and
   * `unknown-line` for a name that is not configured.
   */
  setOutput(name: string, active: boolean): void;
}
