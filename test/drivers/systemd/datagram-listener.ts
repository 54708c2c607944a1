// A Unix datagram socket that listens, as systemd does at $NOTIFY_SOCKET; Node has none, so libc is called here too.

import assert from 'node:assert/strict';
import { closeSync } from 'node:fs';
import koffi from 'koffi';
import { unixAddress } from '../../../src/drivers/systemd/datagram-sender.ts';

export interface DatagramListener {
  /** The next datagram; undefined when none is there. */
  receive(): string | undefined;
  close(): void;
}

export const listenForDatagrams = (name: string): DatagramListener => {
  const libc = koffi.load(null);
  const socket = libc.func('int socket(int domain, int type, int protocol)');
  const bind = libc.func('int bind(int descriptor, void *address, unsigned int length)');
  const recv = libc.func('long recv(int descriptor, void *data, size_t length, int flags)');
  const descriptor = Number(socket(1, 2, 0));
  assert.ok(descriptor >= 0);
  const address = unixAddress(name);
  assert.equal(Number(bind(descriptor, address, address.length)), 0, `bind to ${name}`);
  const buffer = Buffer.alloc(4096);
  return {
    receive: () => {
      const dontWait = 0x40;
      const length = Number(recv(descriptor, buffer, buffer.length, dontWait));
      return length < 0 ? undefined : buffer.toString('utf8', 0, length);
    },
    close: () => closeSync(descriptor),
  };
};
