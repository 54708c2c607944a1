// Acknowledges inbound messages on the connection that they came by, past the client, which would do it one at a time.

import type { Duplex } from 'node:stream';
import type { InboundConnection } from './inbound-queue.ts';

export const inboundConnection = (stream: Duplex): InboundConnection => ({
  isUp: () => stream.writable,
  acknowledge: (packetIds) => {
    stream.write(pubacks(packetIds));
  },
});

/** PUBACKs in the short form that both versions share (3.1.1, 3.4; 5.0, 3.4.2.1: reason code 0 may be left out). */
const pubacks = (packetIds: readonly number[]): Buffer => {
  const bytes = Buffer.allocUnsafe(4 * packetIds.length);
  for (const [index, packetId] of packetIds.entries()) {
    bytes.writeUInt16BE(0x4002, 4 * index);
    bytes.writeUInt16BE(packetId, 4 * index + 2);
  }
  return bytes;
};
