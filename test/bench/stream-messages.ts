// The messages of the stream measurement, and their publisher as a process of its own: topic, port, count and messages under way as arguments.

import { connectAsync } from 'mqtt';
import { cardNumber } from '../domain/samples.ts';

export const streamCard = (index: number) => cardNumber((0x10000000 + index).toString(16));

export const streamMessage = (revision: number): string =>
  JSON.stringify({
    type: 'card-bound',
    site: 'hq',
    messageId: `m-${revision}`,
    revision,
    issuedAt: '2026-11-22T09:00:00+08:00',
    operator: 'bench',
    card: streamCard(revision),
    cardholder: { id: `E${revision}` },
    access: [{ doors: ['front'] }],
  });

const publishAll = async (topic: string, [port = 0, count = 0, window = 0]: readonly number[]): Promise<void> => {
  const hr = await connectAsync(`mqtt://127.0.0.1:${port}`);
  let sent = 0;
  const next = async (): Promise<void> => {
    while (sent < count) {
      sent += 1;
      await hr.publishAsync(topic, streamMessage(sent), { qos: 1 });
    }
  };
  await Promise.all(Array.from({ length: window }, next));
  await hr.endAsync();
};

if (process.argv[1]?.endsWith('stream-messages.ts')) {
  const [topic = '', ...numbers] = process.argv.slice(2);
  await publishAll(topic, numbers.map(Number));
}
