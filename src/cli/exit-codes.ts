// What the exit code of `cardea` means, for scripts. A code is never given another meaning.

import type { ErrorCode } from '../errors.ts';

export const EXIT = {
  /** Done, granted, yes. */
  ok: 0,
  /** Denied, refused, failed, no. */
  no: 1,
  /** The command was not understood. */
  usage: 2,
  /** No gateway, or for `desk` no broker or no desk service, answers. */
  unreachable: 3,
  /** The configuration cannot be read or has faults. */
  config: 4,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** For the help of the root command. */
export const EXIT_CODES_HELP = `Exit codes:
  0  done, granted, yes
  1  denied, refused, failed, no
  2  the command was not understood
  3  no gateway (for desk: no broker, no receipt or no desk service) answers
  4  the configuration cannot be read or has faults`;

export const exitCodeOf = (code: ErrorCode): ExitCode => {
  switch (code) {
    case 'invalid-request':
      return EXIT.usage;
    case 'admin-unreachable':
    case 'link-offline':
    case 'desk-unreachable':
      return EXIT.unreachable;
    case 'config-invalid':
    case 'config-unreadable':
      return EXIT.config;
    default:
      return EXIT.no;
  }
};
