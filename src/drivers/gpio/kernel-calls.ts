// The handful of system calls that the GPIO character device needs. Node has no ioctl() and no poll(): koffi carries those
// two to libc; it is loaded only when called for, so that a machine without GPIO never loads it.

import { closeSync, openSync, readdirSync, readSync } from 'node:fs';
import { CardeaError } from '../../errors.ts';

/** poll(2) result bits. */
export const POLL = { in: 0x1, error: 0x8, hangUp: 0x10, invalid: 0x20 } as const;

export interface KernelCalls {
  /** Paths of the character devices named gpiochip*, lowest number first. */
  listChips(): readonly string[];
  /** Throws what node:fs throws, with `code`. */
  open(path: string): number;
  close(descriptor: number): void;
  /** Undefined when it succeeded, the name of the errno (`EBUSY`) when not. Reads and writes `argument` in place. */
  ioctl(descriptor: number, request: number, argument: Buffer): string | undefined;
  /** Makes reads return instead of waiting. Undefined when it succeeded, the name of the errno when not. */
  setNonBlocking(descriptor: number): string | undefined;
  /** What is ready now, as bits of POLL; does not wait. Throws CardeaError `gpio-unavailable`. */
  poll(descriptor: number): number;
  /** Number of bytes read, 0 when there are none; throws what node:fs throws. */
  read(descriptor: number, into: Buffer): number;
}

const F_SETFL = 4;
/** O_NONBLOCK on x86 and arm. */
const O_NONBLOCK = 0o4000;
const REVENTS_OFFSET = 6;
const NO_WAIT = 0;

const chipNumber = (name: string): number => Number(name.slice('gpiochip'.length));

/** Reads without data on a non-blocking descriptor. */
const isWouldBlock = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EAGAIN';

const listChips = (): readonly string[] => {
  const names = readdirSync('/dev').filter((name) => /^gpiochip\d+$/.test(name));
  return names.sort((a, b) => chipNumber(a) - chipNumber(b)).map((name) => `/dev/${name}`);
};

const read = (descriptor: number, into: Buffer): number => {
  try {
    return readSync(descriptor, into, 0, into.length, null);
  } catch (error) {
    if (isWouldBlock(error)) return 0;
    throw error;
  }
};

/** Rejects with CardeaError `gpio-unavailable` where libc cannot be called. */
export const loadKernelCalls = async (): Promise<KernelCalls> => {
  if (process.platform !== 'linux') {
    throw new CardeaError('gpio-unavailable', `there is no GPIO on ${process.platform}; set gpio.driver: simulated`);
  }
  const { default: koffi } = await import('koffi').catch((cause: unknown) => {
    throw new CardeaError('gpio-unavailable', 'koffi, which calls the kernel, did not load; run npm ci', { cause });
  });
  const libc = koffi.load(null);
  const ioctl = libc.func('int ioctl(int descriptor, unsigned long request, void *argument)');
  const fcntl = libc.func('int fcntl(int descriptor, int command, long argument)');
  const poll = libc.func('int poll(void *descriptors, unsigned long count, int timeout)');
  const pollfd = Buffer.alloc(8);
  const names = new Map(Object.entries(koffi.os.errno).map(([name, number]) => [number, name]));
  const errno = (): string => names.get(koffi.errno()) ?? `errno ${koffi.errno()}`;

  return {
    listChips,
    open: (path) => openSync(path, 'r+'),
    close: closeSync,
    read,
    ioctl: (descriptor, request, argument) => (Number(ioctl(descriptor, request, argument)) < 0 ? errno() : undefined),
    setNonBlocking: (descriptor) => (Number(fcntl(descriptor, F_SETFL, O_NONBLOCK)) < 0 ? errno() : undefined),
    poll: (descriptor) => {
      pollfd.writeInt32LE(descriptor, 0);
      pollfd.writeInt16LE(POLL.in, 4);
      const ready = Number(poll(pollfd, 1, NO_WAIT));
      if (ready > 0) return pollfd.readInt16LE(REVENTS_OFFSET);
      // A signal may have come in between; the next look tells.
      if (ready === 0 || errno() === 'EINTR') return 0;
      throw new CardeaError('gpio-unavailable', `looking for GPIO edges failed: ${errno()}`);
    },
  };
};
