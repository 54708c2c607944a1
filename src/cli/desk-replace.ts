// `cardea desk replace`: whose card, which one it was, which one it is now, and why; then it is done, and proven.

import type { ReplacementRequest } from '../desk-api/contract.ts';
import { REPLACEMENT_REASONS } from './desk-choices.ts';
import { numberOfNewCard, type ReaderOptions, type RightsOptions, rightsOf } from './desk-new-card.ts';
import { carryOut, type OperationOptions, personText } from './desk-operation.ts';
import { chooseCard, findPerson } from './desk-person.ts';
import { visitDesk } from './desk-visit.ts';
import type { CliSession } from './session.ts';

export interface ReplaceOptions extends OperationOptions, RightsOptions, ReaderOptions {
  readonly newCard?: string;
  readonly oldCard?: string;
  readonly reason?: ReplacementRequest['reason'];
}

export const replaceCard = async (
  named: string | undefined,
  options: ReplaceOptions,
  session: CliSession,
): Promise<void> => {
  const rights = rightsOf(options);
  const visit = await visitDesk(session, options);
  const person = await findPerson(visit, named, 'active');
  const oldCard = options.oldCard ?? (await chooseCard(visit, person, '--old-card'));
  const newCard = await numberOfNewCard(visit, { named: options.newCard, option: '--new-card', reader: options });
  const reason = await visit.questions.orAsk(options.reason, '--reason', (prompts) =>
    prompts.choose(
      'Why?',
      REPLACEMENT_REASONS.map((value) => ({ value, text: value })),
    ),
  );
  const body: ReplacementRequest = {
    cardholder: person.id,
    newCard,
    ...(oldCard !== undefined && { oldCard }),
    reason,
    ...(options.note !== undefined && { note: options.note }),
    ...rights,
  };
  const question = `Replace the card of ${personText(person)}?`;
  await carryOut(visit, { path: '/v1/replacements', body, question }, options);
};
