// Every failure the program reports has a code from this catalogue. A code is never reused for something else.

/** code -> what it means, for the reference in `cardea errors` and for reviewers. */
export const ERROR_CODES = {
  'config-unreadable': 'the configuration file could not be read',
  'config-invalid': 'the configuration has faults; each is listed with its place',
  'gpio-unavailable': 'no GPIO chip of the configured kind was found',
  'gpio-line-busy': 'a GPIO line is held by another program',
  'gpio-write-failed': 'a GPIO line could not be driven',
  'spi-unavailable': 'the SPI device could not be opened or configured',
  'spi-transfer-failed': 'the SPI device refused a transfer',
  'hardware-call-unsupported': 'a library tried to drive hardware behind our back',
  'reader-failed': 'a reader could not be started',
  'store-open-failed': 'the store could not be opened',
  'store-locked': 'another process holds the store',
  'store-format': 'the store was written by a version this one cannot read',
  'store-record-unreadable': 'a record in the store does not decode',
  'store-write-failed': 'a write to the store was refused',
  'link-offline': 'the broker is not connected',
  'link-configuration': 'the broker link is configured in a way that cannot work',
  'port-in-use': 'a network port is taken',
  'socket-in-use': 'another gateway answers on the admin socket',
  'admin-unreachable': 'no gateway answers on the admin socket',
  'admin-refused': 'the gateway refused the request',
  'unknown-door': 'no such door here',
  'unknown-reader': 'no such reader here',
  'not-simulated': 'only simulated hardware can be operated from the command line',
  'notify-failed': 'the service manager could not be reached',
  overloaded: 'a queue is full',
  'publish-refused': 'the broker refused a message',
  'unknown-epoch': 'HR does not offer this epoch',
  'unknown-line': 'the door has no such line',
  'invalid-request': 'the gateway could not make sense of a request',
  'request-too-large': 'a request is larger than the gateway takes',
  'timed-out': 'an answer did not come in time',
  'socket-unavailable': 'the admin socket could not be made',
  'internal-error': 'a fault of the program itself; the log tells more',
  'output-closed': 'nobody reads the output any more',
  'gateway-failed': 'the gateway could not go on',
  'key-unusable': 'a key file cannot be read, or what it holds cannot be used',
  'key-exists': 'a key is there already and would be lost',
  'roster-invalid': 'a saved roster contradicts itself, or is restored in a way that gateways could not follow',
  'unknown-zone': 'no such zone here',
  'store-key-unusable': 'the key of the store is missing, unreadable or none',
  'store-key-wrong': 'the key does not open this store',
  'store-damaged': 'what is stored contradicts itself, or a part of it is gone',
  'audit-failed': 'the log is not what was recorded',
  'backup-failed': 'a backup could not be made',
  'backup-invalid': 'a backup is damaged, of another site, or of a newer version',
  'disk-full': 'the disk has less free space than store.minimumFreeMiB',
  'report-failed': 'a report could not be written whole',
  'archive-shared': 'another process writes to the archive of events',
  'desk-failed': 'the desk could not go on',
  'desk-unreachable': 'no desk answers at its URL',
  'desk-refused': 'the desk refused a request',
  cancelled: 'whoever was asked at the terminal ended the command instead of answering',
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export interface ErrorOptions {
  readonly cause?: unknown;
  /** Values that help to find the place; no secrets, no names, no full card numbers. */
  readonly context?: Readonly<Record<string, unknown>>;
}

/** The one error class. The message says what failed, with which value, and what to do. */
export class CardeaError extends Error {
  readonly code: ErrorCode;
  readonly context: Readonly<Record<string, unknown>>;

  constructor(code: ErrorCode, message: string, options: ErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'CardeaError';
    this.code = code;
    this.context = options.context ?? {};
  }
}

/** Text for a person from whatever was thrown. */
export const errorMessage = (error: unknown): string => (error instanceof Error ? error.message : String(error));
