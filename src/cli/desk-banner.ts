// What a person sees when the desk has started in a terminal: where it answers, what the gateways need to know, and what comes first.

import type { TrustedKey } from '../domain/trusted-key.ts';
import { columns } from './columns.ts';
import { DEFAULT_DESK_URL } from './desk-options.ts';
import type { RunningDesk } from './session.ts';

export interface DeskFacts extends Pick<RunningDesk, 'url' | 'setupCodeFile'> {
  /** Of its configuration. */
  readonly path: string;
}

export const deskBannerText = (facts: DeskFacts & Pick<RunningDesk, 'keys'>, site: string): string => {
  const { url, keys, setupCodeFile } = facts;
  const trust = keys.length === 0 ? '' : `\nThe gateways need these lines:\n\n${indented(trustText(keys))}`;
  const first =
    setupCodeFile === undefined
      ? ''
      : `\nThere is no admin yet. In another terminal, with the code in ${setupCodeFile}:\n\n  ${firstAdmin(facts, 'NAME', 'admin')}\n`;
  return `\nCardea desk of site ${site}\n\n${columns([['api', `${url}/v1`]], '  ')}${trust}${first}\nCtrl-C ends it.\n\n`;
};

/** As it stands in a configuration of a gateway. */
export const trustText = (keys: readonly TrustedKey[]): string =>
  [
    'trust:',
    '  messages: signed',
    '  keys:',
    ...keys.map(({ kid, publicKey, may }) => `    ${kid}: { publicKey: "${publicKey}", may: [${may.join(', ')}] }`),
  ]
    .map((line) => `${line}\n`)
    .join('');

type Step = readonly [what: string, command: string];

interface Example {
  readonly card: string;
  readonly cardholder: string;
}

/** From the first admin to a card that opens doors: what to type in a site to play with. */
export const deskSteps = (facts: DeskFacts, { card, cardholder }: Example): readonly Step[] => {
  const at = atUrl(facts);
  return [
    ...(facts.setupCodeFile === undefined
      ? []
      : [['make an account', firstAdmin(facts, 'ada', 'admin', 'clerk', 'security')] as const]),
    ['sign in', `npx cardea desk login ada${at}`],
    ['add a person', `npx cardea desk employee add ${cardholder} --name Grace${at}`],
    ['give them a card', `npx cardea desk card bind ${cardholder} ${card}${at}`],
  ];
};

/** The card is lost, and `card` takes its place. */
export const replacementStep = (facts: DeskFacts, { card, cardholder }: Example): Step => [
  'replace it',
  `npx cardea desk replace ${cardholder} --new-card ${card} --reason lost${atUrl(facts)}`,
];

const firstAdmin = (facts: DeskFacts, name: string, ...roles: readonly string[]): string =>
  `npx cardea desk operator add ${name} --role ${roles.join(' ')} --config ${shellWord(facts.path)}${atUrl(facts)}`;

const atUrl = ({ url }: DeskFacts): string => (url === DEFAULT_DESK_URL ? '' : ` --url ${shellWord(url)}`);

const indented = (text: string): string => text.replaceAll(/^(?=.)/gm, '  ');

export const shellWord = (text: string): string =>
  /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
