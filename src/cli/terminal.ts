// Where the commands print to. What came from elsewhere (names, details) is freed of control characters first, so that nobody
// writes to a technician's terminal but this program.

/** Standard output and error, or a test's stand-in for them. */
export interface Terminal {
  /** Resolves when there is room for more; rejects when nobody reads any more. */
  write(text: string): Promise<void>;
  writeError(text: string): void;
  readonly isInteractive: boolean;
  /** Standard input is a terminal, too: somebody can be asked. */
  readonly canAsk: boolean;
  /** Standard error where it is a terminal, for what draws there; undefined otherwise. */
  readonly errorTerminal: NodeJS.WritableStream | undefined;
  readonly hasColour: boolean;
  /** In characters. */
  readonly width: number;
}

/** Text without characters that move the cursor, change colours or reverse the direction of writing. */
export const plain = (text: string): string => text.replaceAll(/[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu, '\uFFFD');

/** The same for a text of several lines. */
export const plainLines = (text: string): string =>
  text.replaceAll(/\r\n|\n|\r|[^\r\n]+/g, (part) => (part.endsWith('\n') ? part : plain(part)));

/** One line of JSON, without any character that a terminal acts upon. */
export const jsonLine = (value: unknown): string =>
  `${JSON.stringify(value).replaceAll(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )}\n`;
