// `cardea desk status`, `desk gateways` and `desk forget-gateway`: how the desk stands to the broker and to each gateway.

import { type GatewayAnswer, gatewaysAnswer, statusAnswer } from '../desk-api/contract.ts';
import { columns } from './columns.ts';
import { pathOf } from './desk-client.ts';
import type { ServiceOptions } from './desk-options.ts';
import { visitDesk } from './desk-visit.ts';
import { localTime } from './local-times.ts';
import type { CliSession } from './session.ts';

/** Ends with `no` while the broker is not connected. */
export const showDeskStatus = async (options: ServiceOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const status = await visit.desk.ask(statusAnswer, { path: '/v1/status' });
  session.conclude(status.isConnected);
  const { site, version, isConnected, unsent, employees, cards, revision, epoch, openOperations, overdueOperations } =
    status;
  await visit.print(
    status,
    () =>
      `${columns([
        ['desk', `site ${site}, version ${version}, at ${visit.desk.url}`],
        [
          'broker',
          `${isConnected ? 'connected' : 'not connected'}${unsent === 0 ? '' : `, ${unsent} messages unsent`}`,
        ],
        ['roster', `${employees} people, ${cards} cards, revision ${revision}, epoch ${epoch}`],
        ['operations', `${openOperations} open, ${overdueOperations} of them overdue`],
      ])}\n${gatewaysText(status.gateways)}`,
  );
};

export const listGateways = async (options: ServiceOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const answer = await visit.desk.ask(gatewaysAnswer, { path: '/v1/gateways' });
  await visit.print(answer, () => gatewaysText(answer.gateways));
};

type Gateway = Pick<GatewayAnswer, 'gateway' | 'isOnline' | 'isVerified' | 'isCurrent' | 'lastSeen' | 'doors'>;

const gatewaysText = (gateways: readonly Gateway[]): string =>
  gateways.length === 0
    ? 'no gateway has been heard of\n'
    : columns([
        ['GATEWAY', 'LINK', 'ROSTER', 'SIGNATURE', 'LAST SEEN', 'DOORS'],
        ...gateways.map(({ gateway, isOnline, isVerified, isCurrent, lastSeen, doors }) => [
          gateway,
          isOnline ? 'online' : 'offline',
          isCurrent ? 'current' : 'differs',
          isVerified ? 'verified' : 'none that is known',
          localTime(lastSeen),
          doors.join(', '),
        ]),
      ]);

/** A gateway that is gone for good is not waited for any more. */
export const forgetGateway = async (gateway: string, options: ServiceOptions, session: CliSession): Promise<void> => {
  const visit = await visitDesk(session, options);
  const question = `Forget gateway ${gateway}? No change waits for it any more; what is heard of it again brings it back.`;
  await visit.questions.confirm(question);
  await visit.desk.text({ method: 'DELETE', path: pathOf`/v1/gateways/${gateway}` });
  await visit.print({ gateway }, () => `gateway ${gateway} is forgotten`);
};
