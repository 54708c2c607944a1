// `cardea desk events`: HR's archive of what the gateways tell, until somebody ends it.

import { loadConfig } from '../config/load.ts';
import { columns } from './columns.ts';
import type { DeskOptions } from './desk.ts';
import { deskSeal, uncheckedOpener } from './desk-signing.ts';
import type { ArchivedGateway, CliSession } from './session.ts';

export const archiveEvents = async (file: string, options: DeskOptions, session: CliSession): Promise<void> => {
  const { environment, terminal } = session;
  const { config } = loadConfig(session.configPath(options));
  const ended = new Promise<void>((resolve) => {
    environment.onEndSignal(() => resolve());
  });
  const archive = await environment.startArchive(config, {
    journal: file,
    seal: deskSeal(config, 'event-ack', options.key),
    // The keys of other gateways are on other machines.
    open: uncheckedOpener,
    onFault: (text) => terminal.writeError(`cardea: ${text}\n`),
  });
  terminal.writeError(`storing the events of site ${config.site} in ${file}; Ctrl-C ends\n`);
  await ended;
  await archive.stop();
  const gateways = archive.gateways();
  session.conclude(gateways.every(({ missing }) => missing.length === 0));
  if (options.json === true) await session.printJson({ gateways });
  else await session.print(gatewaysText(gateways));
};

const gatewaysText = (gateways: readonly ArchivedGateway[]): string =>
  gateways.length === 0 ? 'no gateway has told anything\n' : columns(gateways.map(rowOf));

const rowOf = ({ gateway, stored, doubles, acknowledged, missing }: ArchivedGateway): string[] => [
  gateway,
  `${stored} stored`,
  `${doubles} came again`,
  `acknowledged up to ${acknowledged}`,
  missing.length === 0 ? 'none missing' : `missing: ${missing.map(({ from, to }) => rangeText(from, to)).join(', ')}`,
];

const rangeText = (from: number, to: number): string => (from === to ? String(from) : `${from} to ${to}`);
