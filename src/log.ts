// pino set-up: one line of JSON per record on standard output, child loggers per component, card numbers and names kept out.

import { type LoggerOptions, pino } from 'pino';

export interface Log {
  trace(fields: object, message: string): void;
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
  fatal(fields: object, message: string): void;
  child(bindings: Record<string, unknown>): Log;
}

export type LogLevel = 'fatal' | 'error' | 'warn' | 'info' | 'debug' | 'trace' | 'silent';

const OPTIONS: LoggerOptions = {
  base: null,
  timestamp: pino.stdTimeFunctions.isoTime,
  formatters: { level: (label) => ({ level: label }) },
  redact: {
    paths: ['card', '*.card', 'uid', '*.uid', 'name', '*.name', 'cardholder.name', 'password', '*.password', 'payload'],
    censor: (value, path) => (path.at(-1) === 'card' || path.at(-1) === 'uid' ? maskCard(value) : '[redacted]'),
  },
};

/** Keeps the first and last two digits, enough to tell two cards apart in a log, too few to copy one. */
export const maskCard = (value: unknown): string => {
  const text = String(value);
  return text.length <= 4
    ? '*'.repeat(text.length)
    : `${text.slice(0, 2)}${'*'.repeat(text.length - 4)}${text.slice(-2)}`;
};

/** What waits for a reader of standard output that does not read; beyond it records are dropped, doors come first. */
const MAX_WAITING_BYTES = 1024 * 1024;

/**
 * Writing never blocks: a full pipe, a hung journal or Ctrl-S on a terminal must not keep a strike from relocking. What waits is
 * written at exit.
 */
export const createLog = (level: LogLevel): Log =>
  pino({ ...OPTIONS, level }, pino.destination({ fd: 1, sync: false, maxLength: MAX_WAITING_BYTES }));
