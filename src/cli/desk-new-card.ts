// The number of the card that is handed out, and what it shall open: as the command line says, or as whoever sits there answers.

import { gatewaysAnswer, LONGEST_WAIT, type NewEmployee, presentationAnswer } from '../desk-api/contract.ts';
import { CardeaError } from '../errors.ts';
import type { DeskVisit } from './desk-visit.ts';
import { parseTime } from './local-times.ts';

export interface ReaderOptions {
  readonly fromReader?: string | undefined;
  readonly gateway?: string | undefined;
}

export interface AccessOptions {
  /** Separated by commas, semicolons or blanks. */
  readonly doors?: string;
  readonly schedule?: string;
  readonly level?: string;
}

export interface RightsOptions extends AccessOptions {
  readonly from?: string;
  readonly until?: string;
  readonly pending?: boolean;
  readonly overridesLockdown?: boolean;
  readonly extendedRelease?: boolean;
  readonly reused?: boolean;
}

/** The number that is named, or that of the card which is held to the reader. `option` is what names a number. */
export const numberOfNewCard = async (
  visit: DeskVisit,
  {
    named,
    option,
    reader,
  }: { readonly named: string | undefined; readonly option: string; readonly reader: ReaderOptions },
): Promise<string> => {
  const { fromReader, gateway } = reader;
  if (named !== undefined && fromReader !== undefined) {
    throw new CardeaError('invalid-request', `name either ${option} or --from-reader, not both`);
  }
  if (gateway !== undefined && fromReader === undefined) {
    throw new CardeaError('invalid-request', '--gateway says whose reader --from-reader names');
  }
  if (named !== undefined) return named;
  if (fromReader !== undefined) return await numberFromReader(visit, { fromReader, gateway });
  const way = await visit.questions.orAsk<'type' | 'reader'>(undefined, `${option} (or --from-reader)`, (prompts) =>
    prompts.choose('Which card is the new one?', [
      { value: 'reader', text: 'hold it to an enrolment reader' },
      { value: 'type', text: 'type its number' },
    ]),
  );
  if (way === 'reader') return await numberFromReader(visit, reader);
  return await visit.questions.orAsk(undefined, option, (prompts) =>
    prompts.text('Number of the new card:', { check: notEmpty('a card has a number') }),
  );
};

export const notEmpty =
  (complaint: string) =>
  (text: string): string | undefined =>
    text === '' ? complaint : undefined;

const numberFromReader = async (visit: DeskVisit, { fromReader, gateway: named }: ReaderOptions): Promise<string> => {
  const { desk, questions } = visit;
  const gateway = named ?? (await chooseGateway(visit));
  const reader = await questions.orAsk(fromReader, '--from-reader', (prompts) =>
    prompts.text(`Enrolment reader of ${gateway}:`, { check: notEmpty('a reader has a name') }),
  );
  visit.tell(`hold the card to reader ${reader} of gateway ${gateway}, within ${LONGEST_WAIT} seconds`);
  const query = { gateway, reader, wait: LONGEST_WAIT };
  const { card } = await desk.ask(presentationAnswer, { path: '/v1/presentations', query, wait: LONGEST_WAIT });
  visit.tell(`card ${card}`);
  return card;
};

/** The only one that is known, or the one that is chosen. */
const chooseGateway = async ({ desk, questions }: DeskVisit): Promise<string> => {
  const { gateways } = await desk.ask(gatewaysAnswer, { path: '/v1/gateways' });
  const [only] = gateways;
  if (gateways.length === 1 && only !== undefined) return only.gateway;
  return await questions.orAsk(undefined, '--gateway', (prompts) =>
    prompts.choose(
      'At which gateway?',
      gateways.map(({ gateway, isOnline }) => ({ value: gateway, text: isOnline ? gateway : `${gateway} (offline)` })),
    ),
  );
};

/** Undefined where nothing is said of it. Throws CardeaError `invalid-request`. */
export const accessOf = ({ doors, schedule, level }: AccessOptions): NewEmployee['access'] => {
  if (level !== undefined && (doors !== undefined || schedule !== undefined)) {
    throw new CardeaError('invalid-request', 'an access level says which doors and when: name --level alone');
  }
  if (level !== undefined) return [{ level }];
  if (doors === undefined) {
    if (schedule === undefined) return undefined;
    const message = "--schedule says when doors open: name them with --doors beside it ('*' for every door)";
    throw new CardeaError('invalid-request', message);
  }
  const named = doors.split(/[\s;,]+/).filter((door) => door !== '');
  return [{ doors: named, ...(schedule !== undefined && { schedule }) }];
};

/** As a request has them. Throws CardeaError `invalid-request`. */
export const rightsOf = (options: RightsOptions) => {
  const { from, until, pending, overridesLockdown, extendedRelease, reused } = options;
  const access = accessOf(options);
  return {
    ...(access !== undefined && { access }),
    ...(from !== undefined && { validFrom: parseTime(from, '--from', { isEnd: false }) }),
    ...(until !== undefined && { validUntil: parseTime(until, '--until', { isEnd: true }) }),
    ...(pending === true && { isPending: true }),
    ...(overridesLockdown === true && { overridesLockdown: true }),
    ...(extendedRelease === true && { extendedRelease: true }),
    ...(reused === true && { isReused: true }),
  };
};
