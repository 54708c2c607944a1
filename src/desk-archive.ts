// The composition root of HR's archive of events: the file, the link to the broker, and what stands between them.

import { brokerOptions } from './broker-options.ts';
import type { ArchiveOptions, RunningArchive } from './cli/session.ts';
import type { Config } from './config/config.ts';
import { EventArchive } from './desk/event-archive.ts';
import { JournalFile } from './drivers/journal/journal-file.ts';
import { MqttHrLink } from './drivers/mqtt/mqtt-hr-link.ts';
import { createLog } from './log.ts';
import { deskTopicsOf } from './wire/desk-topics.ts';

/** Rejects with the system's error for a file that cannot be used. The broker is waited for. */
export const startArchive = async (
  { site, mqtt, log: { level } }: Config,
  { journal: file, seal, open, onFault }: ArchiveOptions,
): Promise<RunningArchive> => {
  const journal = await JournalFile.open(file);
  const topics = deskTopicsOf(site);
  const link = new MqttHrLink({
    url: mqtt.kind === 'broker' ? mqtt.url : `mqtt://${mqtt.host}:${mqtt.port}`,
    ...brokerOptions(mqtt),
    // One archive of a site at a time: its session holds what comes while it is away.
    clientId: `cardea-archive-${site}`,
    subscriptions: [topics.events, topics.statuses],
    log: createLog(level).child({ part: 'archive' }),
  });
  const archive = new EventArchive({ site, journal, link, seal, open, onFault });
  await archive.load();
  link.start(archive);
  return {
    gateways: () => archive.gateways(),
    stop: async () => {
      await link.stop();
      await archive.close();
      await journal.close();
    },
  };
};
