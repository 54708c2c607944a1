// Gateways that do nothing but answer: as many MQTT clients as the second argument says, on the broker at the port of the first, each
// with a status and a receipt for every change. They keep no roster and write nothing to a disk. A process of its own.

import { connectAsync } from 'mqtt';

const [port = 0, count = 0] = process.argv.slice(2).map(Number);

interface Change {
  readonly messageId: string;
  readonly revision: number;
  readonly card: string;
  readonly cardholder: { readonly id: string };
}

/** Each of them gets the same text: it is parsed once. */
let last: { readonly text: string; readonly change: Change } | undefined;
const changeIn = (payload: Buffer): Change => {
  const text = payload.toString();
  if (last?.text !== text) last = { text, change: JSON.parse(text) };
  return last.change;
};

const ROSTER = { revision: 0, cards: 0, digest: '0'.repeat(64) };

const receiptOf = (gateway: string, { messageId, revision, card, cardholder }: Change): string =>
  JSON.stringify({
    ...{ type: 'receipt', gateway, messageId, messageType: 'card-bound', revision, result: 'applied' },
    ...{ card, cardholder: cardholder.id, superseded: [], doors: ['front'] },
    ...{ code: null, detail: null, path: null, payloadSha256: null, warnings: [] },
    ...{ appliedAt: new Date().toISOString(), clockSynchronized: true, sequence: revision },
    roster: { ...ROSTER, revision },
  });

const statusOf = (gateway: string): string =>
  JSON.stringify({
    ...{ type: 'status', gateway, online: true, version: '0.1.0', startedAt: new Date().toISOString() },
    time: new Date().toISOString(),
    roster: { ...ROSTER, epoch: null, reconciledAt: null },
    outbox: { pending: 0, oldest: null, acknowledged: 0 },
    doors: { front: { mode: 'normal', position: 'closed', strike: 'locked' } },
    ...{ readers: {}, clock: { synchronized: true }, lossyCardNumbers: false, alarms: [] },
  });

const open = async (gateway: string): Promise<void> => {
  const root = `cardea/hq/gateways/${gateway}`;
  const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { clientId: gateway });
  client.on('message', (_topic, payload) => {
    client.publish(`${root}/receipt`, receiptOf(gateway, changeIn(payload)), { qos: 1 });
  });
  await client.subscribeAsync('cardea/hq/hr/card-bound', { qos: 1 });
  await client.publishAsync(`${root}/status`, statusOf(gateway), { qos: 1, retain: true });
};

for (let index = 0; index < count; index++) await open(`light-${index}`);
process.send?.('ready');
