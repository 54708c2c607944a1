// Limits what the broker keeps in memory for one session that is away or does not acknowledge. What comes on top is dropped
// for that session, newest first, as other brokers do; the roster digest and the event outbox make up for it.

import { CardeaError } from '../../errors.ts';

export interface QueueLimits {
  /** Most messages kept for one session. */
  readonly messages: number;
  /** Most bytes of topics and payloads kept for one session. */
  readonly bytes: number;
}

interface QueuedPacket {
  readonly topic?: string;
  readonly payload?: string | Uint8Array;
}

/** The part of aedes's persistence interface that fills and empties the sessions' queues. */
interface SessionQueues {
  outgoingEnqueueCombi(subscriptions: readonly { readonly clientId: string }[], packet: QueuedPacket): Promise<void>;
  /** Fulfils with the packet that was removed, if there was one. */
  outgoingClearMessageId(client: { readonly id: string }, packet: object): Promise<QueuedPacket | undefined>;
}

const isSessionQueues = (value: unknown): value is SessionQueues =>
  typeof value === 'object' &&
  value !== null &&
  'outgoingEnqueueCombi' in value &&
  typeof value.outgoingEnqueueCombi === 'function' &&
  'outgoingClearMessageId' in value &&
  typeof value.outgoingClearMessageId === 'function';

/** `onDrop` hears of the first message dropped since the session's queue last had room. Throws when aedes has no such queues. */
export const limitQueues = (broker: object, limits: QueueLimits, onDrop: (clientId: string) => void): void => {
  const queues: unknown = 'persistence' in broker ? broker.persistence : undefined;
  if (!isSessionQueues(queues)) {
    throw new CardeaError(
      'link-configuration',
      'This version of aedes keeps its queues elsewhere; use the version that package.json names.',
    );
  }
  const enqueue = queues.outgoingEnqueueCombi.bind(queues);
  const clear = queues.outgoingClearMessageId.bind(queues);
  const kept = new Map<string, { messages: number; bytes: number; isDropping: boolean }>();

  const hasRoom = (clientId: string, size: number): boolean => {
    const queue = kept.get(clientId) ?? { messages: 0, bytes: 0, isDropping: false };
    kept.set(clientId, queue);
    if (queue.messages >= limits.messages || queue.bytes + size > limits.bytes) {
      if (!queue.isDropping) onDrop(clientId);
      queue.isDropping = true;
      return false;
    }
    queue.messages += 1;
    queue.bytes += size;
    queue.isDropping = false;
    return true;
  };

  queues.outgoingEnqueueCombi = (subscriptions, packet) =>
    enqueue(
      subscriptions.filter(({ clientId }) => hasRoom(clientId, sizeOf(packet))),
      packet,
    );
  queues.outgoingClearMessageId = async (client, packet) => {
    const removed = await clear(client, packet);
    const queue = kept.get(client.id);
    if (removed !== undefined && queue !== undefined) {
      queue.messages -= 1;
      queue.bytes -= sizeOf(removed);
      if (queue.messages === 0) kept.delete(client.id);
    }
    return removed;
  };
};

const sizeOf = ({ topic = '', payload = '' }: QueuedPacket): number => topic.length + payload.length;
