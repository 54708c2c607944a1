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
   * Called for one message after another, in order of arrival. The message is acknowledged to the broker when the promise
   * fulfils. When it rejects (or throws) nothing is acknowledged and the connection is dropped, so that the broker delivers anew.
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
  /** Ends the link without the last will, after `farewell` (retained) has been sent if connected. Idempotent. */
  stop(farewell?: { readonly topic: string; readonly payload: string }): Promise<void>;
}
