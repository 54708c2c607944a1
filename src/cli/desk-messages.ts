// Builds the one message of a `cardea desk` command, has it exchanged for a receipt, and prints that.

import { randomUUID } from 'node:crypto';
import type { Config } from '../config/config.ts';
import { loadConfig } from '../config/load.ts';
import { flagsOf } from '../domain/credential.ts';
import type { GatewayId } from '../domain/ids.ts';
import type { ReceiptFields } from '../wire/outbound-schema.ts';
import { columns } from './columns.ts';
import type { BindOptions, DeskOptions, RevokeOptions } from './desk.ts';
import { DeskExchange, type DeskMessageType } from './desk-exchange.ts';
import { deskSeal, gatewayOpener } from './desk-signing.ts';
import type { CliSession } from './session.ts';

/** What a message says beside the common fields. */
type Content = Readonly<Record<string, unknown>>;

/** Binds `card`, or where it is left out the one that is held to the reader in `options`. */
export const bindCard = (card: string | undefined, options: BindOptions, session: CliSession): Promise<void> =>
  exchange('card-bound', options, session, async (desk, config) => ({
    card: card ?? (await cardFromReader(desk, { ...options, gateway: options.gateway ?? config.gateway }, session)),
    ...bindingOf(options),
  }));

const cardFromReader = (
  desk: DeskExchange,
  { fromReader = '', gateway }: { readonly fromReader?: string; readonly gateway: GatewayId },
  { environment }: CliSession,
): Promise<string> => {
  // Beside the output, which may be read by a program.
  environment.terminal.writeError(`hold the card to reader ${fromReader} of gateway ${gateway}\n`);
  return desk.nextPresented(fromReader, gateway);
};

const bindingOf = (options: BindOptions): Content => {
  const { cardholder, name, doors, supersedes, pending, until, overridesLockdown, extendedRelease } = options;
  return {
    cardholder: { id: cardholder, ...(name !== undefined && { name }) },
    access: [{ doors: doors === undefined ? ['*'] : doors.split(',').map((door) => door.trim()) }],
    supersedes,
    ...(pending === true && { state: 'pending' }),
    ...(until !== undefined && { kind: 'temporary', validUntil: until }),
    ...flagsOf({ overridesLockdown, extendedRelease }),
  };
};

export const revokeCard = (card: string | undefined, options: RevokeOptions, session: CliSession): Promise<void> => {
  const { cardholder, reason } = options;
  return send('card-revoked', options, session, {
    ...(card !== undefined && { card }),
    ...(cardholder !== undefined && { cardholder }),
    reason,
  });
};

/** Sends one message and prints the receipt. */
export const send = (
  type: DeskMessageType,
  options: DeskOptions,
  session: CliSession,
  content: Content,
): Promise<void> => exchange(type, options, session, async () => content);

const exchange = async (
  type: DeskMessageType,
  options: DeskOptions,
  session: CliSession,
  contentFrom: (desk: DeskExchange, config: Config) => Promise<Content>,
): Promise<void> => {
  const { config } = loadConfig(session.configPath(options));
  const signing = { seal: deskSeal(config, type, options.key), open: gatewayOpener(config) };
  const desk = await DeskExchange.connect(config, signing);
  try {
    const content = await contentFrom(desk, config);
    const revision = options.revision ?? (await desk.nextRevision(type));
    const receipt = await desk.send(type, {
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
    await desk.close();
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
