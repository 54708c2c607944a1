// What a person sees when the gateway has started: what runs where, and three commands to try next.

import type { Config } from '../config/config.ts';
import { VERSION } from '../version.ts';
import type { StatusDocument } from '../wire/status.ts';
import { topicsOf } from '../wire/topics.ts';

const EXAMPLE_CARD = '04A2B3C4D5E680';

export interface WelcomeFacts {
  readonly config: Config;
  /** As given to --config; the suggested commands carry it. */
  readonly configPath: string;
  readonly brokerUrl: string;
  readonly status: StatusDocument;
}

export const welcome = (facts: WelcomeFacts): string => {
  const { config, brokerUrl, status } = facts;
  const rows = [
    ['broker', `${brokerUrl}${config.mqtt.kind === 'embedded' ? '  (inside this program, this machine only)' : ''}`],
    ['doors', `${config.doors.map(({ id }) => id).join(', ')}  (${config.gpio.driver})`],
    ...config.readers.map(({ id, door, role, hardware }) => [
      'reader',
      `${id} at ${door ?? 'no door'}, ${role}  (${hardware.driver})`,
    ]),
    ['store', `${config.dataDir}/store  (${status.roster.cards} cards, revision ${status.roster.revision})`],
    ['technician', config.admin.socket],
  ];
  return [
    `Cardea ${VERSION}: gateway "${config.gateway}" of site "${config.site}" is running.`,
    '',
    ...rows.map(([name = '', text]) => `  ${name.padEnd(11)} ${text}`),
    '',
    ...suggestions(facts),
    'Ctrl+C stops it.',
    '',
  ].join('\n');
};

/** For a gateway whose readers are real there is nothing to tap from here. */
const suggestions = ({ config, configPath, brokerUrl, status }: WelcomeFacts): string[] => {
  const reader = config.readers.find(({ hardware, role }) => hardware.driver === 'simulated' && role === 'access');
  if (reader === undefined) return [];
  const { cardBound } = topicsOf(config.site, config.gateway);
  const where = ` --config ${configPath}`;
  const message = JSON.stringify({
    type: 'card-bound',
    site: config.site,
    messageId: `try-${status.roster.revision + 1}`,
    revision: status.roster.revision + 1,
    issuedAt: status.time,
    operator: 'me',
    card: EXAMPLE_CARD,
    cardholder: { id: 'E1001' },
    access: [{ doors: ['*'] }],
  });
  return [
    'Try, in another terminal:',
    '',
    '  1. Bind a card, as HR does:',
    `     npx cardea desk bind ${EXAMPLE_CARD} --cardholder E1001${where}`,
    '     or the same with any MQTT client:',
    `     mosquitto_pub -p ${new URL(brokerUrl).port} -q 1 -t ${cardBound} -m '${message}'`,
    '  2. Tap it:',
    `     npx cardea tap ${reader.id} ${EXAMPLE_CARD}${where}`,
    '  3. Watch what happens:',
    `     npx cardea events --follow${where}`,
    '',
  ];
};
