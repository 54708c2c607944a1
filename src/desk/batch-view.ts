// How a batch stands: what became of each line, and what the gateways make of its operation.

import type { StoredBatch } from './batch-records.ts';
import { type Standing, type StandingSources, standingOf } from './operation-standing.ts';
import type { OperationState } from './proof.ts';
import type { BatchLine, BatchOutcome } from './records.ts';
import { turnOfOthers } from './turn-of-others.ts';

/** A line that has been dealt with. */
export interface BatchLineView extends BatchOutcome {
  readonly cardholder: string;
  readonly newCard: string;
  /** Of its operation; null where there is none. */
  readonly state: OperationState | null;
  /** Gateways that have not confirmed it. */
  readonly missing: readonly string[];
  /** Doors that the new card is meant to open and does not, by the receipts; `gateway/door`. */
  readonly closedDoors: readonly string[];
}

export interface BatchView {
  readonly id: string;
  readonly operator: string;
  readonly at: string;
  readonly mode: 'all' | 'good';
  /** `broken`: the desk was restored from a backup meanwhile, and what was not done is not done any more. */
  readonly state: 'running' | 'finished' | 'broken';
  readonly total: number;
  readonly done: number;
  readonly already: number;
  readonly refused: number;
  /** Lines whose operations every gateway has confirmed. */
  readonly confirmed: number;
  readonly finishedAt: string | null;
  readonly lines: readonly BatchLineView[];
}

/** Lines that are looked at in one go. */
const SLICE = 100;

export const isSettled = (state: OperationState): boolean => state === 'confirmed' || state === 'refused';

export const viewOf = async ({ header, lines }: StoredBatch, sources: StandingSources): Promise<BatchView> => {
  const views: BatchLineView[] = [];
  // Lines may be done meanwhile.
  for (const [index, line] of [...lines.values()].entries()) {
    if (index % SLICE === SLICE - 1) await turnOfOthers();
    const view = lineView(line, sources);
    if (view !== undefined) views.push(view);
  }
  const count = (outcome: BatchOutcome['outcome']): number => views.filter((view) => view.outcome === outcome).length;
  const { id, operator, at, mode, total, finishedAt = null, isBroken = false } = header;
  return {
    ...{ id, operator, at, mode, total, finishedAt },
    state: isBroken ? 'broken' : finishedAt === null ? 'running' : 'finished',
    ...{ done: count('done'), already: count('already'), refused: count('refused') },
    confirmed: views.filter(({ state }) => state === 'confirmed').length,
    lines: views,
  };
};

const lineView = ({ row, outcome }: BatchLine, sources: StandingSources): BatchLineView | undefined => {
  if (outcome === undefined) return undefined;
  const { cardholder, newCard } = row;
  const { operation } = outcome;
  const standing: Standing | undefined = operation === null ? undefined : standingOf(operation, sources);
  return {
    ...outcome,
    ...{ cardholder, newCard },
    state: standing?.state ?? null,
    missing: standing?.missing ?? [],
    closedDoors: standing?.closedDoors ?? [],
  };
};
