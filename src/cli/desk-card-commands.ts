// The commands of the desk service for cards: replaced, bound, lost, found, stopped; one at a time or many; and the proof of it.

import { type Command, Option } from 'commander';
import { REVOCATION_REASONS } from '../domain/credential.ts';
import type { BatchOptions } from './desk-batch.ts';
import type { BindingOptions, LossOptions, ReinstatementOptions, RevocationOptions } from './desk-card.ts';
import { LOSS_REASONS, OPERATION_STATES, REPLACEMENT_REASONS } from './desk-choices.ts';
import type { ConfirmOptions, OperationsOptions } from './desk-confirm.ts';
import {
  type PageOptions,
  parseSeconds,
  type ServiceOptions,
  withAccess,
  withPages,
  withService,
  withYes,
} from './desk-options.ts';
import type { ReplaceOptions } from './desk-replace.ts';
import type { CliSession } from './session.ts';

export const PERSON_HELP = 'id of the person, or at a terminal a part of the name; left out, you are asked';

const OPERATION_HELP = `
At a terminal you are asked for what is missing, and before it is done. It is done once for each --request-id, however often it is sent.
Exits 0 when the desk has done it, and after waiting only when every gateway has confirmed and every door opens that should, 1
otherwise, 3 when no desk answers.`;

const CONFIRM_HELP = `
Exits 0 when every gateway has confirmed the change, and the new card opens every door that it should, by the gateways' own receipts; 1
otherwise, and names the gateways and doors; 3 when no desk answers.`;

const BATCH_HELP = `
CSV in UTF-8 with a head: cardholder, new_card, reason (${REPLACEMENT_REASONS.join(', ')}), and optionally old_card and note. All
lines are tried out before the first is done, and faults are told with their lines. The same file again is the same batch: no line
is done twice. Exits 0 only when every line is done, with --wait only when every gateway has confirmed each.`;

const WAIT_SECONDS = 300;

export const addDeskCardCommands = (desk: Command, session: CliSession): void => {
  withRights(withReader(withOperation(desk.command('replace'))), 'what the old card opened')
    .description('replace a card: the old one stops and the new one opens in the same instant')
    .argument('[person]', PERSON_HELP)
    .option('--new-card <number>', "card number in the site's format")
    .option('--old-card <number>', 'which card it replaces (default: the only one)')
    .addOption(new Option('--reason <reason>', 'why').choices(REPLACEMENT_REASONS))
    .action(async (person: string | undefined, options: ReplaceOptions) => {
      const { replaceCard } = await import('./desk-replace.ts');
      await replaceCard(person, options, session);
    });
  withOperation(desk.command('report-loss'))
    .description('a card is lost or stolen: it stops at once, and may come back with cardea desk card reinstate')
    .argument('[person]', PERSON_HELP)
    .option('--card <number>', 'the card itself, instead of the person')
    .addOption(new Option('--reason <reason>', 'what happened').choices(LOSS_REASONS))
    .action(async (person: string | undefined, options: LossOptions) => {
      const { reportLoss } = await import('./desk-card.ts');
      await reportLoss(person, options, session);
    });
  const card = desk
    .command('card')
    .description('look a card up, bind one, bring one back, stop one, by the desk service');
  addCardLookUps(card, session);
  addCardBindings(card, session);
  addCardEndings(card, session);
  addProofCommands(desk, session);
  addBatchCommand(desk, session);
};

const addCardLookUps = (card: Command, session: CliSession): void => {
  withService(card.command('show'))
    .description('show whose card it is, what it opens and where it was used; exits 1 when it opens nothing')
    .argument('<number>', "card number in the site's format")
    .action(async (number: string, options: ServiceOptions) => {
      const { showCard } = await import('./desk-card.ts');
      await showCard(number, options, session);
    });
  withPages(card.command('history'))
    .description('show what was done with a card, and its latest taps')
    .argument('<number>', "card number in the site's format")
    .action(async (number: string, options: PageOptions) => {
      const { showCardHistory } = await import('./desk-card.ts');
      await showCardHistory(number, options, session);
    });
};

const addCardBindings = (card: Command, session: CliSession): void => {
  const CARD_HELP = "card number in the site's format; left out with --from-reader";
  withRights(withReader(withOperation(card.command('bind'))))
    .description('give a person a card, the first or one more')
    .argument('[person]', PERSON_HELP)
    .argument('[card]', CARD_HELP)
    .action(async (person: string | undefined, number: string | undefined, options: BindingOptions) => {
      const { bindCard } = await import('./desk-card.ts');
      await bindCard({ person, card: number }, options, session);
    });
  withRights(withReader(withOperation(card.command('temporary'))))
    .description('give a person one more card, until a time')
    .argument('[person]', PERSON_HELP)
    .argument('[card]', CARD_HELP)
    .action(async (person: string | undefined, number: string | undefined, options: BindingOptions) => {
      const { lendCard } = await import('./desk-card.ts');
      await lendCard({ person, card: number }, options, session);
    });
};

