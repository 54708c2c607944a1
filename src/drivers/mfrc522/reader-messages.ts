// What the polling worker and the main thread say to each other, and what the worker is given.

import type { CardObservation, ReaderCondition } from '../../ports/card-reader.ts';
import type { RxGainDb } from './registers.ts';
import type { SpiCounters } from './spi-bus.ts';

/** What the polling loop has to say, in order. */
export type PollReport =
  | { readonly kind: 'observation'; readonly observation: CardObservation }
  | { readonly kind: 'condition'; readonly condition: ReaderCondition }
  /** Works, but somebody should know. */
  | { readonly kind: 'warning'; readonly detail: string }
  /** Please pulse the reset line, if there is one; nothing waits for it. */
  | { readonly kind: 'pulse-reset' };

export type FromWorker =
  | { readonly kind: 'running' }
  /** One turn is over: the sign of life. */
  | { readonly kind: 'turn'; readonly reports: readonly PollReport[]; readonly counters: SpiCounters };

export type ToWorker = 'stop';

export interface ReaderWorkerData {
  readonly device: string;
  readonly speedHz: number;
  readonly rxGainDb: RxGainDb;
  readonly pollMilliseconds: number;
}
