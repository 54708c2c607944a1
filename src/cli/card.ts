// `cardea card show`: what this gateway holds about a card, and which doors it opens now.

import type { Command } from 'commander';
import type { BindingView, CardAnswer } from '../admin/protocol.ts';
import { columns } from './columns.ts';
import { grantTexts, modeText, verdictText } from './door-reasons.ts';
import { type CliSession, type GatewayOptions, withGateway, withJson } from './session.ts';

interface Options extends GatewayOptions {
  readonly json?: boolean;
}

export const addCardCommand = (program: Command, session: CliSession): void => {
  const card = program.command('card').description('look a card up');
  withJson(withGateway(card.command('show')))
    .description('show what the gateway holds about a card; exits 1 when it opens no door here now')
    .argument('<card>', 'card number as HR writes it, or the UID in hex')
    .action(async (text: string, options: Options) => {
      const gateway = await session.gateway(options);
      const answer = await gateway.call('card', { card: text });
      session.conclude(Object.values(answer.doors).some(({ decision }) => decision === 'granted'));
      if (options.json === true) await session.printJson(answer);
      else await session.print(cardText(answer));
    });
};

const cardText = (answer: CardAnswer): string => {
  const { found, binding, tombstone, origin } = answer;
  const facts = [
    ['card', `${answer.card}${answer.readAs === 'uid' ? ' (from the UID)' : ''}`],
    ['state', stateText(answer)],
    ...(binding === null ? [] : bindingFacts(binding)),
    ...(tombstone === null || tombstone.cardholder === null ? [] : [['was of', tombstone.cardholder]]),
    ...(origin === null
      ? []
      : [
          [
            found === 'retired' ? 'retired by' : 'message',
            `${origin.messageId}, revision ${origin.revision}, applied ${origin.appliedAt}`,
          ],
        ]),
    ['roster', `revision ${answer.rosterRevision}: nothing newer is known here`],
  ];
  const doors = Object.entries(answer.doors).map(([door, said]) => [
    door,
    verdictText(said),
    [...(said.doorMode === 'normal' ? [] : [`mode ${modeText(said)}`]), ...grantTexts(said)].join('; '),
  ]);
  return `${columns(facts)}\n${columns([['DOOR', 'NOW', ''], ...doors])}`;
};

const stateText = ({ found, binding, tombstone, detail }: CardAnswer): string => {
  switch (found) {
    case 'live':
      return binding?.state === 'pending' ? 'bound, pending: present it at an activation reader' : 'bound';
    case 'retired':
      return `retired: ${tombstone?.reason ?? 'for an unknown reason'}`;
    case 'unknown':
      return 'unknown: HR has never named it to this gateway';
    case 'unreadable':
      return `its record cannot be read: ${detail ?? ''}`;
  }
};

const bindingFacts = (binding: BindingView): string[][] => [
  ['cardholder', [binding.cardholder, binding.name, binding.department].filter((text) => text !== null).join(', ')],
  ['kind', binding.kind],
  ['access', binding.access.map(grantText).join('; ')],
  ...(binding.validFrom === null ? [] : [['valid from', binding.validFrom]]),
  ...(binding.validUntil === null ? [] : [['valid until', binding.validUntil]]),
  ...(binding.overridesLockdown ? [['lockdown', 'opens doors in a lockdown too']] : []),
  ...(binding.extendedRelease ? [['release', 'extended']] : []),
];

export const grantText = (grant: BindingView['access'][number]): string =>
  'level' in grant ? `level ${grant.level}` : `${grant.doors.join(', ')} (${grant.schedule})`;
