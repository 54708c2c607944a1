// ServiceNotifier that remembers what it was told.

import type { Milliseconds } from '../../src/domain/units.ts';
import type { ServiceNotifier } from '../../src/ports/service-notifier.ts';

export type Notification =
  | { readonly kind: 'starting' | 'ready' | 'status'; readonly text: string }
  | { readonly kind: 'alive' | 'stopping' | 'close' };

export class FakeServiceNotifier implements ServiceNotifier {
  readonly notifications: Notification[] = [];
  readonly watchdogInterval: Milliseconds | undefined;

  constructor({ watchdogInterval }: { readonly watchdogInterval?: Milliseconds } = {}) {
    this.watchdogInterval = watchdogInterval;
  }

  starting(text: string): void {
    this.notifications.push({ kind: 'starting', text });
  }

  ready(text: string): void {
    this.notifications.push({ kind: 'ready', text });
  }

  status(text: string): void {
    this.notifications.push({ kind: 'status', text });
  }

  alive(): void {
    this.notifications.push({ kind: 'alive' });
  }

  stopping(): void {
    this.notifications.push({ kind: 'stopping' });
  }

  close(): void {
    this.notifications.push({ kind: 'close' });
  }

  /** How often `alive` arrived. */
  get heartbeats(): number {
    return this.notifications.filter(({ kind }) => kind === 'alive').length;
  }
}
