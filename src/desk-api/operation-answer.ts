// The answer to a request that changes cards: the operation, and how it stands.

import type { Desk, OperationView } from '../desk/desk.ts';
import type { Operation } from '../desk/records.ts';
import type { Outcome } from '../desk/refusal.ts';
import { found, resultOf } from './problems.ts';

/** As much of a reply as this takes. */
export interface StatusReply {
  code(status: 200 | 201): unknown;
  header(name: string, value: string): unknown;
}

/** 201, or 200 where the same request was carried out before. */
export const operationAnswer = async (
  outcome: Outcome<Operation>,
  reply: StatusReply,
  desk: Desk,
): Promise<OperationView> => {
  const { id } = resultOf(outcome);
  reply.code(outcome.kind === 'done' && outcome.isRepeated ? 200 : 201);
  reply.header('location', `/v1/operations/${id}`);
  return viewOf(id, desk);
};

export const viewOf = async (id: string, desk: Desk): Promise<OperationView> =>
  found(await desk.operation(id), 'unknown-operation', `an operation ${id}`);