const addCardEndings = (card: Command, session: CliSession): void => {
  withOperation(card.command('reinstate'))
    .description('a card that was reported lost is found, and opens doors again')
    .argument('<number>', "card number in the site's format")
    .option('--keep-others', 'although the person has other cards by now')
    .action(async (number: string, options: ReinstatementOptions) => {
      const { reinstateCard } = await import('./desk-card.ts');
      await reinstateCard(number, options, session);
    });
  withOperation(card.command('revoke'))
    .description('stop a card for good, whether the desk knows it or not')
    .argument('<number>', "card number in the site's format")
    .addOption(new Option('--reason <reason>', 'why').choices(REVOCATION_REASONS).makeOptionMandatory())
    .action(async (number: string, options: RevocationOptions) => {
      const { revokeCard } = await import('./desk-card.ts');
      await revokeCard(number, options, session);
    });
};

const addProofCommands = (desk: Command, session: CliSession): void => {
  withTimeout(withService(desk.command('confirm')))
    .description('show what each gateway and door has made of an operation')
    .argument('<operation>', 'its id, such as op-12')
    .option('--wait', 'until all gateways have answered')
    .addHelpText('after', CONFIRM_HELP)
    .action(async (id: string, options: ConfirmOptions) => {
      const { confirmOperation } = await import('./desk-confirm.ts');
      await confirmOperation(id, options, session);
    });
  withPages(desk.command('operations'))
    .description('list operations, the newest first')
    .addOption(new Option('--state <state>', 'only those').choices(OPERATION_STATES))
    .option('--cardholder <id>', 'of this person')
    .option('--card <number>', 'of this card')
    .action(async (options: OperationsOptions) => {
      const { listOperations } = await import('./desk-confirm.ts');
      await listOperations(options, session);
    });
};

const addBatchCommand = (desk: Command, session: CliSession): void => {
  withTimeout(withYes(desk.command('batch')))
    .description('replace many cards from a file')
    .argument('<file>', 'CSV; - for standard input')
    .option('--dry-run', 'try all lines out, do nothing')
    .addOption(
      new Option('--mode <mode>', 'where lines are faulty: nothing is done, or the good lines are')
        .choices(['all', 'good'])
        .default('all'),
    )
    .option('--id <id>', 'name of the batch (default: made of its lines)')
    .option('--report <file>', 'write the outcome of every line at every door as CSV')
    .option('--wait', 'until all gateways have answered')
    .addHelpText('after', BATCH_HELP)
    .action(async (file: string, options: BatchOptions) => {
      const { runBatch } = await import('./desk-batch.ts');
      await runBatch(file, options, session);
    });
};

/** Options of every command that changes cards. */
export const withOperation = (command: Command): Command =>
  withTimeout(withYes(command))
    .option('--note <text>', 'in your words, for the record')
    .option('--request-id <id>', 'name of this request: the same again is done once (default: a new one)')
    .option('--dry-run', 'show what it would do, do nothing')
    .option('--wait', 'until all gateways have answered (default at a terminal)')
    .option('--no-wait', 'end when the desk has done it')
    .addHelpText('after', OPERATION_HELP);

const withTimeout = (command: Command): Command =>
  command.option('--timeout <seconds>', 'wait no longer than this', parseSeconds, WAIT_SECONDS);

const withReader = (command: Command): Command =>
  command
    .option('--from-reader <reader>', 'take the card that is held next to this enrolment reader, within a minute')
    .option('--gateway <id>', 'whose reader that is (default: the only gateway)');

/** `otherwise`: what a card opens where nothing is said. */
const withRights = (command: Command, otherwise = 'what is meant for the person'): Command =>
  withAccess(command, otherwise)
    .option('--from <time>', 'valid from then on, such as 2026-11-30 or 2026-11-30T08:00')
    .option('--until <time>', 'valid until then; of a date, its end')
    .option('--pending', 'opens nothing until it is held to an activation reader')
    .option('--overrides-lockdown', 'opens doors in a lockdown too')
    .option('--extended-release', 'the person needs more time: doors stay released, and may stand open, for longer')
    .option('--reused', 'take a card that was once reported lost or stolen, and is at hand');
