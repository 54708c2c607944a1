// Builds the one message of a `cardea desk` command, has it exchanged for a receipt, and prints that.

import { randomUUID } from 'node:crypto';
import { loadConfig } from '../config/load.ts';
import type { ReceiptFields } from '../wire/outbound-schema.ts';
import { columns } from './columns.ts';
import type { BindOptions, DeskOptions, RevokeOptions } from './desk.ts';
import { DeskExchange, type DeskMessageType } from './desk-exchange.ts';
import { deskSeal, gatewayOpener } from './desk-signing.ts';
import type { CliSession } from './session.ts';

export const bindCard = (card: string, options: BindOptions, session: CliSession): Promise<void> => {
  const { cardholder, name, doors, supersedes, pending, until } = options;
  return send('card-bound', options, session, {
    card,
    cardholder: { id: cardholder, ...(name !== undefined && { name }) },
    access: [{ doors: doors === undefined ? ['*'] : doors.split(',').map((door) => door.trim()) }],
    supersedes,
    ...(pending === true && { state: 'pending' }),
    ...(until !== undefined && { kind: 'temporary', validUntil: until }),
  });
};

export const revokeCard = (card: string | undefined, options: RevokeOptions, session: CliSession): Promise<void> => {
  const { cardholder, reason } = options;
  return send('card-revoked', options, session, {
    ...(card !== undefined && { card }),
    ...(cardholder !== undefined && { cardholder }),
    reason,
  });
};

/** Sends one message and prints the receipt. `content` is what it says beside the common fields. */
export const send = async (
  type: DeskMessageType,
  options: DeskOptions,
  session: CliSession,
  content: Readonly<Record<string, unknown>>,
): Promise<void> => {
  const { config } = loadConfig(session.configPath(options));
  const signing = { seal: deskSeal(config, type, options.key), open: gatewayOpener(config) };
  const exchange = await DeskExchange.connect(config, signing);
  try {
    const revision = options.revision ?? (await exchange.nextRevision(type));
    const receipt = await exchange.send(type, {
      type,
      site: config.site,
      messageId: `desk-${randomUUID()}`,
      revision,
      issuedAt: new Date().toISOString(),
      operator: session.environment.operator(),
      ...content,
    });
    session.conclude(receipt.result === 'applied' || receipt.result === 'duplicate');
    if (options.json === true) await session.printJson(receipt);
    else await session.print(receiptText(receipt, revision));
  } finally {
    await exchange.close();
  }
};

const receiptText = (receipt: ReceiptFields, revision: number): string => {
  const { messageType, result, code, detail, path, superseded, doors, warnings } = receipt;
  const why = [code, path, detail].filter((text) => text !== null).join(': ');
  return columns([
    ['result', why === '' ? result : `${result}: ${why}`],
    ['revision', String(revision)],
    ...(result === 'rejected' || messageType === 'calendar'
      ? []
      : [['opens here', doors.length === 0 ? 'nothing' : doors.join(', ')]]),
    ...(superseded.length === 0 ? [] : [['stopped', superseded.join(', ')]]),
    ...warnings.map((warning) => ['warning', warning]),
  ]);
};
