// Records of a backup as they come out of its file: checked as those of the store are.

import { isUsable } from '../../domain/calendar-order.ts';
import { parseCardholderId, parseDoorId } from '../../domain/ids.ts';
import type { SnapshotRecord } from '../../ports/store-snapshot.ts';
import { isCalendarRecord, isDoorOrders, isLogEntry, isStoredCard, isWatermark } from './records.ts';

export const isSnapshotRecord = (value: unknown): boolean => parseSnapshotRecord(value) !== undefined;

/** Undefined for what is no such record. */
export const parseSnapshotRecord = (value: unknown): SnapshotRecord | undefined => {
  if (typeof value !== 'object' || value === null) return undefined;
  const { kind, ...members } = Object.fromEntries(Object.entries(value));
  const text = (name: string): string => String(members[name] ?? '');
  switch (kind) {
    case 'calendar': {
      const { calendar } = members;
      return isCalendarRecord(calendar) && isUsable(calendar) ? { kind, calendar } : undefined;
    }
    case 'orders': {
      const { orders } = members;
      const door = parseDoorId(text('door'));
      return door !== undefined && isDoorOrders(orders) ? { kind, door, orders } : undefined;
    }
    case 'watermark': {
      const { watermark } = members;
      const cardholder = parseCardholderId(text('cardholder'));
      return cardholder !== undefined && isWatermark(watermark) ? { kind, cardholder, watermark } : undefined;
    }
    case 'card': {
      const stored = { number: members['card'], record: members['record'] };
      return isStoredCard(stored) ? { kind, card: stored.number, record: stored.record } : undefined;
    }
    case 'event': {
      const { entry } = members;
      return isLogEntry(entry) ? { kind, entry } : undefined;
    }
    default:
      return undefined;
  }
};
