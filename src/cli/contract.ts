// `cardea contract`: the MQTT contract for machines, made from the schemas that the gateway itself uses. Needs no gateway and no
// configuration.

import { Argument, type Command, InvalidArgumentError } from 'commander';
import { type GatewayId, parseGatewayId, parseSiteId, type SiteId } from '../domain/ids.ts';
import { MESSAGE_NAMES, type MessageName } from '../wire/message-names.ts';
import type { CliSession } from './session.ts';

interface AsyncApiOptions {
  readonly site?: SiteId;
  readonly gateway?: GatewayId;
}

export const addContractCommands = (program: Command, session: CliSession): void => {
  const contract = program
    .command('contract')
    .description('print the MQTT contract, for those who connect an HR system');
  contract
    .command('asyncapi')
    .description('print topics, operations, messages and examples as an AsyncAPI 3.0 document, in JSON')
    .option('--site <id>', 'put this site into the topics', idParser(parseSiteId))
    .option('--gateway <id>', 'put this gateway into the topics', idParser(parseGatewayId))
    .action(async (options: AsyncApiOptions) => {
      const { asyncApi } = await import('../wire/asyncapi.ts');
      await printDocument(asyncApi(options), session);
    });
  contract
    .command('schema')
    .description('print the JSON Schema (2020-12) of all messages, or of one')
    .addArgument(new Argument('[message]', 'which message').choices(MESSAGE_NAMES))
    .action(async (message: MessageName | undefined) => {
      const { contractSchema, messageContractSchema } = await import('../wire/contract.ts');
      await printDocument(message === undefined ? contractSchema() : messageContractSchema(message), session);
    });
};

const printDocument = (document: object, session: CliSession): Promise<void> =>
  session.print(`${JSON.stringify(document, null, 2)}\n`);

const idParser =
  <Id>(parse: (text: string) => Id | undefined) =>
  (text: string): Id => {
    const id = parse(text);
    if (id === undefined) throw new InvalidArgumentError('It must be 1 to 63 lower-case letters, digits or dashes.');
    return id;
  };
