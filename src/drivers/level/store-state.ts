// What of a store must not go back in silence: how many batches it has taken, and a digest of each part that is one whole.
// The store keeps it among its records, the anchor (anchor.ts) beside them.

import { createHash } from 'node:crypto';
import type { HeldCalendar } from '../../domain/calendar-order.ts';
import type { CommandRecord } from '../../domain/door-command.ts';
import type { DoorOrders } from '../../domain/door-mode.ts';
import type { DoorId } from '../../domain/ids.ts';
import { digestOf, type RosterSummary } from '../../domain/roster-digest.ts';
import type { StoreBatch } from '../../ports/credential-store.ts';
import type { StateParts } from './records.ts';
import * as records from './records.ts';

/** How far the store has got. */
export interface StoreState {
  /** Batches that it has taken. */
  readonly generation: number;
  readonly parts: StateParts;
}

export interface HeldState {
  readonly roster: RosterSummary;
  readonly doorOrders: ReadonlyMap<DoorId, DoorOrders>;
  readonly calendar: HeldCalendar;
  readonly commands: readonly CommandRecord[];
  readonly passageEra: number;
}

export const partsOf = ({ roster, doorOrders, calendar, commands, passageEra }: HeldState): StateParts => ({
  ...rosterParts(roster),
  orders: ordersDigest(doorOrders),
  calendar: calendarDigest(calendar),
  commands: digestOfText(records.encodeCommands(commands)),
  passageEra: String(passageEra),
});

/** As partsOf() what there will be after the batch, without looking at what it leaves alone. */
export const partsAfter = (
  parts: StateParts,
  batch: StoreBatch,
  held: ReadonlyMap<DoorId, DoorOrders>,
): StateParts => ({
  ...parts,
  ...(batch.roster !== undefined && rosterParts(batch.roster)),
  ...(batch.doorOrders.size > 0 && { orders: ordersDigest(new Map([...held, ...batch.doorOrders])) }),
  ...(batch.calendar !== undefined && { calendar: calendarDigest(batch.calendar) }),
  ...(batch.commands !== undefined && { commands: digestOfText(records.encodeCommands(batch.commands)) }),
  ...(batch.passageEra !== undefined && { passageEra: String(batch.passageEra) }),
});

/** Names of the parts that are not the same. */
export const differingParts = (one: StateParts, other: StateParts): readonly string[] =>
  Object.entries(one).flatMap(([part, value]) => (new Map(Object.entries(other)).get(part) === value ? [] : [part]));

const rosterParts = (roster: RosterSummary): Pick<StateParts, 'roster' | 'epochs'> => ({
  roster: digestOfText(records.encodeRoster({ ...roster, digest: digestOf(roster) })),
  epochs: epochsDigest(roster),
});

export const epochsDigest = ({ epoch, pastEpochs }: Pick<RosterSummary, 'epoch' | 'pastEpochs'>): string =>
  digestOfText(JSON.stringify([epoch ?? null, pastEpochs]));

export const ordersDigest = (orders: ReadonlyMap<DoorId, DoorOrders>): string => {
  const lines = [...orders].map(([door, order]) => `${door} ${records.encodeOrders(order)}`);
  return digestOfText(lines.sort().join('\n'));
};

export const calendarDigest = (calendar: HeldCalendar): string =>
  calendar === undefined || calendar === 'unreadable'
    ? String(calendar)
    : digestOfText(records.encodeCalendar(calendar));

export const digestOfText = (text: string): string =>
  createHash('sha256').update(text).digest('base64url').slice(0, 22);
