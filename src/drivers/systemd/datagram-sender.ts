// A Unix datagram socket for sending to one address. Node has none; koffi calls libc. Sending never waits. The address is looked
// up for each datagram, as sd_notify(3) does: the receiver may have been replaced since.

import { closeSync } from 'node:fs';
import { CardeaError } from '../../errors.ts';

export interface DatagramSender {
  /** Sends one datagram; false when it could not be sent. Never throws, never waits. */
  send(text: string): boolean;
  /** Idempotent; nothing is sent afterwards. */
  close(): void;
}

const AF_UNIX = 1;
/** On x86 and arm. */
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** sizeof(sockaddr_un.sun_path) */
const PATH_BYTES = 108;

/** struct sockaddr_un of unix(7). A leading @ stands for the zero byte of an abstract name, which is not terminated by another. */
export const unixAddress = (name: string): Buffer => {
  const isAbstract = name.startsWith('@');
  const path = Buffer.from(isAbstract ? `\0${name.slice(1)}` : `${name}\0`);
  if (path.length > PATH_BYTES) {
    throw new CardeaError('notify-failed', `the socket name ${name} is longer than ${PATH_BYTES - 1} bytes`);
  }
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, path]);
};

/** `name`: a path, or an abstract name after @. Rejects with CardeaError `notify-failed`. */
export const openDatagramSender = async (name: string): Promise<DatagramSender> => {
  const address = unixAddress(name);
  const { default: koffi } = await import('koffi');
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const sendto = libc.func(
    'long sendto(int descriptor, void *data, size_t length, int flags, void *address, unsigned int addressLength)',
  );

  const descriptor = Number(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (descriptor < 0) throw new CardeaError('notify-failed', `no socket for ${name}: errno ${koffi.errno()}`);

  let isOpen = true;
  return {
    send: (text) => {
      const data = Buffer.from(text);
      if (!isOpen) return false;
      const flags = MSG_DONTWAIT | MSG_NOSIGNAL;
      return Number(sendto(descriptor, data, data.length, flags, address, address.length)) === data.length;
    },
    close: () => {
      if (isOpen) closeSync(descriptor);
      isOpen = false;
    },
  };
};
