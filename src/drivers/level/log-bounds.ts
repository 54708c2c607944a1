// How far the log has got on its way to HR, and where it begins: what is remembered of it beside its records.
//
// 1. trimmed <= acknowledged <= sent <= tail, and none of them goes back.

import { EMPTY_LOG, type LogTail } from '../../domain/access-event.ts';
import type { SequenceRange } from '../../domain/log-chain.ts';
import { CardeaError } from '../../errors.ts';
import type { LogHistory } from '../../ports/event-log.ts';
import { decodeTrimmed, type LogBeginning } from './records.ts';

export class LogBounds {
  sent = 0;
  acknowledged = 0;
  trimmed: LogTail = EMPTY_LOG;
  /** Numbers that no event has. */
  gap: SequenceRange | undefined;

  /**
   * Takes up what was stored, of a log that ends with `tail`. A cursor that this process has moved is not moved back: what was
   * acknowledged is not sent again, whether or not the disk took it. Throws CardeaError `store-record-unreadable`.
   */
  load(stored: { readonly cursors: string | undefined; readonly trimmed: string | undefined }, tail: number): void {
    const { sequence, hash, gap }: LogBeginning =
      stored.trimmed === undefined ? EMPTY_LOG : decodeTrimmed(stored.trimmed);
    this.trimmed = { sequence, hash };
    if (gap?.from !== this.gap?.from) this.gap = gap;
    const [sent = 0, acknowledged = sent] = (stored.cursors ?? '0').split(' ').map(cursorOf);
    const atMost = (cursor: number): number => Math.min(cursor, tail);
    this.acknowledged = atMost(Math.max(this.acknowledged, acknowledged, this.trimmed.sequence));
    // A cursor beyond the end would keep the next events from being sent.
    this.sent = atMost(Math.max(this.sent, sent, this.acknowledged));
  }

  moveSent(sequence: number): void {
    this.sent = Math.max(this.sent, sequence);
  }

  moveAcknowledged(sequence: number): void {
    this.acknowledged = Math.max(this.acknowledged, sequence);
    this.moveSent(sequence);
  }

  /** Whether the log still begins where the history was to end. */
  takes(history: LogHistory | undefined): boolean {
    return (history?.first ?? this.trimmed.sequence + 1) === this.trimmed.sequence + 1;
  }

  /** History that was restored stands before the log now, or another log in its place. */
  adopt({ trimmed, replacing }: LogHistory): void {
    this.trimmed = trimmed;
    if (replacing === undefined) return;
    this.gap = replacing.gap;
    this.sent = replacing.acknowledgedUpTo;
    this.acknowledged = replacing.acknowledgedUpTo;
  }

  /** As it is stored, for a log that begins after `trimmed`. */
  beginningAfter(trimmed: LogTail, gap = this.gap): LogBeginning {
    return { ...trimmed, ...(gap !== undefined && { gap }) };
  }

  /** One number where both are the same, as it was before there were two. */
  get cursors(): string {
    return this.sent === this.acknowledged ? String(this.sent) : `${this.sent} ${this.acknowledged}`;
  }
}

const cursorOf = (text: string): number => {
  const cursor = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(cursor)) return cursor;
  throw new CardeaError('store-record-unreadable', `the store's outbox cursor "${text}" does not decode`);
};
