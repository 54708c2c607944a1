// One change of cards, from what it would do to what the gateways have made of it: shown, confirmed, carried out once, waited for.

import { randomUUID } from 'node:crypto';
import {
  LONGEST_WAIT,
  type OperationView,
  operationView,
  type PreviewAnswer,
  previewAnswer,
} from '../desk-api/contract.ts';
import { columns } from './columns.ts';
import { pathOf } from './desk-client.ts';
import type { ServiceOptions } from './desk-options.ts';
import { isProven, isSettled, newsOf, operationText, validityFacts } from './desk-proof-text.ts';
import type { DeskVisit } from './desk-visit.ts';

export interface OperationOptions extends ServiceOptions {
  readonly note?: string;
  readonly requestId?: string;
  readonly dryRun?: boolean;
  /** Default: where somebody sits at the terminal. */
  readonly wait?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

/** What the desk is asked to do. */
export interface Order {
  readonly path: string;
  readonly body: object;
  /** Asked before it is done. */
  readonly question: string;
  /** What it would do, where the desk has no preview of it. */
  readonly summary?: string;
}

/** How long a desk that answers before its time is left alone, in milliseconds. */
const PAUSE = 1000;

/** Ends with `no` where it was waited for and is not proven. */
export const carryOut = async (visit: DeskVisit, order: Order, options: OperationOptions): Promise<void> => {
  const { desk, questions, session } = visit;
  const { path, body } = order;
  const { requestId = randomUUID(), wait = questions.arePossible } = options;
  if (options.dryRun === true) return await showPreview(visit, order);
  if (questions.arePossible && options.yes !== true) await showPreview(visit, order);
  await questions.confirm(order.question);
  const begun = await desk.ask(operationView, { method: 'POST', path, body, requestId });
  const { id } = begun.operation;
  if (!wait) {
    await visit.print(begun, () => `${operationText(begun)}\nWhether it works: cardea desk confirm ${id} --wait\n`);
    return;
  }
  visit.tell(`${id} is done at the desk; waiting for the gateways (Ctrl-C ends the waiting, not the change)`);
  const view = await waitForProof(visit, id, options.timeout);
  await visit.print(view, () => operationText(view));
  session.conclude(isProven(view));
};

const showPreview = async (visit: DeskVisit, { path, body, summary }: Order): Promise<void> => {
  if (summary !== undefined) return await visit.print({ preview: body }, () => summary);
  const answer = await visit.desk.ask(previewAnswer, { method: 'POST', path, body, query: { preview: true } });
  await visit.print(answer, () => previewText(answer));
};

const previewText = ({ preview }: PreviewAnswer): string => {
  const { cardholder, stoppedCards, newCard, access, doors } = preview;
  return columns([
    ...(cardholder === null ? [] : [['person', personText(cardholder)]]),
    ['stops', stoppedCards.length === 0 ? 'no card' : stoppedCards.join(', ')],
    ...(newCard === null ? [] : [['new card', newCard]]),
    ...(access === null ? [] : [['access', access.map(accessText).join('; ')]]),
    ...(newCard === null ? [] : [['doors', doors.length === 0 ? 'none that is known here' : doors.join(', ')]]),
    ...validityFacts(preview),
  ]);
};

/** `王小明 (E1001), Lab` */
export const personText = ({
  id,
  name,
  department,
}: {
  readonly id: string;
  readonly name: string;
  readonly department?: string | undefined;
}): string => `${name} (${id})${department === undefined ? '' : `, ${department}`}`;

export const accessText = (
  grant: { readonly level: string } | { readonly doors: readonly string[]; readonly schedule?: string | undefined },
): string => ('level' in grant ? `level ${grant.level}` : `${grant.doors.join(', ')} (${grant.schedule ?? 'always'})`);

/** What is proven when that is settled, or after so many seconds. News of gateways is told as it comes where somebody watches. */
export const waitForProof = async (visit: DeskVisit, id: string, timeoutSeconds: number): Promise<OperationView> => {
  const { desk, session, options } = visit;
  const isWatched = session.terminal.errorTerminal !== undefined && options.json !== true;
  const end = performance.now() + timeoutSeconds * 1000;
  let before: OperationView | undefined;
  for (;;) {
    const begun = performance.now();
    const left = Math.max(0, Math.ceil((end - begun) / 1000));
    const wait = Math.min(left, isWatched ? 1 : LONGEST_WAIT);
    const view = await desk.ask(operationView, { path: pathOf`/v1/operations/${id}`, query: { wait }, wait });
    if (isWatched) for (const line of newsOf(view, before)) visit.tell(line);
    if (isSettled(view) || left === 0) return view;
    before = view;
    if (performance.now() - begun < wait * 500) await new Promise((resolve) => setTimeout(resolve, PAUSE));
  }
};
