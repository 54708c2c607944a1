// What a person sees when the gateway has started in a terminal: what runs where, and what to try next.

import type { StatusAnswer } from '../admin/protocol.ts';
import type { Config } from '../config/config.ts';
import { columns } from './columns.ts';
import { type DeskFacts, deskSteps, replacementStep, shellWord } from './desk-banner.ts';
import { DEMO_CONFIG } from './locate-gateway.ts';

/** A 7-byte UID that no real card has by accident. */
const EXAMPLE_CARD = '04A2B3C4D5E680';
const NEXT_CARD = '04A2B3C4D5E681';
const EXAMPLE_CARDHOLDER = 'E1001';

interface BannerFacts {
  readonly config: Config;
  /** Of the configuration. */
  readonly path: string;
  readonly status: StatusAnswer['status'];
  readonly brokerUrl: string;
  /** The one beside the gateway, where there is one. */
  readonly desk: DeskFacts | undefined;
}

export const bannerText = ({ config, path, status, brokerUrl, desk }: BannerFacts): string => {
  const { site, gateway } = config;
  const isEmbedded = config.mqtt.kind === 'embedded';
  const areSimulated = config.gpio.driver === 'simulated';
  const places = [
    ['broker', `${brokerUrl}${isEmbedded ? ' (inside this program)' : ''}`],
    ['topics', `cardea/${site}/hr/... and cardea/${site}/gateways/${gateway}/...`],
    ...config.doors.map(({ id }) => ['door', `${id}${areSimulated ? ' (simulated)' : ''}`]),
    ...config.readers.map((reader) => ['reader', readerText(reader)]),
    ['store', `${config.dataDir} (${status.roster.cards} cards, revision ${status.roster.revision})`],
    ['socket', config.admin.socket],
    ...(desk === undefined ? [] : [['desk', `${desk.url} (inside this program)`]]),
  ];
  const title = `Cardea ${status.version}: gateway ${gateway} of site ${site}\n\n`;
  return `\n${title}${columns(places, '  ')}\n${suggestions({ config, path, status, brokerUrl, desk })}\nCtrl-C ends it.\n\n`;
};

const readerText = ({ id, door, hardware }: Config['readers'][number]): string => {
  const at = door === undefined ? '' : ` at door ${door}`;
  return `${id}${at}${hardware.driver === 'simulated' ? ' (simulated)' : ` on ${hardware.device}`}`;
};

const suggestions = ({ config, path, status, brokerUrl, desk }: BannerFacts): string => {
  const withConfig = path === DEMO_CONFIG || path === DEMO_CONFIG.slice(2) ? '' : ` --config ${shellWord(path)}`;
  const reader = config.readers.find(({ hardware }) => hardware.driver === 'simulated');
  // A broker elsewhere is that of a real site, whose roster is no place for an example; nor is one that a desk keeps.
  const isPlayground = config.mqtt.kind === 'embedded' && desk === undefined;
  const isSigned = config.trust.messages === 'signed';
  const bind = `npx cardea desk bind ${EXAMPLE_CARD} --cardholder ${EXAMPLE_CARDHOLDER}${isSigned ? ' --key FILE' : ''}`;
  const steps = [
    ...(desk === undefined ? [] : deskSteps(desk, { card: EXAMPLE_CARD, cardholder: EXAMPLE_CARDHOLDER })),
    ...(isPlayground ? [['bind a card', `${bind}${withConfig}`]] : []),
    ...(reader === undefined ? [] : [['tap it', `npx cardea tap ${reader.id} ${EXAMPLE_CARD}${withConfig}`]]),
    ...(desk === undefined ? [] : [replacementStep(desk, { card: NEXT_CARD, cardholder: EXAMPLE_CARDHOLDER })]),
    ['watch events', `npx cardea events --follow${withConfig}`],
  ];
  const plainMqtt =
    isPlayground && !isSigned
      ? `\nThe card is bound just as well by:\n\n  ${publishLine(config.site, { status, brokerUrl })}\n`
      : '';
  return `Try in another terminal:\n\n${columns(steps, '  ')}${plainMqtt}`;
};

/** The example card bound by a message that is not signed. */
const publishLine = (
  site: Config['site'],
  { status, brokerUrl }: Pick<BannerFacts, 'status' | 'brokerUrl'>,
): string => {
  const { hostname, port } = new URL(brokerUrl);
  const revision = status.roster.revision + 1;
  const message = {
    type: 'card-bound',
    site,
    messageId: `example-${revision}`,
    revision,
    issuedAt: status.time,
    operator: 'me',
    card: EXAMPLE_CARD,
    cardholder: { id: EXAMPLE_CARDHOLDER },
    access: [{ doors: ['*'] }],
  };
  return [
    `mosquitto_pub -h ${hostname} -p ${port || '1883'} -q 1 -t cardea/${site}/hr/card-bound`,
    `-m ${shellWord(JSON.stringify(message))}`,
  ].join(' ');
};
