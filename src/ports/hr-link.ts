// The link to HR. It delivers each message until it is acknowledged and publishes what the outbox hands it.
// The contract is tested by test/contracts/hr-link.contract.ts on the fake and on real brokers.

export interface InboundMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  /** The broker's retained copy rather than a live delivery. */
  readonly retained: boolean;
}

export interface HrLinkListener {
  /**
   * Called in order of arrival, without waiting for the messages before: the listener keeps the order itself, and may make many
   * durable together. Messages are acknowledged to the broker in order of arrival, each when its promise and those of all before
   * it have fulfilled, on the connection it came by and on no other. When a promise rejects (or the call throws) that message and
   * those behind it are not acknowledged, and the connection is dropped, so that the broker delivers them anew. Messages of the
   * next connection come only when every promise of the earlier ones has settled. Some hundreds of messages and some mebibytes
   * of them are unacknowledged at a time at most; the broker keeps the others.
   */
  onMessage(message: InboundMessage): Promise<void>;
  onConnect(): void;
  /** `reason` in words, without secrets. */
  onDisconnect(reason: string): void;
}

export interface HrLink {
  /** Resolves at once; connects in the background and keeps trying for ever. */
  start(listener: HrLinkListener): void;
  isConnected(): boolean;
  /**
   * Publishes at QoS 1. Resolves when the broker has acknowledged, whenever that is (the message survives reconnects while
   * this process lives). Rejects with CardeaError `link-offline` if not connected at the time of the call: nothing is queued.
   */
  publish(topic: string, payload: string, options?: { readonly retain?: boolean }): Promise<void>;
  /** Drops the connection and connects anew after the usual backoff. */
  reconnect(reason: string): void;
  /**
   * Ends the link without the last will, after `farewell` (retained) has been sent if connected. No message is handed out any
   * more; those under way are waited for, within limits, and acknowledged. Idempotent.
   */
  stop(farewell?: { readonly topic: string; readonly payload: string }): Promise<void>;
}
