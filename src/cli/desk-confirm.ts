// `cardea desk confirm` and `desk operations`: what the gateways have made of a change.

import { type OperationView, operationsAnswer, operationView } from '../desk-api/contract.ts';
import { pathOf } from './desk-client.ts';
import { waitForProof } from './desk-operation.ts';
import { type PageOptions, pageOf, type ServiceOptions } from './desk-options.ts';
import { isProven, operationsText, operationText } from './desk-proof-text.ts';
import { visitDesk } from './desk-visit.ts';
import type { CliSession } from './session.ts';

export interface ConfirmOptions extends ServiceOptions {
  readonly wait?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

export interface OperationsOptions extends PageOptions {
  readonly state?: OperationView['proof']['state'];
  readonly cardholder?: string;
  readonly card?: string;
}

/** Ends with `no` unless every gateway has confirmed and every door opens that should; those that lag are named. */
export const confirmOperation = async (id: string, options: ConfirmOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const path = pathOf`/v1/operations/${id}`;
  const view =
    options.wait === true
      ? await waitForProof(visit, id, options.timeout)
      : await visit.desk.ask(operationView, { path });
  session.conclude(isProven(view));
  await visit.print(view, () => operationText(view));
  for (const line of shortcomings(view)) visit.tell(line);
};

const shortcomings = ({ operation, proof }: OperationView): readonly string[] => {
  const { state, missing, closedDoors } = proof;
  const isMissing = state !== 'confirmed';
  return [
    ...(isMissing && missing.length > 0 ? [`not confirmed by ${missing.join(', ')}`] : []),
    ...(isMissing && missing.length === 0 ? ['no gateway has confirmed it: none is known to the desk'] : []),
    ...(closedDoors.length > 0 ? [`card ${operation.newCard ?? ''} does not open ${closedDoors.join(', ')}`] : []),
  ];
};

export const listOperations = async (options: OperationsOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const { state, cardholder, card } = options;
  const query = { state, cardholder, card, ...pageOf(options) };
  const answer = await visit.desk.ask(operationsAnswer, { path: '/v1/operations', query });
  await visit.print(answer, () => operationsText(answer));
};
